"""TextEE's scores, beyond what the published outputs show."""

import pytest

from eventune.events import Document, Event, Span
from eventune.scoring import score

WORDS = [["They", "shot", "."], ["It", "rained", "."], ["They", "ate", "."]]


def document(*triggers):
    return Document.from_sentences("d", WORDS, events=[Event("attack", Span(at, at + 1)) for at in triggers])


@pytest.mark.parametrize("triggers", ["predicted", "alone"])
def test_predicted_triggers_come_with_false_alarms_in_sentences_without_events(triggers):
    gold, predicted = [document(1)] * 10, [document(1, 4), *[document(1)] * 9]
    result = score(gold, predicted, scorer="textee", triggers=triggers).to_dict()

    assert result["false_alarms"] == {
        "sentences": 20,
        "events": 1,
        "per_thousand_sentences": 50.0,
        "types": {"attack": 1},
    }


def test_given_triggers_and_few_sentences_without_events_have_none_to_tell():
    gold = [document(1)] * 10
    assert "false_alarms" not in score(gold, gold, scorer="textee", triggers="gold").to_dict()
    assert "false_alarms" not in score(gold[:9], gold[:9], scorer="textee", triggers="alone").to_dict()
