"""Records of JSON files, one after the other: a value a line, or the elements of one array."""

from __future__ import annotations

import codecs
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from eventune.corpora.encoding import HEAD_BYTES, refuse_binary
from eventune.corpora.files import ENCODING, decode
from eventune.corpora.parquet import MAGIC, read_rows
from eventune.corpora.streams import STDIN, Location, Stream, opened
from eventune.errors import EventuneError, InvalidValueError
from eventune.storage.atomic import write_atomically

_CHUNK_BYTES = 1 << 20
_HINT = "create its folder, or choose another place"


@dataclass(frozen=True, slots=True)
class Record:
    """What a file holds of one document.

    Attributes:
        place: Where it stands, for messages: the file with the line, `dev.jsonl:12`.
        value: The record as JSON values, or what is wrong with it.
        position: How many bytes of the file are read with it, about; 0 where that cannot be told.
    """

    place: str
    value: Any
    position: int = 0


@dataclass(frozen=True, slots=True)
class Layout:
    """How records lie in a file or a folder.

    Attributes:
        takes: Tells whether something at a path may have this layout.
        read: Yields the records, the broken ones included; raises EventuneError if nothing can be read.
        write: Writes records in order; the target is complete or as it was. Raises EventuneError.
    """

    takes: Callable[[Location], bool]
    read: Callable[[Location], Iterator[Record]]
    write: Callable[[Iterable[Any], Path], None]


def read_json_records(place: Location) -> Iterator[Record]:
    """Yield the JSON value of each line that is not blank, each element of an array, or each row of a Parquet file.

    An array is read piece by piece, so that its size does not matter; so is a file of lines. Lines may be arrays
    themselves: those that follow one another without a comma, or begin with a string, are a record each (DocEE).

    Args:
        place: A file in UTF-8, maybe packed (a byte order mark is ignored), or in Parquet.

    Yields:
        The records.

    Raises:
        EventuneError: If the file cannot be opened, or its packing is damaged.
    """
    with opened(place) as stream:
        head = stream.file.peek(HEAD_BYTES)
        if head.startswith(MAGIC):
            yield from _rows(place, stream)
            return
        try:
            refuse_binary(head)
            yield from _elements(place, stream) if _is_array(head) else _lines(place, stream)
        except InvalidValueError as error:
            raise EventuneError(f"{place}: expected {error.expected}, found {error.found}", error.hint) from None


def write_json_lines(values: Iterable[Any], path: Path) -> None:
    """Write one JSON value a line."""
    write_atomically(path, (json_text(value) + "\n" for value in values), hint=_HINT)


def write_json_array(values: Iterable[Any], path: Path) -> None:
    """Write one array, an element a line."""

    def pieces() -> Iterator[str]:
        opening = "[\n"
        for value in values:
            yield opening + json_text(value)
            opening = ",\n"
        yield "[]\n" if opening == "[\n" else "\n]\n"

    write_atomically(path, pieces(), hint=_HINT)


