"""From candidates to arguments."""

import math

import pytest

from eventune.events import EventType, Ontology, Role, Span
from eventune.extraction.decoding import (
    Calibration,
    Candidate,
    Margins,
    averaged,
    candidates_a_role,
    non_maximum_suppression,
    signals_of,
)


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


def test_a_single_reading_is_left_as_it_is():
    found = [candidate(3, 5, 1.0), candidate(3, 5, 2.0)]
    assert averaged([found], most=12) == found
    assert averaged([[]], most=12) == []


def test_two_readings_of_a_span_are_averaged_and_its_share_follows_from_that():
    [found] = averaged([[candidate(3, 5, 3.0)], [candidate(3, 5, 1.0)]], most=12)
    assert (found.span, found.log_odds) == (Span(3, 5), 2.0)
    assert found.probability == pytest.approx(math.exp(2) / (1 + math.exp(2)))


def test_a_span_that_one_reading_does_not_list_is_no_better_there_than_the_last_that_it_lists():
    first = [candidate(0, 1, 4.0), candidate(2, 3, 2.0)]
    found = {c.span: c.log_odds for c in averaged([first, [candidate(4, 5, 6.0)]], most=12)}
    assert found == {Span(0, 1): 4.5, Span(2, 3): 3.5, Span(4, 5): 3.5}
    assert averaged([first, []], most=12)[0].log_odds < 0


def test_of_two_windows_of_one_reading_the_better_score_is_averaged():
    first = [candidate(0, 1, 4.0), candidate(0, 1, 2.0)]
    assert [c.log_odds for c in averaged([first, [candidate(0, 1, 0.0)]], most=12)] == [2.0]


def test_windows_far_away_take_nothing_from_a_span():
    near = [candidate(word, word + 1, -float(word)) for word in range(3)]
    far = [candidate(word, word + 1, -float(word)) for word in range(20, 23)]

    def of_sixth(reading):
        return next(c.log_odds for c in averaged([[candidate(5, 6, 4.0)], reading], most=3) if c.span == Span(5, 6))

    assert of_sixth(near + far) == of_sixth(near)


def test_no_odds_are_too_great_to_be_averaged():
    found = averaged([[candidate(0, 1, 1e5)], [candidate(0, 1, 1e5), candidate(2, 3, -1e5)]], most=12)
    assert all(0 <= c.probability <= 1 for c in found)


def test_the_best_candidate_must_beat_the_empty_role_and_a_further_one_come_close_to_the_best():
    found = [candidate(0, 1, 3.0), candidate(2, 3, 2.0), candidate(4, 5, 1.0)]

    def chosen(first, further):
        return [candidate.span.start for candidate, _ in Margins(first, further).chosen(found)]

    assert chosen(0.0, -4.0) == [0, 2, 4]
    assert chosen(0.0, -1.5) == [0, 2]
    assert chosen(2.5, -4.0) == [0, 2, 4]
    assert chosen(0.0, -1.0) == [0]
    assert chosen(3.0, -4.0) == []


def test_no_candidate_gives_no_argument():
    assert Margins().chosen([]) == Calibration(threshold=0.0).chosen([]) == []


def test_arguments_carry_role_and_probability():
    [(candidate, score)] = Margins().chosen([Candidate(Span(1, 2), 4.0, 0.98765432)])
    argument = candidate.argument("place", score)
    assert (argument.role, argument.span, argument.score) == ("place", Span(1, 2), 0.987654)


def test_a_calibration_keeps_what_is_probable_enough_by_its_signals():
    found = [Candidate(Span(0, 1), 2.0, 0.6), Candidate(Span(2, 3), 1.0, 0.25)]
    calibration = Calibration(intercept=0.1, weights=(0.5, 1.0, -1.0, -0.2, 0.3), threshold=0.5)

    scores = [0.1 + 0.5 * 2 + math.log(0.6 / 0.4), 0.1 + 0.5 + math.log(0.25 / 0.75) - 0.2 + 0.3]
    expected = [1 / (1 + math.exp(-score)) for score in scores]
    assert [probability for _, probability in calibration.chosen(found)] == pytest.approx(expected[:1])
    assert [probability for _, probability in calibration.shifted(-1.0).chosen(found)] == pytest.approx(expected)
    assert calibration.shifted(4.0).chosen(found) == []


@pytest.mark.parametrize("signals", [(math.inf,) * 5, (-math.inf,) * 5, (1e308,) * 5, (0.0,) * 5])
def test_a_calibration_has_a_probability_for_whatever_a_file_may_hold(signals):
    assert 0 <= Calibration(weights=(1e308, 1.0, -1.0, 0.0, 0.0)).probability_of(signals) <= 1


def test_signals_stay_finite():
    assert all(map(math.isfinite, signals_of([Candidate(Span(0, 1), 1e9, 1.0), Candidate(Span(1, 2), -1e9, 0.0)])[1]))


@pytest.mark.parametrize(("multiplicity", "count"), [(1, 12), (6, 12), (15, 30)])
def test_as_many_spans_of_a_role_are_looked_at_as_may_fill_it(multiplicity, count):
    ontology = Ontology.of([EventType("attack", (Role("place"), Role("victim", multiplicity))), EventType("rain", ())])
    assert candidates_a_role(ontology) == count
