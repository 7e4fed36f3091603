"""From scores to triggers, against loops that are too slow to be wrong."""

import random
import time

import pytest

from eventune.events import Span
from eventune.extraction.detection.decoding import (
    MARGINS,
    NEVER,
    TriggerCandidate,
    TriggerMargins,
    ranked,
    select,
    tune_margins,
)

TYPES = ("attack", "death")


def candidate(start, end, kind, log_odds):
    return TriggerCandidate(Span(start, end), kind, log_odds)


def test_one_span_may_have_two_types_and_one_trigger_lie_in_another():
    candidates = ranked([candidate(3, 4, 0, 4.0), candidate(3, 4, 1, 3.0), candidate(2, 5, 0, 2.5)])

    assert [c.overlapping for c in candidates] == [False, True, True]
    events = select(candidates, TriggerMargins(0.0, 2.0), TYPES)
    assert [(e.type, e.trigger) for e in events] == [
        ("attack", Span(2, 5)),
        ("attack", Span(3, 4)),
        ("death", Span(3, 4)),
    ]
    assert [(e.type, e.trigger) for e in select(candidates, TriggerMargins(0.0, 3.5), TYPES)] == [
        ("attack", Span(3, 4))
    ]


def test_what_overlaps_a_span_that_itself_overlaps_a_better_one_stands_alone():
    candidates = ranked([candidate(0, 2, 0, 4.0), candidate(1, 3, 0, 3.0), candidate(2, 4, 0, 2.0)])

    assert [(c.span, c.overlapping) for c in candidates] == [
        (Span(0, 2), False),
        (Span(1, 3), True),
        (Span(2, 4), False),
    ]


def some_candidates(rng, count, words):
    starts = [rng.randrange(words) for _ in range(count)]
    return [candidate(start, start + rng.randint(1, 5), rng.randrange(2), rng.uniform(-9, 9)) for start in starts]


@pytest.mark.parametrize("seed", range(5))
def test_overlaps_are_those_of_a_comparison_of_all_pairs(seed):
    alone = []
    for found in ranked(some_candidates(random.Random(seed), 60, 40)):
        assert found.overlapping == any(found.span.overlaps(span) for span in alone)
        alone += [] if found.overlapping else [found.span]


def test_a_long_document_with_thousands_of_candidates_is_ranked_at_once():
    candidates = some_candidates(random.Random(0), 8_000, 16_000)
    start = time.process_time()
    ranked(candidates)
    assert time.process_time() - start < 1


def test_of_a_span_that_two_windows_found_the_better_score_counts():
    [found] = ranked([candidate(1, 2, 0, 1.0), candidate(1, 2, 0, 2.0)])
    assert found.log_odds == 2.0


def test_events_have_their_probability_as_score():
    [event] = select([candidate(0, 1, 1, 0.0)], TriggerMargins(-1.0, 0.0), TYPES)
    assert event.attributes == {"score": 0.5}


def f1(documents, gold, margins):
    predicted = [(n, c.span, c.type) for n, cs in enumerate(documents) for c in cs if c.exceeds(margins)]
    total = {(n, *trigger) for n, triggers in enumerate(gold) for trigger in triggers}
    return 2 * len(total & set(predicted)) / max(len(predicted) + len(total), 1)


@pytest.mark.parametrize("seed", range(5))
def test_tuned_margins_are_nearly_the_best_of_all_pairs(seed):
    rng = random.Random(seed)
    documents, gold = [], []
    for _ in range(200):
        candidates = [candidate(n, n + 1, rng.randrange(2), rng.uniform(-5, 5)) for n in range(4)]
        candidates += [candidate(0, 1, 1 - candidates[0].type, rng.uniform(-5, 5))]
        documents.append(ranked(candidates))
        gold.append({(c.span, c.type) for c in candidates if c.log_odds + rng.gauss(0, 1.5) > 1.0})
    margins = tune_margins(documents, gold, sum(map(len, gold)))

    best = max(f1(documents, gold, TriggerMargins(a, b)) for a in MARGINS[::5] for b in MARGINS[::5])
    assert f1(documents, gold, margins) > best - 0.02


def test_without_overlaps_in_the_gold_none_is_ever_predicted():
    documents = [ranked([candidate(0, 1, 0, 5.0), candidate(0, 1, 1, 4.9)])]
    assert tune_margins(documents, [{(Span(0, 1), 0)}], 1).overlapping == NEVER
