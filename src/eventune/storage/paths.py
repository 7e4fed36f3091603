"""What stands at a path that came from anywhere: one that is too long or holds NUL is nobody's, and raises nothing."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from eventune.errors import EventuneError

_RELATIVE = "check the path; relative ones start from the current folder"
_SHOWN = 400
"""Characters of a path that an error shows."""
_LONGEST_NAME = 255
"""Bytes of a name that file systems take."""
_LONGEST_ENDING = 48
"""Bytes of what names of files beside another have more than that one's."""


def is_file(path: Path | str) -> bool:
    """Tell whether a path leads to a file."""
    return stat.S_ISREG(_mode(path))


def is_folder(path: Path | str) -> bool:
    """Tell whether a path leads to a folder."""
    return stat.S_ISDIR(_mode(path))


def exists(path: Path | str) -> bool:
    """Tell whether a path leads to anything."""
    return _mode(path) != 0


def files_below(folder: Path, suffix: str) -> Iterator[Path]:
    """Yield the files in a folder and below whose names end so; a folder that cannot be read is passed over."""
    for place, _, names in os.walk(folder):
        yield from (Path(place) / name for name in names if name.endswith(suffix))


def expanded(path: Path | str) -> Path:
    """Return a path with `~` as the home folder; one of a user who does not exist stays as it is."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def stem_beside(path: Path) -> str:
    """Return what the names of files that belong to another, and lie beside it, begin with.

    Args:
        path: The other file, or a folder.

    Returns:
        Its name; of one that leaves no room for an ending the beginning, and a hash that tells it from others. One
        that no file can have stays, so that the first file beside it is refused.
    """
    name = os.fsencode(path.name)
    room = _LONGEST_NAME - _LONGEST_ENDING
    if not room < len(name) <= _LONGEST_NAME:
        return path.name
    digest = hashlib.sha256(name).hexdigest()[:8]
    return f"{name[: room - len(digest) - 1].decode(errors='ignore')}-{digest}"


def shown(path: Path | str) -> str:
    """Return a path as an error shows it, however long it is."""
    text = str(path)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN // 2]}…{text[-_SHOWN // 2 :]}"


def check_is_file(path: Path) -> None:
    """Make sure that there is a file to read.

    Args:
        path: The file.

    Raises:
        EventuneError: If there is none, it is a folder or a pipe, or nothing can have such a name.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise EventuneError(f"{path}: no such file", _RELATIVE) from None
    except (OSError, ValueError) as error:
        raise EventuneError(f"{shown(path)}: cannot be read: {reason_of(error)}") from None
    if stat.S_ISDIR(mode):
        raise EventuneError(f"{path}: expected a file, found a folder", "name one of the files in it")
    if not stat.S_ISREG(mode):
        # Whoever opens a pipe waits for another process; and a format is guessed before documents are read.
        raise EventuneError(f"{path}: expected a file, found a pipe or a device", "save its content to a file first")


def make_folder(path: Path) -> None:
    """Make a folder, and those that it lies in, where it is not there yet.

    Raises:
        EventuneError: If it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise EventuneError(f"{shown(path)}: cannot be made: {reason_of(error)}", "choose another folder") from None


def reason_of(error: OSError | ValueError) -> str:
    """Return why a path could not be used, as the system says it."""
    return getattr(error, "strerror", None) or str(error)


def _mode(path: Path | str) -> int:
    try:
        return Path(path).stat().st_mode
    except (OSError, ValueError):
        return 0
