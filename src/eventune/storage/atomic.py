"""Files and folders that are written completely or not at all, also when the process is killed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from eventune.errors import EventuneError


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
    staging = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield staging
        with staging.open("rb") as file:
            os.fsync(file.fileno())
        staging.replace(path)
    except OSError as error:
        hint = hint or "free some space or choose another place"
        raise EventuneError(f"{path}: cannot be written: {error.strerror}", hint) from None
    finally:
        staging.unlink(missing_ok=True)


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


def refuse_existing(path: Path) -> None:
    """Make sure that nothing is overwritten.

    Args:
        path: What is going to be written.

    Raises:
        EventuneError: If it is there already.
    """
    if path.exists():
        raise EventuneError(f"{path}: exists already", "choose another place, or remove it")


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Give a staging folder that becomes `folder` when the block ends without an error.

    Args:
        folder: The folder to make; an earlier one is replaced.

    Yields:
        The staging folder, beside it.

    Raises:
        EventuneError: If the disk is full or cannot be written to; nothing is left behind.
    """
    staging = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(staging, ignore_errors=True)
    try:
        staging.mkdir(parents=True)
        yield staging
        for path in staging.rglob("*"):
            if path.is_file():
                with path.open("rb") as file:
                    os.fsync(file.fileno())
        shutil.rmtree(folder, ignore_errors=True)
        staging.rename(folder)
    except OSError as error:
        shutil.rmtree(staging, ignore_errors=True)
        reason = getattr(error, "strerror", None) or error
        raise EventuneError(f"{folder}: cannot be written: {reason}", "free some space") from error
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
