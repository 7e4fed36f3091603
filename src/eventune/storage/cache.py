"""Where what was made on this machine is kept, to be made once: unpacked models, corpora."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from eventune.errors import EventuneError

OTHER_PLACE = "set EVENTUNE_CACHE to a folder that you may write to"

_STALE_SECONDS = 3600.0


def cache_folder() -> Path:
    """Return where what was made is kept: `EVENTUNE_CACHE`, or `eventune` in the user's cache folder.

    Raises:
        EventuneError: If neither is known, as with a user that has no home folder.
    """
    if own := os.environ.get("EVENTUNE_CACHE"):
        return Path(own).expanduser()
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "eventune"
    except RuntimeError as error:
        raise EventuneError("cache: expected a home folder to keep it in, found none", OTHER_PLACE) from error


def kept(name: str, write: Callable[[Path], None], *, failures: tuple[type[Exception], ...] = (OSError,)) -> Path:
    """Return a folder of the cache; made if it is not there.

    It appears all at once, so that of two processes that make it one comes first and both use its files.

    Args:
        name: Its name, which tells what it holds and in which form.
        write: Makes the folder whose path it gets, and writes what it holds.
        failures: What is raised where it cannot be written.

    Returns:
        The folder.

    Raises:
        EventuneError: If it cannot be written.
    """
    folder = cache_folder() / name
    if folder.is_dir():
        return folder
    for old in folder.parent.glob(f".{name}-*"):
        # What a kill left; a younger one may be another process's, which is at it.
        if time.time() - old.stat().st_mtime > _STALE_SECONDS:
            shutil.rmtree(old, ignore_errors=True)
    unfinished = folder.with_name(f".{name}-{uuid.uuid4().hex}")
    try:
        write(unfinished)
        unfinished.rename(folder)
    except failures as error:
        if not folder.is_dir():
            raise EventuneError(
                f"{folder.parent}: expected a folder to keep {name} in, found: {error}", OTHER_PLACE
            ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder
