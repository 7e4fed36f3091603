"""Margins, against a loop over all pairs of them."""

import math
import random

import numpy as np
import pytest

from eventune.events import Argument, Document, Event, EventType, Ontology, Role, Span
from eventune.extraction.decoding import Candidate, Margins, annotated, select
from eventune.extraction.margins import FIRST_MARGINS, FURTHER_MARGINS, SMOOTHING_STEPS, best_margins, tune_margins
from eventune.scoring import SCORERS, Tally
from eventune.scoring.definitions import score_model


def tune(candidate_roles, gold_roles, gold):
    """Tune by exact spans, where there are so many gold arguments in all."""
    added = [
        [(0, 1, candidate.span in spans) for candidate in candidates]
        for candidates, spans in zip(candidate_roles, gold_roles, strict=True)
    ]
    return best_margins(candidate_roles, added, nothing=(gold, 0, 0), f1=lambda parts: Tally.metrics_of(parts)[2])


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


def smoothed(plain):
    """Average each value with its neighbours, in a loop."""
    rows, columns = SMOOTHING_STEPS
    padded = np.pad(plain, [(rows, rows), (columns, columns)], mode="edge")
    return np.array(
        [
            [padded[i : i + 2 * rows + 1, j : j + 2 * columns + 1].mean() for j in range(len(FURTHER_MARGINS))]
            for i in range(len(FIRST_MARGINS))
        ]
    )


@pytest.mark.parametrize("seed", range(4))
def test_no_pair_of_margins_has_a_better_neighbourhood_than_the_tuned_one(seed):
    problem = random_problem(seed)
    margins = tune(*problem)

    smooth = smoothed(np.array([[f1_of(*problem, Margins(a, b)) for b in FURTHER_MARGINS] for a in FIRST_MARGINS]))
    tuned = smooth[list(FIRST_MARGINS).index(margins.first), list(FURTHER_MARGINS).index(margins.further)]
    assert tuned == pytest.approx(smooth.max())


def test_margins_lie_in_the_middle_of_what_does_equally_well():
    right, wrong = candidate(0, 1, 5.0), candidate(2, 3, 1.0)
    margins = tune([[right], [wrong]], [[right.span], []], 1)
    assert margins.first == pytest.approx(3.0, abs=0.11)


def test_a_further_margin_is_found_for_what_is_close_to_the_best():
    right, close, far = candidate(0, 1, 5.0), candidate(2, 3, 4.6), candidate(4, 5, 4.0)
    margins = tune([[right, close, far]], [[right.span, close.span]], 2)
    assert [a.span for a in select("place", [right, close, far], margins)] == [right.span, close.span]
    assert margins.further == pytest.approx(-0.7, abs=0.11)


def test_gold_arguments_out_of_reach_make_tuning_favour_recall():
    """A doubtful candidate is worth more where recall is low already: one right of three is then taken."""
    sure, doubtful = candidate(0, 1, 5.0), candidate(2, 3, -2.0)
    candidate_roles = [[sure], [doubtful], [doubtful], [doubtful]]
    gold_roles = [[sure.span], [doubtful.span], [], []]

    def doubtful_is_taken(gold):
        return tune(candidate_roles, gold_roles, gold).first < doubtful.log_odds

    assert not doubtful_is_taken(2)
    assert doubtful_is_taken(10)


def test_tuning_without_any_candidate_gives_margins_that_take_nothing_doubtful():
    margins = tune([[], []], [[], []], 0)
    assert margins.first == 0.0
    assert str(margins.first) == "0.0"
    assert margins.further <= 0.0


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
def test_no_pair_of_margins_has_a_better_neighbourhood_by_the_scorer_itself(scorer):
    documents, found = random_documents(1)
    margins = tune_margins(found, documents, ONTOLOGY, scorer=scorer)
    roles = [candidates for event in found.values() for candidates in event]
    known = {}

    def f1(first, further):
        # What is accepted decides the score, whatever the margins.
        accepted = tuple((best.log_odds > first, next.log_odds - best.log_odds > further) for best, next in roles)
        if accepted not in known:
            known[accepted] = score_model(
                documents, annotated(documents, found, ONTOLOGY, Margins(first, further)), scorer
            ).f1
        return known[accepted]

    smooth = smoothed(np.array([[f1(a, b) for b in FURTHER_MARGINS] for a in FIRST_MARGINS]))
    tuned = smooth[list(FIRST_MARGINS).index(margins.first), list(FURTHER_MARGINS).index(margins.further)]
    assert tuned == pytest.approx(smooth.max())
    assert len(set(known.values())) > 10


def test_margins_tuned_by_a_scorer_are_better_by_it():
    """Almost all of an argument's words are worth much to maven-arg, and a wrong argument to rams."""
    gold = [attack(("attacker", (0, 5)), ("target", (6, 7))) for _ in range(6)]
    documents = [Document.from_sentences(f"d{n}", [WORDS], events=[event]) for n, event in enumerate(gold)]
    sure, almost = Candidate(Span(6, 7), 4.0, 0.9), Candidate(Span(1, 5), 1.0, 0.6)
    found = {(number, 0): [[almost], [sure]] for number in range(6)}

    tuned = {name: tune_margins(found, documents, ONTOLOGY, scorer=name) for name in ("rams", "maven-arg")}
    assert tuned["maven-arg"].first < almost.log_odds < tuned["rams"].first < sure.log_odds

    def f1(by, margins):
        return score_model(documents, annotated(documents, found, ONTOLOGY, tuned[margins]), by).f1

    assert f1("maven-arg", "maven-arg") > f1("maven-arg", "rams")
    assert f1("rams", "rams") > f1("rams", "maven-arg")
