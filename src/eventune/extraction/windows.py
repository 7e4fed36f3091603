"""Texts that are longer than an encoder reads at once, in overlapping windows of whole words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eventune.events import Span


def windows(piece_counts: Sequence[int], *, budget: int, overlap: int) -> Iterator[Span]:
    """Cut a text into windows of whole words that overlap.

    Args:
        piece_counts: Pieces of each word.
        budget: The most pieces a window may hold.
        overlap: Words that two neighbouring windows share, as far as the budget allows it.

    Yields:
        Spans of words; together they cover all words, and every span of up to `overlap` words that the budget holds
        lies inside one.
    """
    start = 0
    while start < len(piece_counts):
        end, pieces = start, 0
        while end < len(piece_counts) and pieces + piece_counts[end] <= budget:
            pieces += piece_counts[end]
            end += 1
        yield Span(start, end)
        if end == len(piece_counts):
            return
        start = max(end - overlap, start + 1)
