"""Calibration: probabilities that hold, and the threshold with the best expected F1."""

import random

import numpy as np
import pytest

from eventune.events import Argument, Document, Event, EventType, Ontology, Role, Span
from eventune.extraction.calibration import PENALTY, calibrate, fitted
from eventune.extraction.decoding import Calibration, Candidate, annotated
from eventune.scoring import SCORERS
from eventune.scoring.definitions import score_model


def sample(count, seed=0):
    """Signals of random candidates, with how probable it is that they are right, and whether they are."""
    chance = np.random.default_rng(seed)
    signals = chance.normal(size=(count, 5)) * [3, 1, 1, 2, 0.5]
    probable = 1 / (1 + np.exp(-(signals @ [0.3, 0.8, -0.5, -0.2, 0.1] - 0.4)))
    return signals, probable, (chance.random(count) < probable).astype(float)


def probabilities(calibration, signals):
    return np.array([calibration.probability_of(row, *ONE) for row in signals])


ONE = ["place"]
"""The role of candidates that have all the same."""


def test_the_fit_is_where_the_penalised_loss_has_no_slope():
    signals, _, right = sample(400)
    calibration = fitted(signals, right, ONE * 400, gold=right.sum())

    missed = probabilities(calibration, signals) - right
    assert missed.sum() == pytest.approx(0, abs=1e-2)
    assert signals.T @ missed + PENALTY * np.array(calibration.weights) == pytest.approx(np.zeros(5), abs=1e-2)


def test_what_a_role_adds_is_where_its_penalised_loss_has_no_slope_and_little_where_it_has_few_candidates():
    signals, probable, _ = sample(4_003)
    chance = np.random.default_rng(1)
    # Of two roles alike the one is right more often than its signals say, and so is a third that is hardly there.
    roles = ["often"] * 2_000 + ["as told"] * 2_000 + ["rare"] * 3
    odds = np.log(probable / (1 - probable)) + np.array([1.0] * 2_000 + [0.0] * 2_000 + [1.0] * 3)
    right = (chance.random(4_003) < 1 / (1 + np.exp(-odds))).astype(float)
    calibration = fitted(signals, right, roles, gold=right.sum())

    found = np.array(list(map(calibration.probability_of, signals, roles)))
    for role, added in calibration.roles.items():
        own = np.array(roles) == role
        assert (found - right)[own].sum() + PENALTY * added == pytest.approx(0, abs=1e-2)
    assert calibration.roles["often"] - calibration.roles["as told"] == pytest.approx(1, abs=0.2)
    assert abs(calibration.roles["rare"]) < 0.3


def test_a_role_that_is_far_from_what_its_signals_say_gets_a_finite_addition():
    signals = np.array([[-10.0, -13, 0, 10, 1]] * 500 + [[10.0, 0, -13, 0, 0]] * 500)
    right = np.array([0.0] * 499 + [1.0] * 501)
    calibration = fitted(signals, right, ["usual"] * 499 + ["odd"] + ["usual"] * 500, gold=501)
    assert np.isfinite(list(calibration.roles.values())).all()
    assert calibration.roles["odd"] > 0


def test_probabilities_hold_on_what_was_not_seen():
    calibration = fitted(*sample(2_000)[::2], ONE * 2_000, gold=1_000)
    signals, probable, right = sample(4_000, seed=1)

    found = probabilities(calibration, signals)
    assert np.abs(found - probable).mean() < 0.03
    tenths = np.minimum((found * 10).astype(int), 9)
    errors = [abs(found[tenths == n].mean() - right[tenths == n].mean()) * (tenths == n).mean() for n in set(tenths)]
    assert sum(errors) < 0.03


def test_no_threshold_has_a_better_expected_f1():
    signals, _, right = sample(300)
    gold = right.sum() + 40
    calibration = fitted(signals, right, ONE * 300, gold=gold)

    found = probabilities(calibration, signals)
    best = max(2 * found[found >= t].sum() / ((found >= t).sum() + gold) for t in found)
    kept = found >= calibration.threshold
    assert 2 * found[kept].sum() / (kept.sum() + gold) == pytest.approx(best, abs=1e-6)


