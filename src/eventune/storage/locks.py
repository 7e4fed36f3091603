"""One process at a time writes a file or a folder: a lock beside it, which the system releases however its owner ends.

A lock is a hidden file that its owner has locked with `flock`; the file alone means nothing, so that one which a killed
process left stops nobody. On file systems without `flock` the file itself is the lock (`filelock.SoftFileLock`), and a
process that was killed on another machine leaves it behind.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, SoftFileLock, Timeout

from eventune.errors import EventuneError
from eventune.storage.atomic import refuse_existing, remove_staged, unwritable
from eventune.storage.paths import exists, stem_beside

INSIDE = ".lock"
"""The lock of a folder that nothing can be written beside."""
_WITHOUT_FLOCK = frozenset({errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP})
_ATTEMPTS = 3
"""A lock whose owner removes it just now looks taken for a moment."""


class LockedError(EventuneError):
    """Another process is writing there."""


@contextmanager
def locked(
    target: Path, *, wait: Callable[[str], None] | None = None, makes_parents: bool = False
) -> Iterator[int | None]:
    """Keep other processes from writing a file or a folder for the length of the block.

    The lock's file lies beside the target and is gone afterwards. Threads exclude each other as processes do; a block
    inside another one of the same target is refused.

    Args:
        target: What is going to be written; it need not exist.
        wait: Hears who has the lock, which is then waited for; by default that is an error.
        makes_parents: Make the folders that the target lies in; those that are empty in the end are removed again.

    Yields:
        The descriptor that holds the lock, for child processes that shall hold it too; None where there is none.

    Raises:
        LockedError: If another process is writing there, and it is not to be waited for.
        EventuneError: If the folder that the target lies in is missing or cannot be written to.
    """
    made = _make_parents(target) if makes_parents else []
    try:
        with _held(target, _place(target), wait) as descriptor:
            yield descriptor
    finally:
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()


@contextmanager
def creating(target: Path, *, makes_parents: bool = False) -> Iterator[None]:
    """Keep other processes from writing a file or a folder that does not exist yet, for the length of the block.

    Args:
        target: What is going to be made.
        makes_parents: See `locked`.

    Raises:
        EventuneError: If it exists, or as for `locked`.
    """
    with locked(target, makes_parents=makes_parents):
        refuse_existing(target)
        remove_staged(target)
        yield


def _make_parents(target: Path) -> list[Path]:
    """Make the folders above a target, and return those that were not there, the outermost first."""
    lacking = [folder for folder in target.parents if not exists(folder)]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise _impossible(target, error) from None
    return lacking[::-1]


def _place(target: Path) -> Path:
    """Return where a target's lock lies; two names of one target have the same."""
    try:
        real = target.expanduser().resolve()
        if real.is_dir() and not os.access(real.parent, os.W_OK):
            return real / INSIDE
        if not real.parent.is_dir():
            # filelock would make it.
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return real.with_name(f".{stem_beside(real)}.lock")
    except (OSError, ValueError, RuntimeError) as error:
        raise _impossible(target, error) from None


def _impossible(target: Path, error: Exception) -> EventuneError:
    """Return the error for a place that cannot be written to; pathlib has other errors for some names."""
    return unwritable(target, error if isinstance(error, OSError) else OSError(errno.EINVAL, str(error)))


@contextmanager
def _held(target: Path, place: Path, wait: Callable[[str], None] | None) -> Iterator[int | None]:
    descriptors: list[int] = []

    def note(descriptor: int) -> None:
        descriptors.append(descriptor)
        # Who holds it is told by the file's content; on a full disk it is not told.
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()} {socket.gethostname()}\n".encode(), 0)

    lock: FileLock | SoftFileLock = FileLock(place, on_acquired=note)
    try:
        try:
            _acquire(lock, target, wait)
        except OSError as error:
            if error.errno not in _WITHOUT_FLOCK:
                raise
            lock = SoftFileLock(place)
            _acquire(lock, target, wait)
    except OSError as error:
        raise unwritable(target, error) from None
    try:
        yield descriptors[-1] if descriptors else None
    finally:
        if descriptors:
            _remove(place, descriptors[-1])
        lock.release()


def _acquire(lock: FileLock | SoftFileLock, target: Path, wait: Callable[[str], None] | None) -> None:
    for attempt in range(_ATTEMPTS):
        try:
            lock.acquire(timeout=0)
            return
        except Timeout:
            owner = _owner(Path(lock.lock_file))
            if owner is None and attempt < _ATTEMPTS - 1:
                continue
            who = f"another eventune process{f' (pid {owner})' if owner else ''}"
            if wait is None:
                hint = "wait for it, or choose another place"
                if isinstance(lock, SoftFileLock):
                    hint += f"; if there is no such process, remove {lock.lock_file}"
                raise LockedError(f"{target}: {who} is writing it", hint) from None
            wait(f"waiting for {who}, which is writing {target}")
            lock.acquire(timeout=-1)
            return


def _owner(place: Path) -> str | None:
    """Return the process that holds a lock; None where that cannot be told."""
    with suppress(OSError, UnicodeDecodeError):
        words = place.read_text(encoding="ascii").split()
        if words and words[0].isdigit():
            host = words[1] if len(words) > 1 else ""
            return words[0] if host in {"", socket.gethostname()} else f"{words[0]} on {host}"
    return None


def _remove(place: Path, descriptor: int) -> None:
    """Remove a lock's file while it is held; whoever has it open sees that it has no name any more."""
    with suppress(OSError):
        # The folder may have been removed and made again: the name is another lock's then.
        if os.path.samestat(os.fstat(descriptor), place.stat()):
            place.unlink()
