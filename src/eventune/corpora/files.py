"""What all readers of corpora share: texts in UTF-8, and what is wrong in a file's records."""

from __future__ import annotations

from pathlib import Path

from eventune.corpora.encoding import encoding_hint
from eventune.errors import EventuneError, InvalidValueError

ENCODING = "encoding"
"""What errors of `decode` are about."""
_CONTEXT_BYTES = 200
SHOWN_PROBLEMS = 20
"""So many problems of a file are listed; the others are counted."""


def decode(content: bytes, *, is_whole: bool = True) -> str:
    """Decode UTF-8.

    Args:
        content: The bytes.
        is_whole: Whether they are a file, or enough of one to guess at its encoding.

    Returns:
        The text.

    Raises:
        InvalidValueError: If the bytes are something else; the error, of the field `ENCODING`, names the first one that
            is, and its hint says what they may be.
    """
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        found = f"byte 0x{content[error.start]:02x} at position {error.start + 1}"
        start = max(content.rfind(b"\n", 0, error.start) + 1, error.start - _CONTEXT_BYTES)
        hint = encoding_hint(content[start:]) if is_whole else ""
        raise InvalidValueError(ENCODING, "UTF-8", found, hint) from None


class Problems:
    """The problems of a file, collected so that all are reported at once."""

    def __init__(self, path: Path | str) -> None:
        self._path = path
        self._shown: list[str] = []
        self._count = 0

    def add(self, place: int | str, error: EventuneError) -> None:
        """Note what is wrong in a line, or in another place with the file's name."""
        self._count += 1
        if len(self._shown) < SHOWN_PROBLEMS:
            hint = f" ({error.hint})" if error.hint else ""
            where = f"{self._path}:{place}" if isinstance(place, int) else place
            self._shown.append(f"{where}: {error.message}{hint}")

    def __bool__(self) -> bool:
        return self._count > 0

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
