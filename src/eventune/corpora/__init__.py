"""Corpora of annotated documents: formats, reading and writing, checks and statistics."""

from eventune.corpora.check import Checker, check_corpus, texts_of
from eventune.corpora.corpus import Corpus, CorpusStream, lines_of, read_corpus, stream_corpus, write_corpus
from eventune.corpora.findings import Finding
from eventune.corpora.fixes import Fixes
from eventune.corpora.losses import Losses
from eventune.corpora.ontologies import read_ontology, write_ontology
from eventune.corpora.ontology_check import require_known_to
from eventune.corpora.registry import AUTO, Format, format_names, line_format_names, output_formats, register_format
from eventune.corpora.statistics import describe

__all__ = [
    "AUTO",
    "Checker",
    "Corpus",
    "CorpusStream",
    "Finding",
    "Fixes",
    "Format",
    "Losses",
    "check_corpus",
    "describe",
    "format_names",
    "line_format_names",
    "lines_of",
    "output_formats",
    "read_corpus",
    "read_ontology",
    "register_format",
    "require_known_to",
    "stream_corpus",
    "texts_of",
    "write_corpus",
    "write_ontology",
]
