"""Texts that are longer than an encoder reads at once, in overlapping windows of whole words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eventune.events import Span


def windows(subword_counts: Sequence[int], *, budget: int, overlap: int) -> Iterator[Span]:
    """Cut a text into windows of whole words that overlap.

    Args:
        subword_counts: Subword tokens of each word.
        budget: The most subword tokens a window may hold.
        overlap: Words that two neighbouring windows share, as far as the budget allows it.

    Yields:
        Spans of words; together they cover all words, and every span of up to `overlap` words that the budget holds
        lies inside one.
    """
    start = 0
    while start < len(subword_counts):
        end, length = start, 0
        while end < len(subword_counts) and length + subword_counts[end] <= budget:
            length += subword_counts[end]
            end += 1
        yield Span(start, end)
        if end == len(subword_counts):
            return
        start = max(end - overlap, start + 1)
