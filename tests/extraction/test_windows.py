"""Texts in overlapping windows."""

import itertools
import random

import pytest

from eventune.events import Span
from eventune.extraction.subwords import MAX_SUBWORDS_A_WORD
from eventune.extraction.windows import window_around, windows


@pytest.mark.parametrize("seed", range(60))
def test_windows_cover_every_word_and_every_short_span_within_the_budget(seed):
    chance = random.Random(seed)
    counts = [chance.choice([1, 1, 1, 2, 3, MAX_SUBWORDS_A_WORD]) for _ in range(chance.choice([1, 5, 30, 200]))]
    budget, overlap = chance.randrange(MAX_SUBWORDS_A_WORD, 80), chance.randrange(0, 25)

    found = list(itertools.islice(windows(counts, budget=budget, overlap=overlap), len(counts) + 1))

    assert len(found) <= len(counts)
    assert {word for window in found for word in range(window.start, window.end)} == set(range(len(counts)))
    assert all(sum(counts[window.start : window.end]) <= budget for window in found)
    for start, length in itertools.product(range(len(counts)), range(1, overlap // 2 + 1)):
        span = Span(start, start + length)
        first = max(window for window in found if window.start <= start)
        if span.end <= len(counts) and 4 * length <= 3 * len(first):
            assert any(window.contains(span) for window in found), span


def test_text_that_fits_is_one_window():
    assert list(windows([2] * 50, budget=100, overlap=24)) == [Span(0, 50)]
    assert list(windows([], budget=100, overlap=24)) == []


def test_neighbouring_windows_share_no_more_words_than_asked():
    assert list(windows([1] * 25, budget=10, overlap=4)) == [Span(0, 10), Span(6, 16), Span(12, 22), Span(18, 25)]


def test_long_spans_do_not_make_windows_that_go_on_word_by_word():
    counts = [1] * 3_000
    for longest, most in ((12, 7), (150, 13), (200, 13), (1_000, 24)):
        assert len(list(windows(counts, budget=460, overlap=2 * longest))) <= most


@pytest.mark.parametrize("seed", range(40))
def test_the_window_around_a_span_is_as_long_as_may_be_and_has_it_in_the_middle(seed):
    chance = random.Random(seed)
    counts = [chance.choice([1, 1, 2, 3]) for _ in range(chance.choice([4, 30, 200]))]
    start = chance.randrange(len(counts) - 2)
    span, budget = Span(start, start + 2), chance.randrange(8, 80)

    found = window_around(counts, span, budget=budget)

    assert found.contains(span)
    length = sum(counts[found.start : found.end])
    assert length <= budget
    neighbours = [counts[at] for at in (found.start - 1, found.end) if 0 <= at < len(counts)]
    assert all(length + count > budget for count in neighbours)


def test_where_the_text_ends_on_one_side_the_other_has_more():
    assert window_around([1] * 20, Span(10, 11), budget=5) == Span(8, 13)
    assert window_around([1] * 20, Span(0, 1), budget=5) == Span(0, 5)
    assert window_around([1] * 20, Span(19, 20), budget=5) == Span(15, 20)


def test_of_a_span_longer_than_the_window_the_beginning_is_read():
    assert window_around([1] * 10, Span(2, 9), budget=3) == Span(2, 5)