def json_text(value: Any) -> str:
    """Return a value as JSON in one line; raises InvalidValueError if a number in it is not finite."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        raise InvalidValueError("record", "finite numbers", "one that is not") from None


def _is_array(head: bytes) -> bool:
    """Tell whether a file holds one array, and not a line of its own for each record that is one (DocEE)."""
    first, _, rest = head.removeprefix(codecs.BOM_UTF8).lstrip().partition(b"\n")
    if not first.startswith(b"["):
        return False
    # No record is a string; and a first line may be longer than what is seen of it.
    begins_record = first[1:].lstrip().startswith(b'"')
    return not (begins_record or (first.rstrip().endswith(b"]") and rest.lstrip().startswith(b"[")))


def _rows(place: Location, stream: Stream) -> Iterator[Record]:
    if place == STDIN:
        raise EventuneError("standard input: expected JSON lines, found Parquet", "save it to a file first")
    stored = stream.stored
    size = stored.seek(0, io.SEEK_END)
    stored.seek(0)
    for number, (value, share) in enumerate(read_rows(stored, str(place)), 1):
        yield Record(f"{place}:{number}", value, int(share * size))


def _lines(place: Location, stream: Stream) -> Iterator[Record]:
    # Bytes, because a text file would stop at the first byte that is not UTF-8 and not say in which line.
    is_hinted = False
    for number, line in enumerate(stream.file, 1):
        content = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
        if not content.strip():
            continue
        value = _line(content, is_whole=False)
        if not is_hinted and isinstance(value, InvalidValueError) and value.field == ENCODING:
            # What follows makes the guess at the encoding better; the other lines' is the same.
            is_hinted = True
            value = _line(content + stream.file.peek(HEAD_BYTES), is_whole=True)
        yield Record(f"{place}:{number}", value, stream.position)


def _line(content: bytes, *, is_whole: bool) -> Any:
    try:
        return line_value(decode(content, is_whole=is_whole).rstrip())
    except json.JSONDecodeError as error:
        return InvalidValueError("line", "one JSON object", f"broken JSON: {error.msg} (character {error.pos + 1})")
    except InvalidValueError as error:
        return error


def line_value(text: str) -> Any:
    """Return the JSON value that a line is.

    Raises:
        json.JSONDecodeError: If it is no JSON, or there is something behind it.
        InvalidValueError: As for `value_at`, and if it holds what is no text.
    """
    value, end = value_at(text, len(text) - len(text.lstrip()))
    if isinstance(value, InvalidValueError):
        raise value
    if end < len(text):
        raise json.JSONDecodeError("Extra data", text, end)
    return value


def value_at(text: str, start: int) -> tuple[Any, int]:
    """Parse the value at a position.

    Args:
        text: JSON, with or without more behind the value.
        start: Where the value begins.

    Returns:
        The value, or an InvalidValueError if it holds what is no text, and the position behind it.

    Raises:
        json.JSONDecodeError: If it is no JSON.
        InvalidValueError: If it is nested too deeply, or holds a number that is not finite.
    """
    try:
        value, end = _DECODER.raw_decode(text, start)
    except json.JSONDecodeError:
        raise
    except ValueError:
        raise InvalidValueError("record", "numbers of at most 4300 digits", "a longer one") from None
    except RecursionError:
        raise InvalidValueError("record", "a record of a document", "JSON that is nested too deeply") from None
    if "\\u" in text[start:end]:
        return half_pair_in(value, "record") or value, end
    return value, end


def half_pair_in(value: Any, where: str) -> InvalidValueError | None:
    """Return the error of a JSON value with half of an emoji's escape, which no tokenizer takes and no file can hold.

    Args:
        value: The value.
        where: What it is, for the error.

    Returns:
        The error; None where all in it is text.
    """
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        found = f"half a surrogate pair (\\u{ord(error.object[error.start]):04x})"
        return InvalidValueError(where, "Unicode text", found)
    return None


def _refuse_constant(name: str) -> None:
    raise InvalidValueError("record", "JSON, which has finite numbers only", name)


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise InvalidValueError("record", "finite numbers", digits[:20])
    return number


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)


def _elements(place: Location, stream: Stream) -> Iterator[Record]:
    text = _TextWindow(stream.file)
    try:
        text.skip("[")
        while not text.at("]"):
            text.rest()
            line = text.line
            yield Record(f"{place}:{line}", text.take_value(), stream.position)
            if text.at(","):
                text.skip(",")
            elif not text.at("]"):
                found = repr(text.rest()) if text.rest() else "the end of the file"
                raise InvalidValueError("array", "a comma between elements, or its end", found)
        text.skip("]")
        if text.rest():
            raise InvalidValueError("file", "one array and nothing behind it", repr(text.rest()))
    except json.JSONDecodeError as error:
        # What follows a broken element cannot be told from it.
        found = f"broken JSON: {error.msg} (character {error.pos + 1} of the element)"
        yield Record(f"{place}:{text.line}", InvalidValueError("element", "a JSON value", found))
    except InvalidValueError as error:
        yield Record(f"{place}:{text.line}", error)


class _TextWindow:
    """The part of a text file around a position that only moves on."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._position = 0
        self._done = False
        self.line = 1

    def at(self, character: str) -> bool:
        """Tell whether a character comes next, white space aside."""
        return self.rest()[:1] == character

    def skip(self, character: str) -> None:
        """Move behind a character that comes next."""
        self.rest()
        self._move(self._position + len(character))

    def rest(self) -> str:
        """Move to the next character that is no white space, and return the next one; empty at the end."""
        while True:
            while self._text[self._position : self._position + 1].isspace():
                self._move(self._position + 1)
            if self._position < len(self._text) or self._done:
                return self._text[self._position : self._position + 1]
            self._fill(_CHUNK_BYTES)

    def take_value(self) -> Any:
        """Return the JSON value that comes next, and move behind it."""
        self.rest()
        size = _CHUNK_BYTES
        while True:
            try:
                value, end = value_at(self._text, self._position)
            except json.JSONDecodeError as error:
                if self._done:
                    raise json.JSONDecodeError(error.msg, "", error.pos - self._position) from None
            else:
                # A number at the window's end may go on behind it, also where the end is `4.` or `4e`.
                if self._done or self._text[end : end + 1].strip(".eE+-"):
                    self._move(end)
                    return value
            self._fill(size)
            size *= 2

    def _fill(self, size: int) -> None:
        content = self._file.read(size)
        self._done = len(content) < size
        try:
            text = self._decoder.decode(content, final=self._done)
        except UnicodeDecodeError:
            self._done = True
            decode(content)
            raise InvalidValueError("encoding", "UTF-8", "a character that is cut off") from None
        self._text = self._text[self._position :] + text
        self._position = 0

    def _move(self, position: int) -> None:
        self.line += self._text.count("\n", self._position, position)
        self._position = position
