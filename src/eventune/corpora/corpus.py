"""Reading and writing of whole corpus files."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

from eventune.corpora.fields import shown
from eventune.corpora.identifiers import Identifiers
from eventune.corpora.losses import Losses
from eventune.corpora.records import Record, json_text
from eventune.corpora.registry import AUTO, Format, format_named, format_names, guess_format, layout_of
from eventune.corpora.sources import documents_in
from eventune.corpora.streams import STDIN, Location, place_of
from eventune.errors import EventuneError, InvalidValueError
from eventune.events import Document

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Corpus(Sequence[Document]):
    """The documents of a file.

    Attributes:
        documents: The documents, in the file's order.
        format: Name of the file's format.
        path: The file.
        guessed: Whether the format was guessed from the first record.
    """

    documents: tuple[Document, ...]
    format: str
    path: Path
    guessed: bool = False

    @overload
    def __getitem__(self, index: int) -> Document: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Document, ...]: ...
    def __getitem__(self, index: int | slice) -> Document | tuple[Document, ...]:
        return self.documents[index]

    def __len__(self) -> int:
        return len(self.documents)


@dataclass(frozen=True)
class CorpusStream(Iterable[Document]):
    """The documents of a file that is read anew, and once, each time they are iterated over.

    Documents are given out up to the first that is wrong; what comes behind it is only looked through, so that all that
    is wrong is raised at once.

    Attributes:
        path: The file, or its URL.
        format: Name of its format.
        guessed: Whether the format was guessed from the first record.
    """

    path: Location
    format: str
    guessed: bool = False

    def __iter__(self) -> Iterator[Document]:
        nothing = EventuneError(f"{self.path}: holds no document", "it is empty, or has records of no document")
        return documents_in(self, self.path, id_field=format_named(self.format).id_field, nothing=nothing)

    @property
    def is_read_once(self) -> bool:
        """Whether its records can be read only once."""
        return self.path == STDIN

    def records(self) -> Iterator[Record]:
        """See `Source`."""
        return format_named(self.format).layout.read(self.path)

    def document(self, value: Any) -> Document:
        """See `Source`."""
        return format_named(self.format).read(value)


def stream_corpus(path: str | os.PathLike[str], format: str = AUTO) -> CorpusStream:
    """Open a file whose documents are used one by one, however large it is.

    Args:
        path: The file, its URL, or `-` for standard input, whose format must be named.
        format: Name of its format, or `auto` to guess it from the first record.

    Returns:
        The stream; iterating over it raises EventuneError as `read_corpus` does, in place of the first wrong document.

    Raises:
        EventuneError: If the file cannot be read, or its format is unknown.
    """
    place = place_of(os.fspath(path))
    return CorpusStream(place, _choose(place, format).name, format == AUTO)


def read_corpus(path: str | os.PathLike[str], format: str = AUTO) -> Corpus:
    """Read all documents of a file.

    Args:
        path: The file.
        format: Name of its format, or `auto` to guess it from the first record.

    Returns:
        The corpus.

    Raises:
        EventuneError: If the file cannot be read, is empty, or any of its lines is wrong; all such lines are listed.
    """
    stream = stream_corpus(path, format)
    return Corpus(tuple(stream), stream.format, Path(stream.path), stream.guessed)


def write_corpus(
    documents: Iterable[Document],
    path: str | os.PathLike[str],
    format: str = "jsonl",
    *,
    losses: Losses | None = None,
) -> int:
    """Write documents to a file, or a folder for brat, which is either complete or left as it was.

    Args:
        documents: The documents, taken one by one.
        path: The file; its folder exists. It may be the file that the documents were read from.
        format: Name of the format.
        losses: Takes what the format has no place for. Without it, a warning in the log says what was lost.

    Returns:
        How many documents were written.

    Raises:
        EventuneError: If the format is unknown or cannot hold a document, two documents have one identifier, or the
            file cannot be written.
    """
    path = Path(path)
    chosen = format_named(format)
    found = Losses() if losses is None else losses
    identifiers = Identifiers()

    def values() -> Iterator[Any]:
        for document in documents:
            if not identifiers.add(document.id):
                raise EventuneError(
                    f"{path}: expected documents with identifiers of their own, found {document.id!r} again",
                    "a file with it could not be read back; rename one of them",
                )
            yield from _records(document, chosen, found)

    chosen.layout.write(values(), path)
    if losses is None and found:
        _logger.warning("%s: %s has no place for all, left out: %s", path, chosen.name, found)
    return len(identifiers)


def lines_of(document: Document, format: str = "jsonl", *, losses: Losses | None = None) -> list[str]:
    """Return the lines of a document in a corpus file, without line ends.

    Args:
        document: The document.
        format: Name of a format that has a record a line.
        losses: Takes what the format has no place for.

    Returns:
        One line in most formats; RAMS has one an event.

    Raises:
        EventuneError: If the format is unknown or cannot hold the document.
    """
    return [json_text(value) for value in _records(document, format_named(format), losses)]


def _records(document: Document, chosen: Format, losses: Losses | None) -> list[Any]:
    """Return a document's records, and count what they do not hold."""
    scores = (argument.score for event in document.events for argument in event.arguments)
    if not all(score is None or math.isfinite(score) for score in scores):
        raise EventuneError(
            f"document {document.id!r} cannot be written: expected finite numbers, found a score that is not",
            "a model that gives such scores did not train well: look at its losses",
        )
    try:
        values = list(chosen.write(document))
        # The project's own format loses nothing, and is what most is written in.
        if losses is not None and chosen.name != "jsonl":
            losses.add(document, map(chosen.read, values))
    except InvalidValueError as error:
        raise EventuneError(
            f"document {document.id!r} cannot be written as {chosen.name}: {error.message}", error.hint
        ) from None
    return values


def _choose(path: Location, name: str) -> Format:
    """Return the named format, or the one that the first readable record looks like."""
    if name != AUTO:
        return format_named(name)
    if path == STDIN:
        raise EventuneError("standard input: expected the name of its format, found none", "give --format NAME")
    for record in layout_of(path).read(path):
        if isinstance(record.value, InvalidValueError):
            continue
        guess = guess_format(record.value, path)
        if guess is None:
            fields = ", ".join(map(repr, list(record.value)[:8])) if isinstance(record.value, dict) else ""
            found = fields or shown(record.value)
            raise EventuneError(
                f"{record.place}: expected a record of a known format ({', '.join(format_names())}), found {found}",
                "name the format with --format, or convert the file",
            )
        _logger.info("%s: format: %s (guessed)", path, guess.name)
        return guess
    # Nothing to guess from: the file is empty, or no line of it is JSON, which reading it as any format will say.
    layout = layout_of(path)
    return next(known for known in map(format_named, format_names()) if known.layout is layout)
