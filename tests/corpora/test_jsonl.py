import json
import re

import pytest

from eventune.corpora.jsonl import read_document, recognises, write_document
from eventune.errors import InvalidValueError
from eventune.events import Argument, Document, Event, Span


def full_document():
    events = [
        Event("attack", Span(1, 2), (Argument("attacker", Span(0, 1), 0.25), Argument("place", Span(2, 4))), "e1"),
        Event("flight", None),
    ]
    return Document.from_sentences(
        "d1", [["Rebels", "shelled", "Homs", "市"], ["All", "fled"]], events=events, metadata={"n": [1, {"a": None}]}
    )


def record(**changes):
    return {**next(write_document(full_document())), **changes}


def test_written_document_reads_back_equal():
    document = full_document()
    [written] = write_document(document)
    again = read_document(json.loads(json.dumps(written)))
    assert again == document
    assert again.metadata == document.metadata


def test_record_holds_half_open_spans_and_leaves_out_absent_scores():
    [written] = write_document(full_document())
    assert written["tokens"][:2] == [[0, 6], [7, 14]]
    assert written["sentences"] == [[0, 4], [4, 6]]
    assert written["events"][0] == {
        "id": "e1",
        "type": "attack",
        "trigger": [1, 2],
        "text": "shelled",
        "start": 7,
        "end": 14,
        "arguments": [
            {"role": "attacker", "span": [0, 1], "text": "Rebels", "start": 0, "end": 6, "score": 0.25},
            {"role": "place", "span": [2, 4], "text": "Homs 市", "start": 15, "end": 21},
        ],
    }
    assert written["events"][1].keys() == {"id", "type", "trigger", "arguments"}
    assert written["events"][1]["trigger"] is None


def test_id_and_text_are_enough():
    document = read_document({"id": "d", "text": "Mr. Smith left. All's well."})
    assert document.words == ("Mr.", "Smith", "left", ".", "All", "'s", "well", ".")
    assert document.sentences == (Span(0, 4), Span(4, 8))
    assert document.events == ()


def test_sentences_are_found_over_the_tokens_given():
    document = read_document({"id": "d", "text": "A b. C", "tokens": [[0, 1], [2, 3], [3, 4], [5, 6]]})
    assert document.sentences == (Span(0, 3), Span(3, 4))


def test_event_may_be_no_more_than_its_type():
    value = {"id": "d", "text": "a", "tokens": [[0, 1]], "events": [{"type": "attack"}]}
    assert read_document(value).events == (Event("attack", None),)


def test_events_without_any_span_need_no_tokens():
    document = read_document({"id": "d", "text": "Rebels fled.", "events": [{"type": "flight", "trigger": None}]})
    assert (document.words, document.events) == (("Rebels", "fled", "."), (Event("flight", None),))


def test_characters_of_a_place_may_be_left_out():
    value = record()
    for name in ("text", "start", "end"):
        del value["events"][0][name], value["events"][0]["arguments"][0][name]
    assert read_document(value) == full_document()


@pytest.mark.parametrize(("name", "found"), [("text", "Rebel"), ("start", 1), ("end", 7), ("end", None)])
def test_characters_that_contradict_the_tokens_are_refused(name, found):
    for place in ("events[0].arguments[0]", "events[0]"):
        value = record()
        event = value["events"][0]
        (event["arguments"][0] if "arguments" in place else event)[name] = found
        with pytest.raises(InvalidValueError, match=f"{re.escape(place)}.{name}: expected what the tokens say"):
            read_document(value)


def test_characters_of_a_trigger_that_is_not_there_are_refused():
    value = record()
    value["events"][1]["start"] = 3
    with pytest.raises(InvalidValueError, match=r"events\[1\].start: .* no trigger"):
        read_document(value)


def test_tokens_are_made_where_no_span_counts_them():
    document = read_document({"id": "d", "text": "They won. He left.", "events": [{"type": "win"}, {"type": "leave"}]})
    assert [event.type for event in document.events] == ["win", "leave"]
    assert document.words == ("They", "won", ".", "He", "left", ".")


