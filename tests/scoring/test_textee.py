"""TextEE's scores, beyond what the published outputs show."""

import pytest

from eventune.events import Document, Event, Span
from eventune.scoring import score

WORDS = [["They", "shot", "."], ["It", "rained", "."], ["They", "ate", "."]]


def document(*triggers, name="d"):
    return Document.from_sentences(name, WORDS, events=[Event("attack", Span(at, at + 1)) for at in triggers])


def documents(count):
    return [document(1, name=str(number)) for number in range(count)]


@pytest.mark.parametrize("triggers", ["predicted", "alone"])
def test_predicted_triggers_come_with_false_alarms_in_sentences_without_events(triggers):
    gold = documents(10)
    predicted = [document(1, 4, name="0"), *gold[1:]]
    result = score(gold, predicted, scorer="textee", triggers=triggers).to_dict()

    assert result["false_alarms"] == {
        "sentences": 20,
        "events": 1,
        "per_thousand_sentences": 50.0,
        "types": {"attack": 1},
    }


def test_given_triggers_and_few_sentences_without_events_have_none_to_tell():
    gold = documents(10)
    assert "false_alarms" not in score(gold, gold, scorer="textee", triggers="gold").to_dict()
    assert "false_alarms" not in score(gold[:9], gold[:9], scorer="textee", triggers="alone").to_dict()


def test_where_some_events_only_are_marked_nobody_knows_what_is_a_false_alarm():
    long = [["word"] * 40] * 2
    marked = [Document.from_sentences(f"d{n}", long, events=[Event("attack", Span(3, 4))]) for n in range(60)]
    assert "false_alarms" not in score(marked, marked, scorer="textee", triggers="alone").to_dict()
