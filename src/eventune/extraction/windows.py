"""Texts in windows of whole words: all of a text that is longer than an encoder reads at once, or a part of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eventune.events import Span


def windows(subword_counts: Sequence[int], *, budget: int, overlap: int) -> Iterator[Span]:
    """Cut a text into windows of whole words that overlap.

    Args:
        subword_counts: Subword tokens of each word.
        budget: The most subword tokens a window may hold.
        overlap: Words that two neighbouring windows share, twice the longest span that is looked for. Where windows are
            not much longer than that they share less, and each goes on by a quarter of its words at least.

    Yields:
        Spans of words; together they cover all words, and every span of up to half of `overlap` words, or three
        quarters of a window, lies inside one.
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
        words, longest = end - start, overlap // 2
        start += max(words - overlap, min((words + 1) // 2, words - longest + 1), words // 4, 1)


def window_around(subword_counts: Sequence[int], span: Span, *, budget: int) -> Span:
    """Return the window with a span in its middle.

    Args:
        subword_counts: Subword tokens of each word of the text.
        span: Words that stand in the middle; where the text ends on one side, the other side has more.
        budget: The most subword tokens that the window may hold; a longer span's first words alone are in it.

    Returns:
        A span of words.
    """
    start, end, length = span.start, span.start + 1, subword_counts[span.start]
    while end < span.end and length + subword_counts[end] <= budget:
        length += subword_counts[end]
        end += 1
    grows = True
    while grows:
        grows = False
        if start > 0 and length + subword_counts[start - 1] <= budget:
            start, length, grows = start - 1, length + subword_counts[start - 1], True
        if end < len(subword_counts) and length + subword_counts[end] <= budget:
            end, length, grows = end + 1, length + subword_counts[end], True
    return Span(start, end)
