"""Extraction from corpora of any size into files, which goes on where it was interrupted."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from eventune.corpora import AUTO, Losses, iter_corpus, lines_of
from eventune.corpora.registry import format_named
from eventune.errors import EventuneError, InvalidValueError
from eventune.events import Document
from eventune.inference.extractor import Extractor
from eventune.storage.paths import exists, is_file

_logger = logging.getLogger(__name__)
CHUNK_DOCUMENTS = 256
"""Documents that are extracted together: enough for batches of like length, few enough to be done again."""


def extract_file(
    extractor: Extractor,
    source: Path,
    target: Path,
    *,
    format: str = AUTO,
    output_format: str = "jsonl",
    on_documents: Callable[[int], None] | None = None,
) -> dict[str, int]:
    """Extract from a corpus of any size into a file; an interrupted extraction goes on where it stopped.

    Documents are written as they are done to a file beside the target, which takes the target's name at the end.

    Args:
        extractor: The extractor.
        source: The corpus.
        target: The file to write; must not exist yet.
        format: Format of the corpus.
        output_format: Format of the file, one with a record a line.
        on_documents: Called with the number of documents after each chunk.

    Returns:
        Counts: `documents`, `events`, `arguments`, `resumed` documents, events of `unknown_types`.

    Raises:
        EventuneError: If the corpus cannot be read, the target exists, or it cannot be written.
    """
    if exists(target):
        raise EventuneError(f"{target}: exists already", "choose another file, or remove it")
    counts = dict.fromkeys(("documents", "events", "arguments", "resumed", "unknown_types"), 0)
    chunks = _chunks(iter_corpus(source, format))
    losses = Losses()
    with _partial(target, extractor.fingerprint) as file:
        for chunk in chunks:
            found = _written(file, chunk, output_format)
            if found:
                counts["resumed"] += len(chunk)
            else:
                found = extractor.extract_all(chunk)
                lines = [line for document in found for line in lines_of(document, output_format, losses=losses)]
                file.write("".join(f"{line}\n" for line in lines).encode())
                file.flush()
            events = [event for document in found for event in document.events]
            counts["documents"] += len(chunk)
            counts["events"] += len(events)
            counts["arguments"] += sum(len(event.arguments) for event in events)
            counts["unknown_types"] += sum(event.type not in extractor.ontology for event in events)
            if on_documents is not None:
                on_documents(len(chunk))
    if losses:
        _logger.warning("%s: %s has no place for all, left out: %s", target, output_format, losses)
    return counts


@contextmanager
def _partial(target: Path, fingerprint: str) -> Iterator[BinaryIO]:
    """Open the file beside the target that an extraction writes to, or began to; at the end it becomes the target."""
    partial = target.with_name(f"{target.name}.{fingerprint}.partial")
    try:
        with partial.open("a+b") as file:
            file.seek(0)
            yield file
            os.fsync(file.fileno())
        partial.replace(target)
    except OSError as error:
        raise EventuneError(
            f"{target}: cannot be written: {error.strerror}", "choose another place, or free some space"
        ) from None
    finally:
        if is_file(partial) and not partial.stat().st_size:
            partial.unlink()


def _chunks(documents: Iterable[Document]) -> Iterator[tuple[Document, ...]]:
    stream = iter(documents)
    while chunk := tuple(islice(stream, CHUNK_DOCUMENTS)):
        yield chunk


def _written(file: BinaryIO, chunk: Sequence[Document], output_format: str) -> list[Document]:
    """Read back what an interrupted extraction wrote of a chunk.

    A chunk is taken over whole or not at all: its batches, and so the last digits of its scores, are then the same as
    without the interruption.

    Args:
        file: The file, at the chunk's first line.
        chunk: The documents of the corpus.
        output_format: Format of the file.

    Returns:
        The documents, one a line; none if not all of them are there, in which case the file ends before them.

    Raises:
        EventuneError: If the file is an extraction from another corpus.
    """
    start = file.tell()
    read = format_named(output_format).read
    written = []
    for document in chunk:
        for expected in lines_of(document, output_format):
            line = file.readline()
            if not line.endswith(b"\n"):
                file.truncate(start)
                file.seek(start)
                return []
            try:
                again = read(json.loads(line))
            except (ValueError, InvalidValueError):
                again = None
            if again is None or _questions(again) != _questions(read(json.loads(expected))):
                raise EventuneError(
                    f"{file.name}: expected what an interrupted extraction from the same corpus wrote, found a line "
                    f"that is not document {document.id!r}",
                    "remove it, or choose another output file",
                )
            written.append(again)
    return written


def _questions(document: Document) -> tuple[Any, ...]:
    """What an extraction does not change: the words, and the events' types and triggers."""
    return document.words, [(event.type, event.trigger) for event in document.events]
