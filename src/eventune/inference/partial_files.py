"""What an extraction keeps beside its target, so that it goes on where it was interrupted.

`.partial` holds the documents that are done, in their order, in the own format; `.unread` the records that could not be
read; `.journal` a line a pool: the hash of its records, how long both files are with it, and what is counted so far. A
line is written when the pool's documents are on the disk. What stands behind the last line's lengths was interrupted
and is cut off. With the line `complete` the files only have to be put in place.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from glob import escape
from itertools import takewhile
from pathlib import Path
from typing import Any, BinaryIO

from eventune.corpora.records import json_text
from eventune.inference.questions import Counts
from eventune.storage.atomic import refuse_existing, remove_staged, unwritable
from eventune.storage.locks import locked
from eventune.storage.paths import stem_beside

_COMPLETE = {"complete": True}
_KINDS = ("partial", "unread", "journal")


def unreadable_file(target: Path) -> Path:
    """Return where the records are listed that could not be read."""
    return target.with_name(f"{stem_beside(target)}.unreadable.jsonl")


@contextmanager
def extracting(target: Path) -> Iterator[None]:
    """Keep other processes from writing a target that does not exist yet, for the length of the block.

    Args:
        target: The file or folder.

    Raises:
        LockedError: If another process is writing it.
        EventuneError: If it exists.
    """
    with locked(target):
        if os.path.lexists(target):
            # Killed between the last two steps.
            for journal in target.parent.glob(f"{escape(stem_beside(target))}.*.journal"):
                if _journal_lines(journal)[-1:] == [_COMPLETE]:
                    _remove(journal.with_suffix(f".{kind}") for kind in _KINDS)
        refuse_existing(target)
        remove_staged(target)
        yield


class Kept:
    """What is done of an extraction.

    Attributes:
        counts: How much is done.
        pools: Hashes of the pools that are done.
        is_complete: Whether all are.
    """

    def __init__(self, target: Path, key: str) -> None:
        self.target = target
        stem = f"{stem_beside(target)}.{key}"
        self.partial, self.unread, self._journal = (target.with_name(f"{stem}.{kind}") for kind in _KINDS)
        self.counts = Counts()
        self.pools: list[str] = []
        self.is_complete = False
        self._files: Sequence[BinaryIO] = ()

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Open the files for the length of the block, cut to what is whole; those without any pool are removed."""
        try:
            if not self._journal.exists():
                refuse_existing(unreadable_file(self.target))
            with (
                self.partial.open("ab") as whole,
                self.unread.open("ab") as unread,
                self._journal.open("ab") as journal,
            ):
                self._files = (whole, unread, journal)
                self._resume()
                yield
        except OSError as error:
            raise unwritable(self.target, error) from None
        finally:
            if not self.pools:
                self.discard()

    def _resume(self) -> None:
        """Find the last pool that is whole, and cut off what stands behind it."""
        whole, unread, journal = self._files
        lines = _journal_lines(self._journal)
        self.is_complete = lines[-1:] == [_COMPLETE]
        pools = lines[:-1] if self.is_complete else lines
        # Killed between the last two steps, the files were moved to where somebody may have removed them.
        self.is_complete &= whole.tell() >= max((line["bytes"] for line in pools), default=0)
        if not self.is_complete:
            sizes = {"bytes": whole.tell(), "unread_bytes": unread.tell()}
            pools = list(takewhile(lambda line: all(line[name] <= size for name, size in sizes.items()), pools))
            last = pools[-1] if pools else dict.fromkeys(sizes, 0)
            length = sum(len(_line(line)) for line in pools)
            for file, size in ((whole, last["bytes"]), (unread, last["unread_bytes"]), (journal, length)):
                file.truncate(size)
                file.seek(size)
        self.pools = [line["pool"] for line in pools]
        self.counts.update(pools[-1]["counts"] if pools else {})

    def append(self, pool: str, lines: Sequence[str], unread: Sequence[Mapping[str, Any]]) -> None:
        """Keep a pool, of which `counts` has been told already.

        Raises:
            OSError: If a file cannot be written, or was removed; for `opened` to report.
        """
        contents = ("".join(f"{line}\n" for line in lines).encode(), b"".join(map(_line, unread)))
        for file, content in zip(self._files, contents, strict=False):
            if not Path(file.name).is_file():
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            if content:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        whole, unread_file, _ = self._files
        self._note({"pool": pool, "bytes": whole.tell(), "unread_bytes": unread_file.tell(), "counts": self.counts})
        self.pools.append(pool)

    def complete(self) -> None:
        """Note that all pools are there."""
        self._note(_COMPLETE)
        self.is_complete = True

    def put_unread_in_place(self) -> None:
        """Give the list of records that could not be read its name, if there are any."""
        if self.unread.exists() and self.unread.stat().st_size:
            self.unread.replace(unreadable_file(self.target))

    def abandon(self) -> None:
        """Take back all pools: nothing is left of them when the files are closed."""
        self.pools = []

    def discard(self) -> None:
        """Remove the files."""
        _remove((self.partial, self.unread, self._journal))

    def _note(self, value: Mapping[str, Any]) -> None:
        journal = self._files[-1]
        journal.write(_line(value))
        journal.flush()


def _line(value: Mapping[str, Any]) -> bytes:
    return f"{json_text(value)}\n".encode()


def _journal_lines(path: Path) -> list[dict[str, Any]]:
    """Return a journal's lines up to the first that is not whole."""
    lines: list[dict[str, Any]] = []
    for line in path.read_bytes().splitlines(keepends=True):
        try:
            value = json.loads(line) if line.endswith(b"\n") else None
        except ValueError:
            value = None
        if not isinstance(value, dict) or not (value == _COMPLETE or _is_pool(value)):
            break
        lines.append(value)
    return lines


def _is_pool(value: Mapping[str, Any]) -> bool:
    numbers = (value.get("bytes"), value.get("unread_bytes"))
    counts = value.get("counts")
    return (
        isinstance(value.get("pool"), str)
        and all(isinstance(number, int) for number in numbers)
        and isinstance(counts, dict)
        and counts.keys() == Counts().keys()
    )


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
