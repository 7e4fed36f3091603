"""Extraction from corpora and raw texts of any size, into files where it goes on if it was interrupted."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from eventune.corpora import AUTO, Losses, stream_corpus, write_corpus
from eventune.corpora.raw_text import RawTexts
from eventune.corpora.registry import JSON_LINES, format_named
from eventune.events import Document, Event
from eventune.inference.extractor import Extractor, find_type, no_event_error
from eventune.inference.partial_files import append, begun, extracted_pool, written
from eventune.storage.locks import creating

_logger = logging.getLogger(__name__)
POOL_DOCUMENTS = 256
"""Documents that are sorted by length together."""


@dataclass(frozen=True, kw_only=True)
class Questions(Iterable[Document]):
    """Documents as an extractor takes them.

    Attributes:
        documents: The documents, which can be iterated over again and again.
        extractor: The extractor.
        types: Event types of documents without events, as users name them: each gets an event of each, without a
            trigger.
        are_raw: Whether the documents' types are what a person wrote into a text: words that mean one of the
            ontology's. In a corpus they are names, known to the ontology or not.
    """

    documents: Iterable[Document]
    extractor: Extractor
    types: Sequence[str] = ()
    are_raw: bool = False

    def __iter__(self) -> Iterator[Document]:
        events = [Event(find_type(self.extractor.ontology, name), None) for name in self.types]
        for document in self.documents:
            if not document.events:
                yield document.with_events(events)
            else:
                yield self.extractor.named(document) if self.are_raw else document

    def check(self) -> None:
        """Read all once, so that what is wrong shows before the work begins and not after hours of it.

        Raises:
            EventuneError: If a document is wrong, or none has an event and the extractor does not detect any.
        """
        has_events = False
        uncut = replace(self.documents, is_cut=False) if isinstance(self.documents, RawTexts) else self.documents
        for document in replace(self, documents=uncut):
            has_events |= bool(document.events)
        if not has_events and not self.extractor.detects:
            raise no_event_error("a document")


class Counts(dict[str, int]):
    """How much was done.

    `documents`, `events` and `arguments`; `resumed` documents; documents `without_events` that were given to an
    extractor that finds none; events of `unknown_types`.
    """

    def __init__(self) -> None:
        super().__init__(documents=0, events=0, arguments=0, resumed=0, without_events=0, unknown_types=0)

    def add(self, asked: Sequence[Document], found: Sequence[Document], extractor: Extractor) -> None:
        """Count documents that are done, as they were asked about and as they are written, maybe an event a line."""
        events = [event for document in found for event in document.events]
        self["documents"] += len(asked)
        self["events"] += len(events)
        self["arguments"] += sum(len(event.arguments) for event in events)
        self["unknown_types"] += sum(event.type not in extractor.ontology for event in events)
        if not extractor.detects:
            self["without_events"] += sum(not document.events for document in asked)


def extract_file(
    extractor: Extractor,
    source: Path | Iterable[Document],
    target: Path,
    *,
    format: str = AUTO,
    output_format: str = "jsonl",
    on_documents: Callable[[int], None] = lambda _: None,
    on_batch: Callable[[int, int], None] | None = None,
) -> Counts:
    """Extract from documents of any number into a file; an interrupted extraction goes on where it stopped.

    Documents are written as they are done to files beside the target, which appears at the end. In a format without a
    record a line (brat), and in one with a line an event where events are detected, an interrupted extraction begins
    anew.

    Args:
        extractor: The extractor.
        source: The corpus, or documents that can be iterated over again and again.
        target: The file to write, for brat a folder; must not exist yet.
        format: Format of the corpus.
        output_format: Format of the file.
        on_documents: Called with the number of documents whenever some are done.
        on_batch: Called after each batch of documents that are not done yet, see `Extractor.extract_all`.

    Returns:
        The counts.

    Raises:
        LockedError: If another process is extracting into the same file.
        EventuneError: If the corpus cannot be read, no document has an event and the extractor detects none, the target
            exists, or it cannot be written.
    """
    documents = stream_corpus(source, format) if isinstance(source, Path) else source
    questions = documents if isinstance(documents, Questions) else Questions(documents=documents, extractor=extractor)
    questions.check()
    counts, losses = Counts(), Losses()
    lines = format_named(output_format).layout is JSON_LINES
    with creating(target):
        if lines and (output_format == "jsonl" or not extractor.detects):
            _extract_lines(questions, target, output_format, counts, losses, on_documents, on_batch)
        else:
            found = extracted(questions, counts, on_documents=on_documents, on_batch=on_batch)
            write_corpus(found, target, output_format, losses=losses)
    if losses:
        _logger.warning("%s: %s has no place for all, left out: %s", target, output_format, losses)
    return counts


def extracted(
    questions: Questions,
    counts: Counts,
    *,
    chunk_documents: int = 0,
    on_documents: Callable[[int], None] = lambda _: None,
    on_batch: Callable[[int, int], None] | None = None,
) -> Iterator[Document]:
    """Yield documents with what was found, some at a time.

    Args:
        questions: The documents, with their extractor.
        counts: Takes the counts.
        chunk_documents: How many are extracted together; 0 for `POOL_DOCUMENTS`.
        on_documents: Called with the number of documents whenever some are done.
        on_batch: Called after each batch, see `Extractor.extract_all`.

    Yields:
        The documents, in their order.
    """
    for chunk in _chunks(questions, chunk_documents or POOL_DOCUMENTS):
        found = questions.extractor.extract_all(chunk, on_batch=on_batch)
        counts.add(chunk, found, questions.extractor)
        on_documents(len(chunk))
        yield from found


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
    for chunk in _chunks(documents, POOL_DOCUMENTS):
        yield from zip(chunk, extractor.extract_all([document.with_events(()) for document in chunk]), strict=True)
        if on_documents is not None:
            on_documents(len(chunk))


def _extract_lines(
    questions: Questions,
    target: Path,
    output_format: str,
    counts: Counts,
    losses: Losses,
    on_documents: Callable[[int], None],
    on_batch: Callable[[int, int], None] | None,
) -> None:
    extractor = questions.extractor
    with begun(target, extractor.fingerprint) as (partial, current):
        for pool in _chunks(questions, POOL_DOCUMENTS):
            found = written(partial, pool, output_format)
            if found:
                counts["resumed"] += len(pool)
                on_documents(len(pool))
            else:
                found, resumed = extracted_pool(extractor, pool, current, on_documents, on_batch)
                counts["resumed"] += resumed
                append(partial, found, output_format, losses)
                current.truncate(0)
                current.seek(0)
            counts.add(pool, found, extractor)


def _chunks(documents: Iterable[Document], size: int) -> Iterator[tuple[Document, ...]]:
    stream = iter(documents)
    while chunk := tuple(islice(stream, size)):
        yield chunk
