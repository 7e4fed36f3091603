"""Extraction from corpora and raw texts of any size, into files where it goes on if it was interrupted."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from eventune.corpora import Losses, write_corpus
from eventune.corpora.files import Problems
from eventune.corpora.identifiers import Identifiers
from eventune.corpora.inputs import Inputs
from eventune.corpora.jsonl import read_document
from eventune.corpora.parquet import PARQUET, write_rows
from eventune.corpora.sources import repeated
from eventune.errors import EventuneError
from eventune.events import Document
from eventune.inference.extractor import Extractor, no_event_error
from eventune.inference.partial_files import Kept, extracting
from eventune.inference.pools import Crew, Entry, Pool, PoolExtractor, ReadPool, pools_of
from eventune.inference.questions import Counts

_logger = logging.getLogger(__name__)
OWN = "jsonl"
"""The format that documents are kept in until all are done."""

OnDocuments = Callable[[int, int | None], None]
"""Hears how many documents are done, and of how many as far as that can be told."""


def extract_file(
    crew: Crew,
    inputs: Inputs,
    target: Path,
    *,
    output_format: str = OWN,
    on_documents: OnDocuments = lambda *_: None,
) -> tuple[Counts, Counter[str]]:
    """Extract from documents of any number into a file; an interrupted extraction goes on where it stopped.

    The documents are read once, and written as they are done to a file beside the target, which appears at the end; see
    `partial_files`. Records that cannot be read are listed in a file of their own, `unreadable_file`.

    Args:
        crew: Who extracts; how many there are makes no difference to what is written.
        inputs: The documents.
        target: The file to write, for brat a folder; must not exist yet.
        output_format: One of `corpora.output_formats`.
        on_documents: Hears of progress.

    Returns:
        The counts, and what was wrong with a causal LM's answers, by kind.

    Raises:
        LockedError: If another process is extracting into the same file.
        EventuneError: If nothing can be read, no document has an event and the extractor detects none, the target
            exists, cannot be written, or was begun from other documents.
    """
    answers: Counter[str] = Counter()
    with extracting(target):
        kept = Kept(target, _key_of(crew, inputs))
        with kept.opened():
            if not kept.is_complete:
                _extract(crew, inputs, kept, answers, on_documents)
                kept.complete()
        kept.put_unread_in_place()
        _put_in_place(kept, output_format)
        kept.discard()
    return kept.counts, answers


def _key_of(crew: Crew, inputs: Inputs) -> str:
    """Return twelve hexadecimal digits that no other extractor has, nor one that reads the inputs in another way."""
    own = repr((crew.facts.key, inputs.format, inputs.text_field, inputs.language))
    return hashlib.sha256(own.encode(errors="surrogateescape")).hexdigest()[:12]


def _extract(crew: Crew, inputs: Inputs, kept: Kept, answers: Counter[str], on_documents: OnDocuments) -> None:
    """Extract from all pools that are not done."""
    counts, identifiers = kept.counts, _identifiers(kept.partial)
    counts["resumed"] = counts["documents"] + counts["unreadable"]
    problems = Problems(_name_of(inputs))
    on_documents(counts["resumed"], None)
    pools = _without(pools_of(inputs.items(), crew.facts.pool_documents), kept)
    for result in crew.results(pools):
        lines: list[str] = []
        unread: list[dict[str, Any]] = []
        for entry in result.entries:
            error = _error_of(entry, identifiers)
            if error is None:
                lines.append(entry.line)
                counts.add(entry.counts)
            else:
                problems.add(entry.place, error)
                unread.append({"place": entry.place, "reason": error.message, "hint": error.hint})
                counts["unreadable"] += 1
        kept.append(result.pool.digest, lines, unread)
        answers.update(result.answers)
        done = counts["documents"] + counts["unreadable"]
        read = result.pool.position / inputs.bytes_in_all if inputs.bytes_in_all else 0.0
        on_documents(done, max(done, round(done / read)) if read else None)
    if error := _why_idle(counts, inputs, detects=crew.facts.detects):
        kept.abandon()
        problems.raise_if_any()
        raise error


def _error_of(entry: Entry, identifiers: Identifiers) -> EventuneError | None:
    """Return why a record is not written."""
    if entry.error is not None or identifiers.add(entry.identifier):
        return entry.error
    return repeated(entry.identifier)


def _why_idle(counts: Counts, inputs: Inputs, *, detects: bool) -> EventuneError | None:
    """Return why nothing could be done with all documents of some inputs; None where something could."""
    if not counts["documents"]:
        return EventuneError(f"{_name_of(inputs)}: expected a document, found none", "it is empty, or has no record")
    if counts["without_events"] == counts["documents"] and not detects:
        return no_event_error("a document")
    return None


def _without(pools: Iterator[Pool], kept: Kept) -> Iterator[Pool]:
    """Pass over the pools that are done, and give the others."""
    for digest in list(kept.pools):
        pool = next(pools, None)
        if pool is None or pool.digest != digest:
            raise EventuneError(
                f"{kept.partial}: expected what an interrupted extraction from the same documents wrote, found one "
                f"from others",
                "remove it, or choose another output file",
            )
    yield from pools


def _identifiers(partial: Path) -> Identifiers:
    """Return the identifiers of the documents that are done."""
    identifiers = Identifiers()
    with partial.open(encoding="utf-8") as file:
        for line in file:
            # The first field; what follows need not be parsed.
            identifiers.add(json.JSONDecoder().raw_decode(line, line.index(":") + 2)[0])
    return identifiers


def _put_in_place(kept: Kept, output_format: str) -> None:
    """Make the target of the documents that are kept."""
    if output_format == OWN:
        kept.partial.replace(kept.target)
        return
    with kept.partial.open("rb") as file:
        records = map(json.loads, file)
        if output_format == PARQUET:
            write_rows(records, kept.target)
            return
        losses = Losses()
        write_corpus(map(read_document, records), kept.target, output_format, losses=losses)
    if losses:
        _logger.warning("%s: %s has no place for all, left out: %s", kept.target, output_format, losses)


def extracted(crew: PoolExtractor, inputs: Inputs, counts: Counts, *, pool_documents: int) -> Iterator[Entry]:
    """Yield what is found, as it is found, where somebody waits for the first.

    All records are read before anything is extracted, so that what is wrong shows before the work begins and not after
    hours of it. Records that can be read only once are extracted from up to the first pool in which one is wrong; that
    none of them has an event shows at their end.

    Args:
        crew: Who extracts.
        inputs: The documents.
        counts: Takes the counts.
        pool_documents: How many are extracted together.

    Yields:
        The documents with what was found in them, in their order.

    Raises:
        EventuneError: If a record is wrong, all that are wrong at once; if there is none, or no document has an event
            and the extractor detects none.
    """
    # What was read last time need not be read again.
    checked = [] if inputs.is_read_once else [_checked(crew, inputs, pool_documents)]
    pools = islice(pools_of(inputs.items(), pool_documents), len(checked), None)
    problems, identifiers = Problems(_name_of(inputs)), Identifiers()
    for read in chain(checked, map(crew.read, pools)):
        _note(read, identifiers, problems)
        if not problems:
            for entry in crew.found(read).entries:
                counts.add(entry.counts)
                yield entry
    problems.raise_if_any()
    if error := _why_idle(counts, inputs, detects=crew.extractor.detects):
        raise error


def _checked(crew: PoolExtractor, inputs: Inputs, pool_documents: int) -> ReadPool:
    """Read all pools, and return the first of them, if nothing is wrong."""
    problems, identifiers, counts = Problems(_name_of(inputs)), Identifiers(), Counts()
    first: ReadPool | None = None
    for read in map(crew.read, pools_of(inputs.items(), pool_documents)):
        _note(read, identifiers, problems)
        counts["documents"] += len(read.documents)
        counts["without_events"] += sum(not document.events for document in read.documents.values())
        first = first or read
    problems.raise_if_any()
    if error := _why_idle(counts, inputs, detects=crew.extractor.detects):
        raise error
    assert first is not None
    return first


def _note(read: ReadPool, identifiers: Identifiers, problems: Problems) -> None:
    """Note what is wrong in a pool."""
    for entry in read.entries:
        if error := _error_of(entry, identifiers):
            problems.add(entry.place, error)


def _name_of(inputs: Inputs) -> str:
    return inputs.files[0].name if len(inputs.files) == 1 else f"{len(inputs.files)} inputs"


def extracted_anew(
    extractor: Extractor, documents: Iterable[Document], *, on_documents: Callable[[int], None] | None = None
) -> Iterator[tuple[Document, Document]]:
    """Yield documents, each with the same document as it is found without knowing its events.

    Args:
        extractor: An extractor that detects events.
        documents: The documents.
        on_documents: Called with the number of documents after each chunk.

    Yields:
        The document, and what was found in it.
    """
    for chunk in _chunks(documents, extractor.pool_documents):
        yield from zip(chunk, extractor.extract_all([document.with_events(()) for document in chunk]), strict=True)
        if on_documents is not None:
            on_documents(len(chunk))


def _chunks(documents: Iterable[Document], size: int) -> Iterator[Sequence[Document]]:
    stream = iter(documents)
    while chunk := tuple(islice(stream, size)):
        yield chunk
