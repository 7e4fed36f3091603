"""Files and folders that are written completely or not at all, also when the process is killed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from eventune.errors import EventuneError
from eventune.storage.paths import reason_of, shown


def write_atomically(path: Path, text: str | Iterable[str], *, hint: str = "") -> None:
    """Write a text file so that it is either complete or as it was, also when the process is killed.

    Args:
        path: The file; its folder exists.
        text: Its content, or the pieces of it one by one, written as UTF-8; what they raise leaves the file as it was.
        hint: What to do where it cannot be written.

    Raises:
        EventuneError: If the disk is full or the folder cannot be written to.
    """
    staging = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with staging.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines([text] if isinstance(text, str) else text)
            file.flush()
            os.fsync(file.fileno())
        staging.replace(path)
    except (OSError, ValueError) as error:
        if isinstance(error, UnicodeEncodeError):
            raise
        hint = hint or "free some space or choose another place"
        raise EventuneError(f"{shown(path)}: cannot be written: {reason_of(error)}", hint) from None
    finally:
        with suppress(OSError, ValueError):  # where it could not even be begun
            staging.unlink()


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
        for path in staging.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        shutil.rmtree(folder, ignore_errors=True)
        staging.rename(folder)
    except OSError as error:
        shutil.rmtree(staging, ignore_errors=True)
        raise EventuneError(f"{shown(folder)}: cannot be written: {reason_of(error)}", "free some space") from error
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