def test_gold_arguments_out_of_reach_make_it_favour_recall():
    """A doubtful candidate is worth more where recall is low already."""
    signals, _, right = sample(300)
    by_gold = [fitted(signals, right, ONE * 300, gold=gold).threshold for gold in (1_000, right.sum())]
    assert by_gold[0] < by_gold[1]


@pytest.mark.parametrize("right", [[1.0] * 6, [0.0] * 6, [1.0] * 3 + [0.0] * 3])
def test_a_few_candidates_that_a_line_parts_give_finite_weights(right):
    signals = np.array([[x, 0, 0, 0, 0] for x in (5.0, 4.0, 3.0, -3.0, -4.0, -5.0)])
    calibration = fitted(signals, np.array(right), ONE * 6, gold=3)
    assert np.isfinite([calibration.intercept, *calibration.weights, calibration.threshold]).all()


def test_without_any_candidate_nothing_is_kept():
    calibration = calibrate({}, [], ONTOLOGY, scorer="rams")
    assert calibration == Calibration()
    assert calibration.chosen([Candidate(Span(0, 1), 3.0, 0.9)]) == []


ROLES = (Role("attacker", 2), Role("target", 2))
ONTOLOGY = Ontology.of([EventType("attack", ROLES), EventType("meet", (Role("participant", 2),))])
WORDS = ["The", "armed", "rebels", "of", "Idlib", "shelled", "Homs", "and", "met", "again", "in", "the", "old", "town"]


def attack(*fillers):
    return Event("attack", Span(5, 6), tuple(Argument(role, Span(*span)) for role, span in fillers))


def random_documents(seed):
    """Documents with events whose candidates are right, almost right, or wrong."""
    chance = random.Random(seed)
    documents, found = [], {}
    for number in range(4):
        events = [
            attack(
                ("attacker", (1, 3)), *chance.choice([[("target", (6, 7))], [("target", (12, 14)), ("victim", (0, 1))]])
            ),
            Event("meet", Span(8, 9), (Argument("participant", Span(0, 5)),) * chance.choice([1, 2])),
            Event("unheard.of", Span(9, 10), (Argument("place", Span(11, 14)),)),
        ]
        documents.append(Document.from_sentences(f"d{number}", [WORDS], events=events))
        for index, event in enumerate(events[:2]):
            found[number, index] = []
            for role in ONTOLOGY[event.type].roles:
                gold = [argument.span for argument in event.arguments if argument.role == role.name]
                best = chance.uniform(-3, 4)
                spans = [chance.choice([*gold[:1], Span(2, 3), Span(0, 3)]), chance.choice([Span(8, 11), Span(7, 8)])]
                spans = spans[:: chance.choice([1, -1])]
                odds = [best, best - chance.uniform(0, 3)]
                found[number, index].append([Candidate(s, o, 0.5) for s, o in zip(spans, odds, strict=True)])
    return documents, found


@pytest.mark.parametrize("scorer", SCORERS)
def test_by_every_scorer_what_is_kept_is_better_than_all_and_than_nothing(scorer):
    documents, found = random_documents(1)
    calibration = calibrate(found, documents, ONTOLOGY, scorer=scorer)

    def f1(choice):
        return score_model(documents, annotated(documents, found, ONTOLOGY, choice), scorer).f1

    everything = Calibration(calibration.intercept, calibration.weights, 0.0)
    assert f1(calibration) >= f1(everything) - 0.02
    assert f1(calibration) > 0


def test_what_counts_as_right_is_the_scorer_s():
    """Almost all of an argument's words are worth much to maven-arg, and a wrong argument to rams."""
    gold = [attack(("attacker", (0, 5)), ("target", (6, 7))) for _ in range(40)]
    documents = [Document.from_sentences(f"d{n}", [WORDS], events=[event]) for n, event in enumerate(gold)]
    sure, almost = Candidate(Span(6, 7), 4.0, 0.9), Candidate(Span(1, 5), 1.0, 0.6)
    found = {(number, 0): [[almost], [sure]] for number in range(40)}

    tuned = {name: calibrate(found, documents, ONTOLOGY, scorer=name) for name in ("rams", "maven-arg")}
    kept = {name: [bool(tuned[name].chosen([candidate])) for candidate in (almost, sure)] for name in tuned}
    assert kept == {"rams": [False, True], "maven-arg": [True, True]}
