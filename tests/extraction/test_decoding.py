"""From scores to arguments, against loops that are too slow to be wrong."""

import itertools
import math
import random

import numpy as np
import pytest
import torch

from eventune.events import Span
from eventune.extraction.decoding import (
    CANDIDATES_A_ROLE,
    FIRST_MARGINS,
    FURTHER_MARGINS,
    SMOOTHING_STEPS,
    Candidate,
    Margins,
    best_spans,
    non_maximum_suppression,
    select,
    tune_margins,
)
from eventune.extraction.model import SpanScores


def random_scores(seed, *, events=2, roles=3, words=9, lengths=4):
    """Scores with -inf where a span would leave its sentence, as the scorer gives them."""
    generator = torch.Generator().manual_seed(seed)
    spans = torch.randn(events, roles, words, lengths, generator=generator)
    for word, length in itertools.product(range(words), range(lengths)):
        # Sentences of four words; the last one is shorter than a span may be.
        if word // 4 != (word + length) // 4 or word + length >= words:
            spans[:, :, word, length] = -math.inf
    return SpanScores(spans, torch.randn(events, roles, generator=generator))


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
        for score, word, length in sorted(scored, reverse=True)[:CANDIDATES_A_ROLE]
    ]


@pytest.mark.parametrize("seed", range(10))
def test_best_spans_are_those_of_a_loop_over_all_spans(seed):
    scores = random_scores(seed)
    first_words, role_counts = [0, 17], [3, 2]

    found = best_spans(scores, first_words, role_counts)

    assert [len(roles) for roles in found] == role_counts
    for event, role in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]:
        expected = slow_best(scores.spans[event, role].tolist(), float(scores.null[event, role]), first_words[event])
        assert [candidate.span for candidate in found[event][role]] == [span for span, _, _ in expected]
        for candidate, (_, odds, probability) in zip(found[event][role], expected, strict=True):
            assert candidate.log_odds == pytest.approx(odds, abs=1e-5)
            assert candidate.probability == pytest.approx(probability, abs=1e-6)


def test_candidates_are_only_spans_that_exist():
    for roles in best_spans(random_scores(3), [0, 0], [3, 3]):
        for candidate in itertools.chain.from_iterable(roles):
            assert 1 <= len(candidate.span) <= 4
            assert candidate.span.end <= 9
            assert candidate.span.start // 4 == (candidate.span.end - 1) // 4
            assert 0.0 <= candidate.probability <= 1.0


def test_windows_with_fewer_spans_than_candidates_give_all_of_them():
    scores = SpanScores(torch.tensor([[[[0.0, 1.0], [2.0, -math.inf]]]]), torch.zeros(1, 1))
    [[candidates]] = best_spans(scores, [5], [1])
    assert [candidate.span for candidate in candidates] == [Span(6, 7), Span(5, 7), Span(5, 6)]


def candidate(start, end, log_odds):
    return Candidate(Span(start, end), log_odds, 0.5)


def test_a_span_found_in_two_windows_is_kept_once_with_its_better_score():
    found = [candidate(3, 5, 1.0), candidate(8, 9, 0.5), candidate(3, 5, 2.0)]
    assert non_maximum_suppression(found, 4) == [candidate(3, 5, 2.0), candidate(8, 9, 0.5)]


def test_of_overlapping_spans_the_better_one_is_kept():
    found = [candidate(0, 3, 1.0), candidate(2, 4, 3.0), candidate(3, 6, 2.0), candidate(4, 6, 0.0)]
    assert non_maximum_suppression(found, 9) == [candidate(2, 4, 3.0), candidate(4, 6, 0.0)]


def test_spans_that_only_touch_are_both_kept():
    assert len(non_maximum_suppression([candidate(0, 2, 1.0), candidate(2, 3, 1.0)], 2)) == 2


@pytest.mark.parametrize("multiplicity", [1, 2, 3])
def test_no_more_candidates_are_kept_than_a_role_may_have(multiplicity):
    found = [candidate(n, n + 1, n / 2) for n in range(5)]
    assert [c.span.start for c in non_maximum_suppression(found, multiplicity)] == [4, 3, 2][:multiplicity]


def test_ties_are_broken_by_place_so_that_results_do_not_depend_on_the_batch():
    found = [candidate(n, n + 1, 1.0) for n in range(6)]
    assert non_maximum_suppression(found[::-1], 2) == non_maximum_suppression(found, 2) == found[:2]


