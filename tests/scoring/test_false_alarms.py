"""How many events are found where there are none."""

from eventune.events import Document, Event, Span
from eventune.scoring.false_alarms import FalseAlarms

SENTENCES = [["a", "b"], ["c", "d"], ["e", "f"], ["g", "h"]]


def document(*triggers):
    events = [Event(type, None if start is None else Span(start, start + 1)) for start, type in triggers]
    return Document.from_sentences("d", SENTENCES, events=events)


def test_events_in_sentences_without_any_are_counted():
    alarms = FalseAlarms()
    alarms.add(document((2, "attack")), document((2, "attack"), (3, "die"), (4, "die"), (5, "die"), (7, "meet")))
    alarms.add(document(), document())
    assert alarms.to_dict() == {
        "sentences": 7,
        "events": 3,
        "per_thousand_sentences": 3000 / 7,
        "types": {"die": 2, "meet": 1},
    }


def test_a_document_with_an_event_somewhere_has_no_sentence_that_is_free_for_sure():
    alarms = FalseAlarms()
    alarms.add(document((None, "attack")), document((2, "attack")))
    assert alarms.to_dict() == {"sentences": 0, "events": 0, "per_thousand_sentences": 0.0, "types": {}}
