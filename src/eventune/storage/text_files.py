"""Whole files as they come from anywhere."""

from __future__ import annotations

from pathlib import Path

from eventune.errors import EventuneError
from eventune.storage.paths import check_is_file, reason_of

MOST_BYTES = 256 * 2**20
"""A file that is read as a whole and is larger holds something else than settings."""


def read_bytes(path: Path) -> bytes:
    """Read a file.

    Raises:
        EventuneError: If it is not there, cannot be read, or is far too large to be what a program or a person wrote.
    """
    check_is_file(path)
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise EventuneError(f"{path}: expected {MOST_BYTES:,} bytes at the most, found {size:,}")
        return path.read_bytes()
    except OSError as error:
        raise EventuneError(f"{path}: cannot be read: {reason_of(error)}") from None


def read_text(path: Path) -> str:
    """Read a text.

    Args:
        path: The file, in UTF-8; a byte order mark is left out.

    Raises:
        EventuneError: If the file cannot be read or is no UTF-8; it says where.
    """
    content = read_bytes(path)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte 0x{content[error.start]:02x} at position {error.start + 1}"
        raise EventuneError(f"{path}: expected UTF-8, found {found}", "convert the file to UTF-8") from None


def is_unicode(text: str) -> bool:
    """Tell whether a text can be written as UTF-8: half of a surrogate pair, which JSON and YAML can spell, cannot."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
