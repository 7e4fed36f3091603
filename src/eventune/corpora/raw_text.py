"""Raw text: a string, `.txt` files, or one field of JSON records.

A text may have its triggers marked (`Gunmen [[shot|attack]] three soldiers.`): its events are those that are marked. A
text without marks has no events. All offsets count characters of the text as it came, line ends included; only the
marks and a byte order mark are taken out.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePath
from typing import Any

from eventune.corpora.corpus import CorpusStream, stream_corpus
from eventune.corpora.fields import beyond, mapping, member
from eventune.corpora.files import decode
from eventune.corpora.plain_text import text_lines
from eventune.corpora.records import Record, read_json_records
from eventune.corpora.registry import AUTO, guess_format
from eventune.corpora.related_spans import text_of
from eventune.corpora.sources import documents_in
from eventune.corpora.streams import PACKED_SUFFIXES, STDIN, Location, check_place, opened, place_of, suffix_of
from eventune.corpora.text_segmentation import check_language, segment_text
from eventune.errors import EventuneError, InvalidValueError
from eventune.events import Document, markup
from eventune.storage.paths import files_below, is_folder

TEXT_FIELD = "text"
TEXT_SUFFIX = ".txt"
_ANNOTATED = frozenset({"tokens", "sentences", "events", "entities", "label", "annotations"})


def document_of(text: str, *, id: str = "text", language: str = AUTO) -> Document:
    """Make a document of a text; triggers that are marked in it are its events.

    Args:
        text: The text, with or without marks.
        id: Identifier of the document.
        language: ISO 639 code of its language, or `auto`.

    Returns:
        The document.

    Raises:
        EventuneError: If a mark is not complete, or the text is not Unicode.
    """
    check_language(language)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidValueError("text", "Unicode", f"{text[error.start]!r} at position {error.start + 1}") from None
    return markup.read_marks(text, id=id, segmentation=partial(segment_text, language=language))


def parse_marked_text(text: str, *, id: str = "text", language: str = AUTO) -> Document:
    """Read a text in which each trigger stands as `[[words|event type]]`.

    Args:
        text: The marked text.
        id: Identifier of the document.
        language: ISO 639 code of its language, or `auto`.

    Returns:
        The document without marks, with one event a mark, its trigger the tokens that the mark touches.

    Raises:
        EventuneError: If no trigger is marked, or a mark is not complete.
    """
    return markup.parse_marked_text(text, id=id, segmentation=partial(segment_text, language=language))


@dataclass(frozen=True)
class RawTexts(Iterable[Document]):
    """Raw texts, read anew each time they are iterated over.

    Attributes:
        source: A `.txt` file, a folder of them, a file of JSON records, a URL of either, or `-` for standard input.
        text_field: The field of JSON records that holds the text; empty for plain text.
        language: ISO 639 code of their language, or `auto`.
        a_line_each: Whether each line of a `.txt` file that is not blank is a text of its own.
        content: The text, where it is known already.
        label: What tells the file's texts from those of the others that are read with it: its path below the folder.
    """

    source: str
    text_field: str = ""
    language: str = AUTO
    a_line_each: bool = False
    content: str = ""
    label: str = ""

    def __iter__(self) -> Iterator[Document]:
        nothing = EventuneError(f"{self.source}: holds no text", "it is empty, or has no record")
        return documents_in(self, Path(self.source), nothing=nothing)

    @property
    def is_one_text(self) -> bool:
        """Whether there is exactly one text, by what the source is."""
        return not self.text_field and not self.a_line_each and not is_folder(self.source)

    @property
    def is_read_once(self) -> bool:
        """Whether its records can be read only once."""
        return self.source == STDIN and bool(self.text_field)

    def records(self) -> Iterator[Record]:
        """See `Source`."""
        place = place_of(self.source)
        if self.text_field:
            for number, record in enumerate(read_json_records(place), 1):
                yield _numbered(record, f"{self.label}:{number}" if self.label else number)
        elif self.content:
            name = "standard input" if place == STDIN else self.source
            yield Record(name, {"id": "text", "text": self.content})
        elif self.a_line_each:
            yield from text_lines(place)
        elif is_folder(place):
            yield from _folder(Path(place))
        else:
            yield _text(place, self.label or PurePath(place).name)

    def document(self, value: Any) -> Document:
        """See `Source`."""
        record = mapping(value, "record")
        field = self.text_field or TEXT_FIELD
        document = document_of(member(record, field, ""), id=text_of(record.get("id"), "id"), language=self.language)
        return replace(document, metadata=beyond(record, {"id", field}))


def open_texts(
    source: str | os.PathLike[str],
    *,
    format: str = AUTO,
    text_field: str = "",
    language: str = AUTO,
    label: str = "",
) -> RawTexts | CorpusStream:
    """Open raw texts or a corpus, whatever there is.

    Args:
        source: A corpus in a known format, a `.txt` file, a folder of them, JSON records or Parquet rows with a text in
            one of their fields, a URL of any file, or `-` for standard input: one text, with `text_field` or `format`
            JSON lines, which can be read only once.
        format: Name of the corpus's format, or `auto`.
        text_field: The field that holds the text; records are then raw text, whatever else is in them.
        language: See `RawTexts`; of no matter to a corpus with tokens of its own.
        label: See `RawTexts`.

    Returns:
        The documents, read anew each time they are iterated over.

    Raises:
        EventuneError: If there is nothing at that place, or nothing that is known.
    """
    check_language(language)
    name = os.fspath(source)
    place = place_of(name)
    raw = RawTexts(name, language=language, label=label)
    if is_folder(place):
        return stream_corpus(place, format) if format != AUTO or holds_brat(Path(place)) else raw
    check_place(place)
    if text_field:
        return replace(raw, text_field=text_field)
    if format != AUTO:
        return stream_corpus(place, format)
    if place == STDIN:
        return replace(raw, content=_standard_input())
    if suffix_of(place) == TEXT_SUFFIX:
        return raw
    return replace(raw, text_field=TEXT_FIELD) if _holds_raw_text(place) else stream_corpus(place, format)


def holds_brat(folder: Path) -> bool:
    """Tell whether a folder has annotations in brat's standoff."""
    return next(files_below(folder, ".ann"), None) is not None


