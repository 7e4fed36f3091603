"""The built-in warm-up corpus: what to train on first, where there are few documents of one's own.

Its texts are of five fields (news, medicine, business, nature, everyday life), with many event types and role names, in
active, passive, nominal and reduced clauses, with arguments in the event's sentence and in others, and with entities of
the same kinds that are none. A third of an event's roles is empty, as in RAMS. A leading article, a preposition and a
person's description are not part of a span; titles and numbers are. People, organisations and events are invented. The
corpus is made from its grammar when it is first needed, always the same, and kept in the cache.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from eventune.corpora.corpus import write_corpus
from eventune.corpora.ontologies import write_ontology
from eventune.corpora.warmup.documents import make_document, make_uneventful
from eventune.corpora.warmup.domains import grammar_hash
from eventune.corpora.warmup.frames import types
from eventune.errors import EventuneError
from eventune.events import Document, EventType, Ontology, Role
from eventune.storage.cache import kept

FILES = {"warmup": "warmup.jsonl", "warmup_ontology": "warmup_ontology.yaml"}
SIZE, UNEVENTFUL = 4500, 400
_FORM = 1
"""Counts what changes in the code that makes the corpus, so that no cache serves that of an earlier version."""
_SEED = 20


def warmup_file(name: str) -> Path:
    """Return a file of the corpus; made if it is not in the cache.

    Args:
        name: `warmup` or `warmup_ontology`.

    Returns:
        The path of the file.

    Raises:
        EventuneError: If the cache cannot be written.
    """
    return kept(f"warmup-corpus-{_FORM}-{grammar_hash()[:12]}", _write, failures=(OSError, EventuneError)) / FILES[name]


def make_documents() -> Iterator[Document]:
    """Make the documents, those that tell of no event last."""
    rng = random.Random(f"{_SEED}-warmup")
    yield from (make_document(rng, number) for number in range(SIZE))
    rng = random.Random(f"{_SEED}-warmup-uneventful")
    by_text: dict[str, Document] = {}
    for number in count():
        document = make_uneventful(rng, number)
        if by_text.setdefault(document.text, document) is document:
            yield document
        if len(by_text) == UNEVENTFUL:
            return


def make_ontology() -> Ontology:
    """Return the event types and roles of all fields."""
    return Ontology.of(
        EventType(
            name,
            tuple(Role(role, most, told.domain.descriptions[role]) for role, (_, most) in told.roles.items()),
            told.description,
        )
        for name, told in types().items()
    )


def _write(folder: Path) -> None:
    folder.mkdir(parents=True)
    write_corpus(make_documents(), folder / FILES["warmup"])
    write_ontology(make_ontology(), folder / FILES["warmup_ontology"])
