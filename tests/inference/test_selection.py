"""Which documents are worth labelling."""

import random
from collections import Counter

import pytest

from eventune.events import Argument, Document, Event, Span
from eventune.inference.selection import expected_errors, select


def document(text, *scores, trigger=None, event_type="attack"):
    events = []
    if scores or trigger is not None:
        attributes = {} if trigger is None else {"score": trigger}
        arguments = tuple(Argument("role", Span(0, 1), score) for score in scores)
        events = [Event(event_type, Span(1, 2), arguments, attributes=attributes)]
    return Document.from_sentences(text, [text.split()], events=events)


def test_expected_errors_are_what_the_probabilities_leave():
    assert expected_errors(document("a b")) == 0.0
    assert expected_errors(document("a b", 0.9, 0.6, trigger=0.8)) == pytest.approx(0.7)
    assert expected_errors(document("a b", None)) == 0.5


def test_the_least_certain_of_documents_that_share_nothing_come_first():
    pool = [
        document("a b", 0.9),
        document("c d", 0.5, 0.5, event_type="meeting"),
        document("e f"),
        document("g h", 0.6, event_type="trial"),
    ]
    assert select(pool, 3) == [1, 3, 0]


def test_of_two_documents_alike_one_is_enough():
    pool = [document("a b c", 0.5), document("a b c", 0.51), document("x y z", 0.9)]
    assert select(pool, 2) == [0, 2]


def test_what_is_like_a_labelled_document_comes_last():
    pool = [document("a b c", 0.2), document("x y z", 0.9)]
    assert select(pool, 2, labelled=[document("a b c")]) == [1, 0]


@pytest.mark.parametrize("strategy", ["uncertain", "diverse"])
def test_a_type_that_is_labelled_nowhere_comes_before_one_that_is(strategy):
    pool = [document("a b", 0.5), document("c d", 0.6, event_type="meeting")]
    assert select(pool, 1, strategy=strategy) == [0]
    assert select(pool, 1, strategy=strategy, labelled=[document("e f", 0.5)]) == [1]


def test_diversity_does_not_look_at_findings():
    pool = [document("a b c"), document("a b d", 0.1, 0.1), document("x y z")]
    assert select(pool, 2, strategy="diverse") == [0, 2]


def test_chance_is_the_same_for_the_same_seed_and_chooses_nothing_twice():
    pool = [document(f"w{n} v{n}") for n in range(20)]
    assert select(pool, 8, strategy="random", seed=1) == select(pool, 8, strategy="random", seed=1)
    assert select(pool, 8, strategy="random", seed=1) != select(pool, 8, strategy="random", seed=2)
    assert Counter(select(pool, 50, strategy="random")) == Counter(range(20))


@pytest.mark.parametrize("strategy", ["uncertain", "diverse"])
@pytest.mark.parametrize("seed", range(5))
def test_every_document_is_chosen_once_where_all_are_wanted(strategy, seed):
    draw = random.Random(seed)
    pool = [document(" ".join(draw.choices("abcdefgh", k=4)), draw.random()) for _ in range(12)]
    assert sorted(select(pool, 99, strategy=strategy)) == list(range(12))


def test_nothing_is_chosen_of_nothing():
    assert select([], 3) == []
