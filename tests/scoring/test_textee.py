"""TextEE's scores, beyond what the published outputs show."""

import pytest

from eventune.events import Document, Event, Span
from eventune.scoring import score

WORDS = [["They", "shot", "."], ["It", "rained", "."], ["They", "ate", "."]]


def document(*triggers):
    return Document.from_sentences("d", WORDS, events=[Event("attack", Span(at, at + 1)) for at in triggers])


@pytest.mark.parametrize("triggers", ["predicted", "alone"])
def test_predicted_triggers_come_with_false_alarms_in_sentences_without_events(triggers):
    result = score([document(1)], [document(1, 4)], scorer="textee", triggers=triggers).to_dict()

    assert result["false_alarms"] == {
        "sentences": 2,
        "events": 1,
        "per_thousand_sentences": 500.0,
        "types": {"attack": 1},
    }


def test_given_triggers_and_corpora_with_an_event_in_each_sentence_have_none_to_tell():
    assert "false_alarms" not in score([document(1)], [document(1)], scorer="textee", triggers="gold").to_dict()
    assert "false_alarms" not in score([document(1, 4, 7)], [document(1)], scorer="textee", triggers="alone").to_dict()
