"""What kind of error each predicted event is."""

import pytest

from eventune.events import Document, Event, Span
from eventune.scoring.errors import ErrorAnalysis
from eventune.scoring.event_errors import KINDS, EventErrors, pair_events

WORDS = [["w"] * 20]


def event(start, end, type="attack"):
    return Event(type, Span(start, end))


def document(*events):
    return Document.from_sentences("d", WORDS, events=events)


@pytest.mark.parametrize(
    ("predicted", "expected"),
    [
        ([event(2, 4)], ["matched"]),
        ([event(2, 4, "die")], ["wrong type"]),
        ([event(3, 5)], ["wrong trigger span"]),
        ([event(3, 5, "die")], ["missed event", "spurious event"]),
        ([event(4, 5)], ["missed event", "spurious event"]),
        ([], ["missed event"]),
        ([event(2, 4, "die"), event(2, 4)], ["matched", "spurious event"]),
        ([event(1, 3), event(2, 4, "die")], ["wrong type", "spurious event"]),
        ([event(2, 4), event(2, 4)], ["matched", "spurious event"]),
    ],
)
def test_each_kind(predicted, expected):
    assert [pair.kind for pair in pair_events(document(event(2, 4)), document(*predicted))] == expected


def test_events_without_a_trigger_are_told_by_their_type():
    gold = document(Event("attack", None), Event("die", None))
    assert [pair.kind for pair in pair_events(gold, document(Event("die", None), event(2, 4)))] == [
        "matched",
        "missed event",
        "spurious event",
    ]


def test_counts_are_told_by_type_and_confused_types_by_pair():
    errors = EventErrors()
    gold, predicted = document(event(2, 4), event(6, 7)), document(event(2, 4, "die"), event(9, 10, "meet"))
    errors.add(tuple(pair_events(gold, predicted)))
    result = errors.to_dict()
    assert result["kinds"] == dict.fromkeys(KINDS, 0) | {"wrong type": 1, "missed event": 1, "spurious event": 1}
    assert list(result["types"]) == ["attack", "meet"]
    assert result["types"]["attack"]["missed event"] == 1
    assert result["confusion"] == [{"gold": "attack", "predicted": "die", "count": 1}]


def test_a_document_with_wrong_events_alone_is_an_example():
    analysis = ErrorAnalysis()
    analysis.add(document(event(2, 4)), document(event(2, 4)))
    analysis.add(document(event(2, 4)), document())
    assert [[pair.kind for pair in example.events] for example in analysis.examples] == [["missed event"]]
    assert analysis.to_dict()["events"]["kinds"]["matched"] == 1
