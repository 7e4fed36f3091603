"""The best spans of a batch, against a loop that is too slow to be wrong."""

import itertools
import math

import numpy as np
import pytest

from eventune.events import Span
from eventune.extraction.ranking import best_places, best_spans


def random_scores(seed, *, events=2, roles=3, words=9, lengths=4):
    """Scores with -inf where a span would leave its sentence, as the scorer gives them."""
    generator = np.random.default_rng(seed)
    spans = generator.standard_normal((events, roles, words, lengths), dtype=np.float32)
    for word, length in itertools.product(range(words), range(lengths)):
        # Sentences of four words; the last one is shorter than a span may be.
        if word // 4 != (word + length) // 4 or word + length >= words:
            spans[:, :, word, length] = -math.inf
    return spans, generator.standard_normal((events, roles), dtype=np.float32)


COUNT = 12


def slow_best(spans, null, first_word):
    """All candidates of one role in a loop, best first."""
    scored = [
        (float(spans[word][length]), word, length)
        for word in range(len(spans))
        for length in range(len(spans[0]))
        if spans[word][length] > -math.inf
    ]
    total = sum(math.exp(score) for score, _, _ in scored) + math.exp(null)
    return [
        (Span(first_word + word, first_word + word + length + 1), score - null, math.exp(score) / total)
        for score, word, length in sorted(scored, reverse=True)[:COUNT]
    ]


@pytest.mark.parametrize("seed", range(10))
def test_best_spans_are_those_of_a_loop_over_all_spans(seed):
    spans, null = random_scores(seed)
    first_words, role_counts = [0, 17], [3, 2]

    found = best_spans(spans, null, first_words, role_counts, count=COUNT)

    assert [len(roles) for roles in found] == role_counts
    for event, role in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]:
        expected = slow_best(spans[event, role].tolist(), float(null[event, role]), first_words[event])
        assert [candidate.span for candidate in found[event][role]] == [span for span, _, _ in expected]
        for candidate, (_, odds, probability) in zip(found[event][role], expected, strict=True):
            assert candidate.log_odds == pytest.approx(odds, abs=1e-5)
            assert candidate.probability == pytest.approx(probability, abs=1e-6)


def test_candidates_are_only_spans_that_exist():
    for roles in best_spans(*random_scores(3), [0, 0], [3, 3], count=COUNT):
        for candidate in itertools.chain.from_iterable(roles):
            assert 1 <= len(candidate.span) <= 4
            assert candidate.span.end <= 9
            assert candidate.span.start // 4 == (candidate.span.end - 1) // 4
            assert 0.0 <= candidate.probability <= 1.0


def test_windows_with_fewer_spans_than_candidates_give_all_of_them():
    spans, null = np.array([[[[0.0, 1.0], [2.0, -math.inf]]]]), np.zeros((1, 1))
    [[candidates]] = best_spans(spans, null, [5], [1], count=COUNT)
    assert [candidate.span for candidate in candidates] == [Span(6, 7), Span(5, 7), Span(5, 6)]


def test_of_equal_values_the_first_are_the_best():
    assert best_places(np.array([[1.0, 3.0, 3.0, 2.0, 3.0]]), 4).tolist() == [[1, 2, 4, 3]]
