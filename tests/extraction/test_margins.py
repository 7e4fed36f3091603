"""Margins, against a loop over all pairs of them."""

import math
import random

import numpy as np
import pytest

from eventune.events import Span
from eventune.extraction.decoding import Candidate, Margins, select
from eventune.extraction.margins import FIRST_MARGINS, FURTHER_MARGINS, SMOOTHING_STEPS, tune_margins


def candidate(start, end, log_odds):
    return Candidate(Span(start, end), log_odds, 0.5)


def f1_of(candidate_roles, gold_roles, gold, margins):
    found = [select("place", candidates, margins) for candidates in candidate_roles]
    matched = sum(a.span in spans for arguments, spans in zip(found, gold_roles, strict=True) for a in arguments)
    return 2 * matched / max(sum(map(len, found)) + gold, 1)


def random_problem(seed):
    """Candidates of some roles, with gold spans that those hit more often which are better or close behind."""
    chance = random.Random(seed)
    candidate_roles, gold_roles = [], []
    for _ in range(chance.randrange(2, 9)):
        best = chance.uniform(-9, 9)
        odds = sorted((best - chance.choice([0, 1, 1]) * chance.uniform(0, 4.5) for _ in range(3)), reverse=True)
        candidates = [candidate(2 * n, 2 * n + 1, value) for n, value in enumerate(odds)]
        candidate_roles.append(candidates)
        likely = [1 / (1 + math.exp(-best / 3)), *(math.exp(value - odds[0]) for value in odds[1:])]
        gold_roles.append([c.span for c, p in zip(candidates, likely, strict=True) if chance.random() < p])
    return candidate_roles, gold_roles, sum(map(len, gold_roles)) + chance.randrange(3)


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
    candidate_roles = [[sure], [doubtful], [doubtful], [doubtful]]
    gold_roles = [[sure.span], [doubtful.span], [], []]

    def doubtful_is_taken(gold):
        return tune_margins(candidate_roles, gold_roles, gold).first < doubtful.log_odds

    assert not doubtful_is_taken(2)
    assert doubtful_is_taken(10)


def test_tuning_without_any_candidate_gives_margins_that_take_nothing_doubtful():
    margins = tune_margins([[], []], [[], []], 0)
    assert margins.first == 0.0
    assert str(margins.first) == "0.0"
    assert margins.further <= 0.0
