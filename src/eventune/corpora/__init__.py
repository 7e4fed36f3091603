"""Corpora of annotated documents: formats, reading and writing, checks and statistics."""

from eventune.corpora.check import Finding, check_corpus, require_known_to
from eventune.corpora.corpus import Corpus, iter_corpus, lines_of, read_corpus, write_corpus
from eventune.corpora.losses import Losses
from eventune.corpora.ontologies import read_ontology, write_ontology
from eventune.corpora.registry import AUTO, Format, format_names, line_format_names, register_format
from eventune.corpora.statistics import describe

__all__ = [
    "AUTO",
    "Corpus",
    "Finding",
    "Format",
    "Losses",
    "check_corpus",
    "describe",
    "format_names",
    "iter_corpus",
    "line_format_names",
    "lines_of",
    "read_corpus",
    "read_ontology",
    "register_format",
    "require_known_to",
    "write_corpus",
    "write_ontology",
]