def _standard_input() -> str:
    try:
        with opened(STDIN) as stream:
            text = decode(stream.file.read()).removeprefix("\ufeff")
    except InvalidValueError as error:
        raise EventuneError(f"standard input: {error.message}", error.hint) from None
    if not text.strip():
        hint = f'e.g. echo "Gunmen shot three soldiers." | eventune extract RUN {STDIN}'
        raise EventuneError("standard input: expected a text, found nothing", hint)
    return text


def open_event_free(path: str | os.PathLike[str], *, format: str = AUTO) -> Iterable[Document]:
    """Open text in which events are sought that are not there.

    Args:
        path: Plain text (`.txt`), a sentence or a document a line; or a corpus, of which the sentences without events
            count.
        format: Name of the corpus's format, or `auto`.

    Returns:
        The documents, read anew each time they are iterated over.

    Raises:
        EventuneError: As `open_texts` does.
    """
    place = place_of(os.fspath(path))
    if suffix_of(place) != TEXT_SUFFIX:
        return open_texts(path, format=format)
    check_place(place)
    return RawTexts(os.fspath(path), a_line_each=True)


def _holds_raw_text(place: Location) -> bool:
    """Tell whether the first record has a text and no annotation that a known format would read."""
    first = next(read_json_records(place), None)
    value = None if first is None else first.value
    if not isinstance(value, dict) or not isinstance(value.get(TEXT_FIELD), str) or value.keys() & _ANNOTATED:
        return False
    guess = guess_format(value, place)
    return guess is None or guess.name == "jsonl"


def _numbered(record: Record, number: int | str) -> Record:
    """Give a record without an identifier its number."""
    if isinstance(record.value, dict) and "id" not in record.value:
        return replace(record, value={"id": number, **record.value})
    return record


def _folder(folder: Path) -> Iterator[Record]:
    files = sorted(files_below(folder, TEXT_SUFFIX))
    if not files:
        raise EventuneError(f"{folder}: expected .txt files, or brat's .ann files, in the folder, found none")
    for file in files:
        yield _text(file, file.relative_to(folder).as_posix())


def _text(place: Location, name: str) -> Record:
    """Return a file that is one text, identified by its name without its suffixes."""
    value: Any
    try:
        with opened(place) as stream:
            text = decode(stream.file.read()).removeprefix("\ufeff")
        packing = next((suffix for suffix in PACKED_SUFFIXES if name.endswith(suffix)), "")
        value = {"id": name.removesuffix(packing).removesuffix(TEXT_SUFFIX), "text": text}
    except InvalidValueError as error:
        value = error
    except EventuneError as error:
        value = InvalidValueError("file", "one that can be read", error.message)
    return Record(str(place), value)
