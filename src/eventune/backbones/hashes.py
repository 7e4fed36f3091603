"""Hashes of weight files, remembered by the files' sizes and times: gigabytes are read once and not at each load."""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from pathlib import Path

from eventune.errors import EventuneError
from eventune.storage.cache import cache_folder
from eventune.storage.json_files import read_json, write_json

_FILE = "hashes.json"
_SETTLED_SECONDS = 2.0
"""A file that was changed less long ago may change again without its time telling."""


def sha256_of(path: Path) -> str:
    """Return a file's sha256.

    Args:
        path: The file.

    Returns:
        64 hexadecimal digits; from memory where name, size and times of the file are those of an earlier call.

    Raises:
        OSError: If the file cannot be read.
    """
    stat = path.stat()
    state = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]
    name = str(path.resolve())
    remembered = _read()
    if remembered.get(name, [])[:-1] == state:
        return str(remembered[name][-1])
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if time.time() - max(stat.st_mtime, stat.st_ctime) > _SETTLED_SECONDS:
        _remember(name, [*state, digest])
    return digest


def _read() -> dict[str, list[object]]:
    with suppress(EventuneError, OSError):
        known = read_json(cache_folder() / _FILE)
        return {name: entry for name, entry in known.items() if isinstance(entry, list) and len(entry) == 4}
    return {}


def _remember(name: str, entry: list[object]) -> None:
    # A cache that cannot be written costs time and nothing else.
    with suppress(EventuneError, OSError):
        known = {**{path: kept for path, kept in _read().items() if Path(path).is_file()}, name: entry}
        cache_folder().mkdir(parents=True, exist_ok=True)
        write_json(cache_folder() / _FILE, known)
