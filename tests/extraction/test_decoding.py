"""From scores to arguments, against loops that are too slow to be wrong."""

import itertools
import math
import random

import numpy as np
import pytest
import torch

from eventune.events import Span
from eventune.extraction.decoding import CANDIDATES_A_ROLE, Candidate, Margins, best_spans, ranked, select, tune_margins
from eventune.extraction.model import SpanScores

GRID = [n / 10 for n in range(-80, 81)]


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
    assert ranked(found, 4) == [candidate(3, 5, 2.0), candidate(8, 9, 0.5)]


def test_of_overlapping_spans_the_better_one_is_kept():
    found = [candidate(0, 3, 1.0), candidate(2, 4, 3.0), candidate(3, 6, 2.0), candidate(4, 6, 0.0)]
    assert ranked(found, 9) == [candidate(2, 4, 3.0), candidate(4, 6, 0.0)]


def test_spans_that_only_touch_are_both_kept():
    assert len(ranked([candidate(0, 2, 1.0), candidate(2, 3, 1.0)], 2)) == 2


@pytest.mark.parametrize("multiplicity", [1, 2, 3])
def test_no_more_candidates_are_kept_than_a_role_may_have(multiplicity):
    found = [candidate(n, n + 1, n / 2) for n in range(5)]
    assert [c.span.start for c in ranked(found, multiplicity)] == [4, 3, 2][:multiplicity]


def test_ties_are_broken_by_place_so_that_results_do_not_depend_on_the_batch():
    found = [candidate(n, n + 1, 1.0) for n in range(6)]
    assert ranked(found[::-1], 2) == ranked(found, 2) == found[:2]


def test_the_first_and_further_candidates_have_margins_of_their_own():
    found = [candidate(0, 1, 3.0), candidate(2, 3, 2.0), candidate(4, 5, 1.0)]

    def chosen(first, further):
        return [argument.span.start for argument in select("place", found, Margins(first, further))]

    assert chosen(0.0, 0.0) == [0, 2, 4]
    assert chosen(0.0, 1.5) == [0, 2]
    assert chosen(2.5, 2.5) == [0]
    assert chosen(3.0, 3.0) == []


def test_arguments_carry_role_and_probability():
    [argument] = select("place", [Candidate(Span(1, 2), 4.0, 0.98765432)], Margins())
    assert (argument.role, argument.span, argument.score) == ("place", Span(1, 2), 0.987654)


def f1_of(ranked_roles, gold_roles, gold, first, further):
    predicted = matched = 0
    for candidates, spans in zip(ranked_roles, gold_roles, strict=True):
        for rank, found in enumerate(candidates):
            if found.log_odds > (first if rank == 0 else further):
                predicted += 1
                matched += found.span in spans
    return 2 * matched / max(predicted + gold, 1)


def random_problem(seed):
    """Ranked candidates of some roles, with gold spans that the better ones hit more often."""
    chance = random.Random(seed)
    ranked_roles, gold_roles = [], []
    for _ in range(chance.randrange(1, 7)):
        odds = sorted((chance.uniform(-9, 9) for _ in range(chance.randrange(4))), reverse=True)
        candidates = [candidate(2 * n, 2 * n + 1, value) for n, value in enumerate(odds)]
        ranked_roles.append(candidates)
        gold_roles.append([c.span for c in candidates if chance.random() < 1 / (1 + math.exp(-c.log_odds / 3))])
    return ranked_roles, gold_roles, sum(map(len, gold_roles)) + chance.randrange(3)


@pytest.mark.parametrize("seed", range(12))
def test_no_pair_of_margins_does_better_than_the_tuned_one(seed):
    problem = random_problem(seed)
    margins = tune_margins(*problem)
    # The score changes only where a margin passes a candidate, so the grid next to them stands for all of it.
    odds = [c.log_odds for candidates in problem[0] for c in candidates]
    near = sorted(
        {GRID[n] for value in odds for n in np.clip(np.searchsorted(GRID, value) + [-1, 0], 0, 160)} | {-8, 8}
    )

    best = max(f1_of(*problem, first, further) for first in near for further in near if further >= first)

    assert f1_of(*problem, margins.first, margins.further) == pytest.approx(best)
    assert margins.further >= margins.first
    assert -8.0 <= margins.first <= 8.0


def test_margins_lie_in_the_middle_of_what_does_equally_well():
    right, wrong = candidate(0, 1, 5.0), candidate(2, 3, 1.0)
    margins = tune_margins([[right], [wrong]], [[right.span], []], 1)
    assert margins.first == pytest.approx(3.0, abs=0.11)


def test_gold_arguments_out_of_reach_make_tuning_favour_recall():
    """A doubtful candidate is worth more where recall is low already: 1/2 right beats leaving both out."""
    sure, doubtful = candidate(0, 1, 5.0), candidate(2, 3, -2.0)
    ranked_roles, gold_roles = [[sure], [doubtful], [doubtful]], [[sure.span], [doubtful.span], []]

    def accepted(gold):
        return tune_margins(ranked_roles, gold_roles, gold).first < -2.0

    assert accepted(10)
    assert f1_of(ranked_roles, gold_roles, 10, -8, -8) > f1_of(ranked_roles, gold_roles, 10, 0, 0)


def test_tuning_without_any_candidate_gives_margins_in_order():
    margins = tune_margins([[], []], [[], []], 0)
    assert margins.first <= margins.further
