"""Files and folders that are written completely or not at all, also when the process is killed.

What takes minutes to write has a lock (`storage.locks`) around it; what is staged here is then nobody else's.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path

from eventune.errors import EventuneError
from eventune.storage.paths import is_folder, shown, stem_beside


@contextmanager
def atomic_file(path: Path, *, hint: str = "") -> Iterator[Path]:
    """Give the name of a staging file that becomes `path` when the block ends without an error.

    Args:
        path: The file; its folder exists. Until the block ends it is as it was, also when the process is killed.
        hint: What to do where it cannot be written.

    Yields:
        The staging file, beside it, to be written and closed in the block.

    Raises:
        EventuneError: If the disk is full or the folder cannot be written to.
    """
    staging = path.with_name(f".{stem_beside(path)}.{os.getpid()}.tmp")
    try:
        yield staging
        with staging.open("rb") as file:
            os.fsync(file.fileno())
        staging.replace(path)
    except OSError as error:
        raise unwritable(path, error, hint=hint) from None
    finally:
        # Where no file of this name can be, the error above says why.
        with suppress(OSError):
            staging.unlink()


def write_atomically(path: Path, text: str | Iterable[str], *, hint: str = "") -> None:
    """Write a text file, as `atomic_file` does.

    Args:
        path: The file; its folder exists.
        text: Its content, or the pieces of it one by one, written as UTF-8; what they raise leaves the file as it was.
        hint: What to do where it cannot be written.

    Raises:
        EventuneError: If the disk is full or the folder cannot be written to.
    """
    with atomic_file(path, hint=hint) as staging, staging.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines([text] if isinstance(text, str) else text)


def refuse_existing(path: Path, *, flag: str = "") -> None:
    """Make sure that nothing is overwritten.

    Args:
        path: What is going to be written.
        flag: The flag that named it, for errors.

    Raises:
        EventuneError: If it is there already.
    """
    if os.path.lexists(path):
        raise EventuneError(f"{_named(path, flag)}: exists already", "choose another place, or remove it")


def require_new(path: Path, *, flag: str) -> None:
    """Make sure that a file can be made where nothing is yet.

    Args:
        path: What is going to be written.
        flag: The flag that named it, for errors.

    Raises:
        EventuneError: If it is there already, or its folder is not.
    """
    refuse_existing(path, flag=flag)
    if not is_folder(path.absolute().parent):
        raise EventuneError(f"{_named(path, flag)}: its folder does not exist", "create it, or choose another place")


def _named(path: Path, flag: str) -> str:
    return f"{flag}: {shown(path)}" if flag else shown(path)


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Give a staging folder that becomes `folder` when the block ends without an error.

    Its name is always the same, so that what a killed process left is removed: the caller holds the lock on `folder`,
    or on a folder around it.

    Args:
        folder: The folder to make, in one that exists; an earlier one is replaced.

    Yields:
        The staging folder, beside it.

    Raises:
        EventuneError: If the disk is full, cannot be written to, or the folder around it is gone; nothing is left
            behind.
    """
    staging = folder.with_name(f".{stem_beside(folder)}.tmp")
    shutil.rmtree(staging, ignore_errors=True)
    try:
        staging.mkdir()
        yield staging
        for path in staging.rglob("*"):
            if path.is_file():
                with path.open("rb") as file:
                    os.fsync(file.fileno())
        shutil.rmtree(folder, ignore_errors=True)
        staging.rename(folder)
    except OSError as error:
        shutil.rmtree(staging, ignore_errors=True)
        raise unwritable(folder, error) from error
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def remove_staged(path: Path) -> None:
    """Remove what killed processes left beside a file or folder that they were writing; the caller holds its lock."""
    for staging in path.parent.glob(f".{escape(stem_beside(path))}.*.tmp"):
        if staging.is_dir():
            shutil.rmtree(staging, ignore_errors=True)
        else:
            staging.unlink(missing_ok=True)


def unwritable(path: Path, error: OSError, *, hint: str = "") -> EventuneError:
    """Return the error that says why something cannot be written, and what to do.

    Args:
        path: What was to be written.
        error: The system's error.
        hint: What to do where the system's error does not tell.
    """
    if not hint and error.errno == errno.ENOENT and not _has_folder(path):
        hint = "its folder is not there: it was never made, or was removed on the way"
    return EventuneError(
        f"{path}: cannot be written: {error.strerror or error}", hint or "free some space or choose another place"
    )


def _has_folder(path: Path) -> bool:
    """Tell whether a path's folder is there; the current one may be gone as well."""
    try:
        return path.absolute().parent.is_dir()
    except FileNotFoundError:
        return False
