"""What an extraction keeps beside its target, so that it goes on where it was interrupted.

Documents are taken in pools, within which batches of like length are built. Two files keep what is done: `.partial`
holds whole pools, in the corpus's order; `.pool` holds the documents of the pool that is worked on, group by group.
Groups are the same however often an extraction is interrupted, and so are their batches and the last digits of their
scores.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from eventune.corpora import Losses, lines_of
from eventune.corpora.registry import format_named
from eventune.errors import EventuneError, InvalidValueError
from eventune.events import Document
from eventune.inference.extractor import Extractor
from eventune.storage.atomic import unwritable

GROUP_EVENTS = 64
"""Events after which something is written: enough for some batches, few enough to be done again."""
LOSSLESS = "jsonl"
"""The format that the pool which is worked on is kept in."""


@contextmanager
def begun(target: Path, fingerprint: str) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Open the files beside the target that an extraction writes to, or began to; at the end the target is there."""
    partial, current = (target.with_name(f"{target.name}.{fingerprint}.{kind}") for kind in ("partial", "pool"))
    try:
        with partial.open("a+b") as whole, current.open("a+b") as pool:
            whole.seek(0)
            pool.seek(0)
            yield whole, pool
            os.fsync(whole.fileno())
        current.unlink()
        partial.replace(target)
    except OSError as error:
        raise unwritable(target, error) from None
    finally:
        for path in (partial, current):
            if path.is_file() and not path.stat().st_size:
                path.unlink()


def _groups(pool: Sequence[Document]) -> Iterator[list[int]]:
    """Yield the places of documents of like length that are extracted together."""
    group, events = list[int](), 0
    # The longest first: memory that does not suffice is found out at once.
    for place in sorted(range(len(pool)), key=lambda place: -len(pool[place].tokens)):
        group.append(place)
        # Of a document without any, they may be detected.
        events += max(1, len(pool[place].events))
        if events >= GROUP_EVENTS:
            yield group
            group, events = [], 0
    if group:
        yield group


def extracted_pool(
    extractor: Extractor,
    pool: Sequence[Document],
    current: BinaryIO,
    on_documents: Callable[[int], None],
    on_batch: Callable[[int, int], None] | None,
) -> tuple[list[Document], int]:
    """Return a pool's documents with what was found, and how many were there from an interrupted extraction."""
    found, resumed = list(pool), 0
    for group in _groups(pool):
        documents = [pool[place] for place in group]
        done = _kept(current, documents)
        resumed += len(done)
        if not done:
            done = extractor.extract_all(documents, on_batch=on_batch)
            append(current, done, LOSSLESS)
        for place, document in zip(group, done, strict=True):
            found[place] = document
        on_documents(len(group))
    return found, resumed


def append(file: BinaryIO, documents: Iterable[Document], format: str, losses: Losses | None = None) -> None:
    """Write documents at the end of a file.

    Raises:
        EventuneError: If a document cannot be written in the format.
        OSError: If the file cannot be written, or was removed; for `begun` to report.
    """
    lines = [line for document in documents for line in lines_of(document, format, losses=losses)]
    if not Path(file.name).is_file():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    file.write("".join(f"{line}\n" for line in lines).encode())
    file.flush()


def _kept(file: BinaryIO, documents: Sequence[Document]) -> list[Document]:
    """Read back what was written of a group; nothing where it is not all there, or of an earlier pool."""
    start = file.tell()
    read = format_named(LOSSLESS).read
    kept = []
    for document in documents:
        line = file.readline()
        try:
            again = read(json.loads(line)) if line.endswith(b"\n") else None
        except (ValueError, InvalidValueError):
            again = None
        if again is None or again.id != document.id or not _answers(again, document):
            file.truncate(start)
            file.seek(start)
            return []
        kept.append(again)
    return kept


def written(file: BinaryIO, pool: Sequence[Document], output_format: str) -> list[Document]:
    """Read back what an interrupted extraction wrote of a pool.

    Args:
        file: The file, at the pool's first line.
        pool: The documents of the corpus.
        output_format: Format of the file.

    Returns:
        The documents, one a line; none if not all of them are there, in which case the file ends before them.

    Raises:
        EventuneError: If the file is an extraction from another corpus.
    """
    start = file.tell()
    read = format_named(output_format).read
    lines = []
    for document in pool:
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
            if again is None or not _answers(again, read(json.loads(expected))):
                raise EventuneError(
                    f"{file.name}: expected what an interrupted extraction from the same corpus wrote, found a line "
                    f"that is not document {document.id!r}",
                    "remove it, or choose another output file",
                )
            lines.append(again)
    return lines


def _answers(found: Document, asked: Document) -> bool:
    """Tell whether all is there that an extraction does not change: the words, and types and triggers of events."""
    same_events = [(e.type, e.trigger) for e in found.events] == [(e.type, e.trigger) for e in asked.events]
    return found.words == asked.words and (same_events or not asked.events)