def test_the_best_candidate_must_beat_the_empty_role_and_a_further_one_come_close_to_the_best():
    found = [candidate(0, 1, 3.0), candidate(2, 3, 2.0), candidate(4, 5, 1.0)]

    def chosen(first, further):
        return [argument.span.start for argument in select("place", found, Margins(first, further))]

    assert chosen(0.0, -4.0) == [0, 2, 4]
    assert chosen(0.0, -1.5) == [0, 2]
    assert chosen(2.5, -4.0) == [0, 2, 4]
    assert chosen(0.0, -1.0) == [0]
    assert chosen(3.0, -4.0) == []


def test_no_candidate_gives_no_argument():
    assert select("place", [], Margins()) == []


def test_arguments_carry_role_and_probability():
    [argument] = select("place", [Candidate(Span(1, 2), 4.0, 0.98765432)], Margins())
    assert (argument.role, argument.span, argument.score) == ("place", Span(1, 2), 0.987654)


def f1_of(ranked_roles, gold_roles, gold, margins):
    found = [select("place", candidates, margins) for candidates in ranked_roles]
    matched = sum(a.span in spans for arguments, spans in zip(found, gold_roles, strict=True) for a in arguments)
    return 2 * matched / max(sum(map(len, found)) + gold, 1)


def random_problem(seed):
    """Ranked candidates of some roles, with gold spans that those hit more often which are better or close behind."""
    chance = random.Random(seed)
    ranked_roles, gold_roles = [], []
    for _ in range(chance.randrange(2, 9)):
        best = chance.uniform(-9, 9)
        odds = sorted((best - chance.choice([0, 1, 1]) * chance.uniform(0, 4.5) for _ in range(3)), reverse=True)
        candidates = [candidate(2 * n, 2 * n + 1, value) for n, value in enumerate(odds)]
        ranked_roles.append(candidates)
        likely = [1 / (1 + math.exp(-best / 3)), *(math.exp(value - odds[0]) for value in odds[1:])]
        gold_roles.append([c.span for c, p in zip(candidates, likely, strict=True) if chance.random() < p])
    return ranked_roles, gold_roles, sum(map(len, gold_roles)) + chance.randrange(3)


@pytest.mark.parametrize("seed", range(4))
def test_no_pair_of_margins_has_a_better_neighbourhood_than_the_tuned_one(seed):
    problem = random_problem(seed)
    margins = tune_margins(*problem)

    plain = np.array([[f1_of(*problem, Margins(a, b)) for b in FURTHER_MARGINS] for a in FIRST_MARGINS])
    rows, columns = SMOOTHING_STEPS
    padded = np.pad(plain, [(rows, rows), (columns, columns)], mode="edge")
    smooth = np.array(
        [
            [padded[i : i + 2 * rows + 1, j : j + 2 * columns + 1].mean() for j in range(len(FURTHER_MARGINS))]
            for i in range(len(FIRST_MARGINS))
        ]
    )

    tuned = smooth[list(FIRST_MARGINS).index(margins.first), list(FURTHER_MARGINS).index(margins.further)]
    assert tuned == pytest.approx(smooth.max())


def test_margins_lie_in_the_middle_of_what_does_equally_well():
    right, wrong = candidate(0, 1, 5.0), candidate(2, 3, 1.0)
    margins = tune_margins([[right], [wrong]], [[right.span], []], 1)
    assert margins.first == pytest.approx(3.0, abs=0.11)


def test_a_further_margin_is_found_for_what_is_close_to_the_best():
    right, close, far = candidate(0, 1, 5.0), candidate(2, 3, 4.6), candidate(4, 5, 4.0)
    margins = tune_margins([[right, close, far]], [[right.span, close.span]], 2)
    assert [a.span for a in select("place", [right, close, far], margins)] == [right.span, close.span]
    assert margins.further == pytest.approx(-0.7, abs=0.11)


def test_gold_arguments_out_of_reach_make_tuning_favour_recall():
    """A doubtful candidate is worth more where recall is low already: one right of three is then taken."""
    sure, doubtful = candidate(0, 1, 5.0), candidate(2, 3, -2.0)
    ranked_roles = [[sure], [doubtful], [doubtful], [doubtful]]
    gold_roles = [[sure.span], [doubtful.span], [], []]

    def doubtful_is_taken(gold):
        return tune_margins(ranked_roles, gold_roles, gold).first < doubtful.log_odds

    assert not doubtful_is_taken(2)
    assert doubtful_is_taken(10)


def test_tuning_without_any_candidate_gives_margins_that_take_nothing_doubtful():
    margins = tune_margins([[], []], [[], []], 0)
    assert margins.first == 0.0
    assert str(margins.first) == "0.0"
    assert margins.further <= 0.0
