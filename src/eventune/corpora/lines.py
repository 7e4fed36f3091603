"""Lines of JSON in a file, numbered, with what is wrong in them."""

from __future__ import annotations

import codecs
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eventune.corpora.fields import mapping
from eventune.errors import EventuneError, InvalidValueError

SHOWN_PROBLEMS = 20
"""So many problems of a file are listed; the others are counted."""


def check_is_file(path: Path) -> None:
    """Make sure that there is a file to read.

    Args:
        path: The file.

    Raises:
        EventuneError: If there is none, or it is a folder or a pipe.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise EventuneError(
            f"{path}: no such file", "check the path; relative ones start from the current folder"
        ) from None
    except OSError as error:
        raise EventuneError(f"{path}: cannot be read: {error.strerror}") from None
    if stat.S_ISDIR(mode):
        raise EventuneError(f"{path}: expected a file, found a folder", "name one of the files in it")
    if not stat.S_ISREG(mode):
        # A format is guessed and a file is checked before its documents are read, which takes it from the start again.
        raise EventuneError(f"{path}: expected a file, found a pipe or a device", "save its content to a file first")


def decode(content: bytes) -> str:
    """Decode UTF-8.

    Args:
        content: The bytes.

    Returns:
        The text.

    Raises:
        InvalidValueError: If the bytes are something else; the error names the first one that is.
    """
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        found = f"byte 0x{content[error.start]:02x} at position {error.start + 1}"
        hint = "convert the file, e.g. with: iconv -f GB18030 -t UTF-8"
        raise InvalidValueError("encoding", "UTF-8", found, hint) from None


def numbered_records(path: Path) -> Iterator[tuple[int, dict[str, Any] | InvalidValueError]]:
    """Yield the JSON object of each line that is not blank, or what is wrong with the line.

    Args:
        path: A file in UTF-8; a byte order mark is ignored.

    Yields:
        Number of the line, from one, with its object or its error.

    Raises:
        EventuneError: If the file cannot be opened.
    """
    check_is_file(path)
    try:
        # Bytes, because a text file would stop at the first byte that is not UTF-8 and not say in which line.
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                content = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
                if content.strip():
                    yield number, _record(content)
    except OSError as error:
        raise EventuneError(f"{path}: cannot be read: {error.strerror}") from None


def _record(content: bytes) -> dict[str, Any] | InvalidValueError:
    try:
        text = decode(content)
        value = json.loads(text, parse_constant=_refuse_constant)
        if "\\u" in text:
            _refuse_surrogates(value)
        return mapping(value, "line")
    except json.JSONDecodeError as error:
        return InvalidValueError("line", "one JSON object", f"broken JSON: {error.msg} (character {error.pos + 1})")
    except RecursionError:
        return InvalidValueError("line", "a record of a document", "JSON that is nested too deeply")
    except InvalidValueError as error:
        return error


def _refuse_constant(name: str) -> None:
    raise InvalidValueError("line", "JSON, which has finite numbers only", name)


def _refuse_surrogates(value: Any) -> None:
    # Half of an emoji's escape is valid JSON but no text: no tokenizer takes it and no file can hold it.
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        found = f"half a surrogate pair (\\u{ord(error.object[error.start]):04x})"
        raise InvalidValueError("line", "Unicode text", found) from None


class Problems:
    """The problems of a file, collected so that all are reported at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._shown: list[str] = []
        self._count = 0

    def add(self, line: int, error: InvalidValueError) -> None:
        """Note what is wrong in a line."""
        self._count += 1
        if len(self._shown) < SHOWN_PROBLEMS:
            hint = f" ({error.hint})" if error.hint else ""
            self._shown.append(f"{self._path}:{line}: {error.message}{hint}")

    def raise_if_any(self) -> None:
        """Report what was noted.

        Raises:
            EventuneError: If anything was; it lists the first problems and counts the others.
        """
        if not self._count:
            return
        more = self._count - len(self._shown)
        head = [f"{self._path}: {self._count} bad lines"] if self._count > 1 else []
        tail = [f"… and {more} more"] if more else []
        raise EventuneError(
            "\n".join([*head, *self._shown, *tail]), "mend what is listed and try again; nothing was read"
        )
