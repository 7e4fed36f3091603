"""What arguments add one by one, against the scorers on whole documents."""

import random
from dataclasses import replace

import pytest

from eventune.events import Argument, Document, Entity, Event, Mention, Span
from eventune.scoring import SCORERS
from eventune.scoring.definitions import Scoring, make_scorer, model_scorer, score_model
from eventune.scoring.gains import ArgumentGains

TEXT = "The armed rebels of Idlib shelled Homs and Hama again while the mayor met the envoys in a hotel"
WORDS = TEXT.split()
TYPES = ("attack", "meet", "move")


def random_span(chance):
    start = chance.randrange(len(WORDS) - 3)
    return Span(start, start + chance.randrange(1, 4))


def random_documents(seed):
    """Documents with clusters, arguments that are annotated twice, and events with triggers of their own."""
    chance = random.Random(seed)
    documents = []
    for number in range(5):
        events = [
            Event(
                name,
                Span(5 + place, 6 + place),
                tuple(Argument(chance.choice("abc"), random_span(chance)) for _ in range(chance.randrange(4))),
                attributes={"unplaced": [{"role": "a", "argument": "nowhere"}]} if chance.random() < 0.3 else {},
            )
            for place, name in enumerate(TYPES[: chance.randrange(4)])
        ]
        if events and events[0].arguments:
            events[0] = replace(events[0], arguments=(*events[0].arguments, events[0].arguments[0]))
        cluster = Entity((Mention(Span(0, 1)), Mention(Span(6, 7)), Mention(random_span(chance))), f"c{number}")
        documents.append(Document.from_sentences(f"d{number}", [WORDS], events=events, entities=[cluster]))
    return documents


def random_arguments(event, seed):
    """Predictions for an event, some of them right; none twice."""
    chance = random.Random(f"{seed} {event}")
    right = [argument for argument in event.arguments if chance.random() < 0.6]
    wrong = [Argument(chance.choice("abc"), random_span(chance)) for _ in range(2)]
    return list({(a.role, a.span): a for a in (*right, *wrong)}.values())


@pytest.mark.parametrize("scorer", SCORERS)
@pytest.mark.parametrize("seed", range(6))
def test_what_arguments_add_one_by_one_is_the_scorer_s_f1_of_all(scorer, seed):
    documents = random_documents(seed)
    gains = ArgumentGains(scorer, documents)
    parts, predicted = list(gains.nothing), []
    for number, document in enumerate(documents):
        events = []
        for index, event in enumerate(document.events):
            found = random_arguments(event, seed)
            events.append(event.with_arguments(found))
            for role in {argument.role for argument in found}:
                for more in gains.of(number, index, [argument for argument in found if argument.role == role]):
                    parts = [part + gain for part, gain in zip(parts, more, strict=True)]
        predicted.append(document.with_events(events))

    expected = score_model(documents, predicted, scorer)

    assert expected.f1 > 0
    assert gains.f1(parts) == pytest.approx(expected.f1)


@pytest.mark.parametrize("scorer", SCORERS)
def test_nothing_is_gained_without_arguments(scorer):
    documents = random_documents(1)
    gains = ArgumentGains(scorer, documents)
    assert gains.of(0, 0, []) == []
    assert gains.f1(gains.nothing) == 0.0
    assert ArgumentGains(scorer, []).f1(ArgumentGains(scorer, []).nothing) == 0.0


def test_all_gold_arguments_count_by_the_default_scorer(rams_dev):
    arguments = sum(len(event.arguments) for document in rams_dev for event in document.events)
    assert ArgumentGains("rams", rams_dev.documents).nothing == (arguments, 0, 0)


@pytest.mark.parametrize("scorer", SCORERS)
def test_every_scorer_says_what_its_headline_is_called(scorer):
    assert "F1" in Scoring(scorer).title
    for options in ({}, {"heads": lambda document: range(len(document.tokens))}):
        if options.keys() <= SCORERS[scorer].options:
            assert make_scorer(scorer, **options).headline in SCORERS[scorer].titles


def test_a_model_s_span_across_a_sentence_boundary_is_wrong_and_no_error():
    event = Event("attack", Span(0, 1), (Argument("place", Span(1, 2)),))
    gold = Document.from_sentences("d", [["Shelled", "Homs"], ["Hama"]], events=[event])
    crossing = gold.with_events([event.with_arguments([Argument("place", Span(1, 3))])])
    for name in SCORERS:
        assert model_scorer(name).add(gold, crossing)
    assert score_model([gold], [crossing], "rams").f1 == 0.0