def test_empty_text_is_a_document():
    assert read_document({"id": "d", "text": ""}).words == ()


@pytest.mark.parametrize("name", ["events", "sentences"])
def test_spans_without_the_tokens_they_count_are_refused(name):
    value = record()
    del value["tokens"]
    value["events" if name == "sentences" else "sentences"] = []
    if name == "events":
        del value["sentences"]
    message = f'tokens: expected the tokens that the spans of {name} count, found no such field\n.*such as "tokens": '
    with pytest.raises(InvalidValueError, match=message):
        read_document(value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"text": 3}, "text: expected a string, found 3"),
        ({"id": None}, "id: expected a string, found null"),
        ({"id": ""}, "id: expected a non-empty string"),
        ({"tokens": [[0, 6], [5, 7]]}, r"tokens\[1\]: expected a start >= 6, found 5"),
        ({"tokens": [[0, 99]]}, r"tokens\[0\]: expected an end <= 30"),
        ({"tokens": [[0, 0]]}, r"tokens\[0\]: expected a non-empty span .* exclusive, found \[0, 0\]"),
        ({"tokens": [[0, True]]}, r"tokens\[0\]: expected a non-empty span"),
        ({"tokens": "a b"}, 'tokens: expected a list, found "a b"'),
        ({"sentences": [[0, 3]]}, "sentences: expected to cover 6 tokens, found 3 covered"),
        ({"events": {}}, r"events: expected a list, found \{\}"),
        ({"events": [3]}, r"events\[0\]: expected an object, found 3"),
        ({"events": [{}]}, r"events\[0\]\.type: expected a string, found no such field"),
        ({"events": [{"type": ""}]}, r"events\[0\]\.type: expected a non-empty string"),
        ({"events": [{"type": "a", "trigger": [6, 7]}]}, r"events\[0\]\.trigger: .* 6 tokens, found \[6, 7\)"),
        ({"events": [{"type": "a", "trigger": 2}]}, r"events\[0\]\.trigger: .*, found 2"),
        ({"events": [{"type": "a", "id": 7}]}, r"events\[0\]\.id: expected a string, found 7"),
        ({"events": [{"type": "a", "arguments": [{"span": [0, 1]}]}]}, r"arguments\[0\]\.role: expected a string"),
        ({"events": [{"type": "a", "arguments": [{"role": "b"}]}]}, r"arguments\[0\]\.span: expected a list"),
        (
            {"events": [{"type": "a", "arguments": [{"role": "b", "span": [0, 1], "score": "1"}]}]},
            r'arguments\[0\]\.score: expected a number or null, found "1"',
        ),
        (
            {"events": [{"type": "a", "arguments": [{"role": "b", "span": [0, 1], "score": 10**400}]}]},
            r"arguments\[0\]\.score: expected a number or null, found 1000",
        ),
        (
            {"events": [{"type": "a"}, {"type": "a", "arguments": [{"role": "b", "span": [3, 2]}]}]},
            r"events\[1\]\.arguments\[0\]\.span",
        ),
        ({"metadata": []}, "metadata: expected an object"),
    ],
)
def test_wrong_field_is_named(changes, message):
    with pytest.raises(InvalidValueError, match=message):
        read_document(record(**changes))


def test_missing_text_is_named():
    with pytest.raises(InvalidValueError, match="text: expected a string, found no such field"):
        read_document({"id": "d"})


def test_misspelt_field_is_refused_and_not_lost():
    with pytest.raises(InvalidValueError, match=r"found an unknown field\ndid you mean 'events'"):
        read_document(record(event=[]))
    with pytest.raises(InvalidValueError, match=r"events\[0\]\.argument: .*\ndid you mean 'arguments'"):
        read_document(record(events=[{"type": "a", "argument": []}]))


def test_own_records_are_recognised_and_foreign_ones_are_not():
    assert recognises(record())
    assert recognises({"text": "a"})
    assert not recognises({"doc_id": "a", "text": "b"})
