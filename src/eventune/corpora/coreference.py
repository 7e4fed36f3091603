"""Coreference of WikiEvents' entity mentions: a file beside the corpus, a document a line.

    {"doc_key": "d1", "clusters": [["d1-T1", "d1-T4"]], "informative_mentions": ["Deir ez-Zor"]}

A cluster becomes one entity with its mentions in the file's order, and its informative mention, the text that names the
entity best, is kept as an attribute. Clusters come first among a document's entities and in the file's order, so that
they are written back as they were; mentions that stand in no cluster follow.

Where two clusters name the same mention, the later one has it, as in the authors' own scorer.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eventune.corpora.fields import mapping, member, shown
from eventune.corpora.files import Problems
from eventune.corpora.records import read_json_records, write_json_lines
from eventune.errors import EventuneError, InvalidValueError
from eventune.events import Document, Entity

INFORMATIVE = "informative_mention"
"""Attribute of an entity: the text that names it best."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Line:
    place: str
    clusters: tuple[tuple[str, ...], ...]
    informative: tuple[str, ...]


def with_coreference(documents: Iterable[Document], path: str | os.PathLike[str]) -> Iterator[Document]:
    """Yield documents whose entity mentions are merged into the clusters of a file.

    Documents without a line stay as they are. Lines without a document are counted in a log message: the file may
    cover more than the part of the corpus that is read.

    Args:
        documents: The documents; their mentions have identifiers. They are taken one at a time.
        path: The coreference file, e.g. `dev.jsonlines`.

    Yields:
        The documents in the same order.

    Raises:
        EventuneError: If the file cannot be read, a line of it is wrong, or a cluster names a mention that its document
            does not have; the message names file, line and field.
    """
    path = Path(path)
    lines = _read(path)
    unused = set(lines)
    for document in documents:
        line = lines.get(document.id)
        unused.discard(document.id)
        yield document if line is None else _merged(document, line)
    if unused:
        _logger.warning("%s: %d of %d lines belong to none of the documents", path, len(unused), len(lines))


def write_coreference(documents: Iterable[Document], path: str | os.PathLike[str]) -> None:
    """Write the clusters of documents, one line each.

    A cluster is an entity with several mentions, or with an informative mention; mentions without an identifier cannot
    be named in it. An entity that lacks an informative mention gets the longest text of its mentions.

    Args:
        documents: The documents, taken one at a time.
        path: The file, which is complete afterwards or as it was.

    Raises:
        EventuneError: If it cannot be written.
    """
    write_json_lines(map(_record, documents), Path(path))


def _read(path: Path) -> dict[str, _Line]:
    lines: dict[str, _Line] = {}
    problems = Problems(path)
    for record in read_json_records(path):
        try:
            if isinstance(record.value, InvalidValueError):
                raise record.value
            value = mapping(record.value, "record")
            key = member(value, "doc_key", "")
            if key in lines:
                expected = "a document that has no line yet"
                raise InvalidValueError("doc_key", expected, f"{shown(key)}, as in {lines[key].place}")
            lines[key] = _line(value, record.place)
        except InvalidValueError as error:
            problems.add(record.place, error)
    problems.raise_if_any()
    return lines


def _line(value: Mapping[str, Any], place: str) -> _Line:
    clusters = member(value, "clusters", [])
    for number, cluster in enumerate(clusters):
        if not isinstance(cluster, list) or not all(isinstance(name, str) and name for name in cluster):
            raise InvalidValueError(f"clusters[{number}]", "a list of mentions' identifiers", shown(cluster))
    informative = member(value, "informative_mentions", [])
    if len(informative) != len(clusters):
        expected = f"one for each of the {len(clusters)} clusters"
        raise InvalidValueError("informative_mentions", expected, str(len(informative)))
    for number, text in enumerate(informative):
        if not isinstance(text, str):
            raise InvalidValueError(f"informative_mentions[{number}]", "a string", shown(text))
    return _Line(place, tuple(map(tuple, clusters)), tuple(informative))


def _merged(document: Document, line: _Line) -> Document:
    mentions = {m.id: (m, entity) for entity in document.entities for m in entity.mentions if m.id}
    cluster_of: dict[str, int] = {}
    for number, cluster in enumerate(line.clusters):
        for n, name in enumerate(cluster):
            if name not in mentions:
                where, expected = f"clusters[{number}][{n}]", f"a mention of document {document.id!r}"
                error = InvalidValueError(where, expected, shown(name))
                raise EventuneError(f"{line.place}: {error.message}", "use the file that belongs to this corpus")
            cluster_of[name] = number
    merged = []
    for number, (cluster, informative) in enumerate(zip(line.clusters, line.informative, strict=True)):
        # A name twice in one cluster is one mention.
        own = [name for name in dict.fromkeys(cluster) if cluster_of[name] == number]
        if own:
            first = mentions[own[0]][1]
            attributes = {**first.attributes, INFORMATIVE: informative}
            merged.append(replace(first, mentions=tuple(mentions[name][0] for name in own), attributes=attributes))
    rest = (_without(entity, cluster_of) for entity in document.entities)
    return replace(document, entities=(*merged, *(entity for entity in rest if entity is not None)))


def _without(entity: Entity, names: Mapping[str, int]) -> Entity | None:
    """Return what is left of an entity without some of its mentions, or None if that is nothing."""
    left = tuple(mention for mention in entity.mentions if mention.id not in names)
    return replace(entity, mentions=left) if left else None


def _record(document: Document) -> dict[str, Any]:
    clusters, informative = [], []
    for entity in document.entities:
        names = [mention.id for mention in entity.mentions if mention.id]
        if names and (len(names) > 1 or INFORMATIVE in entity.attributes):
            clusters.append(names)
            informative.append(_informative(document, entity))
    return {"doc_key": document.id, "clusters": clusters, "informative_mentions": informative}


def _informative(document: Document, entity: Entity) -> str:
    text = entity.attributes.get(INFORMATIVE)
    return text if isinstance(text, str) else max(map(document.exact_text_of, entity.mentions), key=len)
