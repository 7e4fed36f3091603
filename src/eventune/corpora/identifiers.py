"""Which identifiers were seen before, of millions of documents."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

RECENT = 1 << 16
"""So many are kept in a set before they are sorted into an array."""


class Identifiers:
    """Keeps eight bytes of each; that two of a million have the same ones has a chance of one in thirty million."""

    def __init__(self) -> None:
        self._known: Any = None
        self._recent: set[int] = set()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, identifier: str) -> bool:
        """Take an identifier, and tell whether it is new."""
        key = int.from_bytes(blake2b(identifier.encode(), digest_size=8).digest())
        if key in self._recent or self._is_known(key):
            return False
        self._recent.add(key)
        self._count += 1
        if len(self._recent) == RECENT:
            self._sort_in()
        return True

    def _is_known(self, key: int) -> bool:
        if self._known is None:
            return False
        place = int(self._known.searchsorted(self._known.dtype.type(key)))
        return place < len(self._known) and int(self._known[place]) == key

    def _sort_in(self) -> None:
        # Few corpora are that large: the others are read without waiting for the import.
        import numpy as np

        recent = np.fromiter(self._recent, dtype=np.uint64, count=RECENT)
        self._known = np.sort(recent if self._known is None else np.concatenate([self._known, recent]))
        self._recent.clear()
