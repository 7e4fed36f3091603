import pytest

from eventune.corpora import jsonl
from eventune.corpora.maven_arg import read_document, recognises, write_document
from eventune.errors import InvalidValueError
from eventune.events import Argument, Document, Entity, Event, Mention, Span

TEXT = "Rebels shelled East Homs . The shelling lasted ."


def place(field, words, **rest):
    start = TEXT.index(words)
    return {**rest, field: words, "offset": [start, start + len(words)]}


def record(**changes):
    value = {
        "id": "d1",
        "title": "Homs",
        "document": TEXT,
        "events": [
            {
                "id": "EVENT_1",
                "type": "Attack",
                "type_id": 4,
                "mention": [
                    place("trigger_word", "shelled", id="m1"),
                    place("trigger_word", "shelling", id="m2"),
                ],
                "argument": {
                    "Agent": [place("content", "Rebels")],
                    "Time": [],
                    "Location": [{"entity_id": "ENTITY_1"}],
                },
            }
        ],
        "entities": [
            {
                "id": "ENTITY_1",
                "type": "Location",
                "mention": [place("mention", "East Homs", id="n1"), place("mention", "Homs", id="n2")],
            }
        ],
        "negative_triggers": [place("trigger_word", "lasted", id="x1")],
    }
    return {**value, **changes}


def candidates(*mentions):
    value = record(event_mentions=list(mentions))
    del value["events"], value["negative_triggers"]
    return value


def event(**changes):
    return {"events": [{**record()["events"][0], **changes}]}


def argument(value):
    return event(argument={"Agent": [value]})


def test_events_have_all_their_mentions_and_arguments_their_entities():
    document = read_document(record())
    assert document.events == (
        Event(
            "Attack",
            Span(1, 2),
            (Argument("Agent", Span(0, 1)), Argument("Location", Span(2, 4), filler="ENTITY_1")),
            "EVENT_1",
            (Mention(Span(1, 2), "m1"), Mention(Span(6, 7), "m2")),
            {"type_id": 4, "roles": ["Agent", "Time", "Location"]},
        ),
    )
    assert document.entities == (
        Entity((Mention(Span(2, 4), "n1"), Mention(Span(3, 4), "n2")), "ENTITY_1", "Location"),
    )
    assert document.metadata == {"title": "Homs", "negative_triggers": record()["negative_triggers"]}


def test_the_record_is_written_back_unchanged():
    document = read_document(record())
    assert list(write_document(document)) == [record()]
    [own] = jsonl.write_document(document)
    assert jsonl.read_document(own) == document


def test_an_offset_inside_a_word_is_kept_exactly():
    value = record(**argument({"content": "omb", "offset": [20, 22]}))
    document = read_document(value)
    [argument_read] = document.events[0].arguments
    assert (argument_read.span, argument_read.characters) == (Span(3, 4), (Span(20, 22),))
    assert argument_read.attributes == {"content": "omb"}
    assert list(write_document(document)) == [value]


def test_an_argument_with_entity_and_offset_keeps_both():
    value = record(**argument(place("content", "Homs", entity_id="ENTITY_1")))
    document = read_document(value)
    assert document.events[0].arguments == (Argument("Agent", Span(3, 4), filler="ENTITY_1"),)
    assert list(write_document(document)) == [value]


def test_test_mentions_become_events_without_arguments():
    value = candidates(place("trigger_word", "shelled", id="m1", type="Attack", type_id=4))
    document = read_document(value)
    [event_read] = document.events
    assert (event_read.type, event_read.trigger) == ("Attack", Span(1, 2))
    assert event_read.mentions == (Mention(Span(1, 2), "m1", attributes={"type_id": 4}),)
    assert list(write_document(document)) == [value]


def test_test_mentions_without_a_type_are_no_events():
    value = candidates(place("trigger_word", "shelled", id="m1"))
    document = read_document(value)
    assert document.events == ()
    assert list(write_document(document)) == [value]


def test_events_predicted_for_a_test_document_are_written_with_their_arguments():
    document = read_document(candidates(place("trigger_word", "shelled", id="m1", type="Attack")))
    found = Event("Attack", Span(1, 2), (Argument("Agent", Span(0, 1), 0.9),), mentions=document.events[0].mentions)
    [written] = write_document(document.with_events([found]))
    assert "event_mentions" not in written
    assert written["events"][0]["mention"] == [place("trigger_word", "shelled", id="m1")]
    assert written["events"][0]["argument"] == {"Agent": [place("content", "Rebels")]}


def test_a_foreign_document_is_read_again():
    arguments = (
        Argument("a.b", Span(0, 1), 0.5, filler="m"),
        Argument("c", Span(0, 3), fragments=(Span(2, 3), Span(0, 1))),
        Argument("a.b", Span(1, 2), filler="c"),
    )
    events = [Event("run", Span(1, 2), arguments), Event("end", None, arguments[:1], attributes={"roles": "x"})]
    entities = [Entity((Mention(Span(1, 2), "m", "PER"),), "c"), Entity((Mention(Span(0, 1)),), "c")]
    document = Document.from_sentences("x", [["It", "ran", "😀"]], events=events, entities=entities)
    [written] = write_document(document)
    again = read_document(written)
    assert again.text == document.text
    assert [(event.type, event.trigger) for event in again.events] == [("run", Span(1, 2)), ("end", None)]
    assert [(a.role, a.span, a.filler) for a in again.events[0].arguments] == [
        ("a.b", Span(0, 1), ""),
        ("a.b", Span(1, 2), "c"),
        ("c", Span(0, 3), ""),
    ]
    assert [(entity.id, entity.type) for entity in again.entities] == [("c", "PER"), ("ENTITY_1", "")]
    assert list(write_document(again)) == [written]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": ""}, "id: expected a non-empty string"),
        ({"document": None}, "document: expected a string, found null"),
        ({"events": {}}, "events: expected a list"),
        ({"entities": [{"id": "e", "mention": []}]}, r"entities\[0\]\.mention: expected at least one mention"),
        ({"entities": [{"mention": [{"offset": [0, 6]}]}]}, r"entities\[0\]\.id: expected a string"),
        ({"entities": record()["entities"] * 2}, r'entities\[1\]\.id: .* found "ENTITY_1" once more'),
        (event(type=None), r"events\[0\]\.type: expected a string, found null"),
        (event(mention=None), r"events\[0\]\.mention: expected a list, found null"),
        (event(mention=[{"offset": [6, 0]}]), r"events\[0\]\.mention\[0\]\.offset: .* \[start, end\).*found \[6, 0\]"),
        (event(mention=[{"offset": [0, True]}]), r"events\[0\]\.mention\[0\]\.offset: .* found \[0, true\]"),
        (event(mention=[{"offset": [6, 7]}]), r"events\[0\]\.mention\[0\]\.offset: expected a span with a token in it"),
        (event(argument=[]), r"events\[0\]\.argument: expected an object, found \[\]"),
        (event(argument={"": []}), r"events\[0\]\.argument: expected roles with a name"),
        (event(argument={"Agent": None}), r"events\[0\]\.argument\.Agent: expected a list, found null"),
        (argument({"entity_id": "E"}), r'argument\.Agent\[0\]\.entity_id: expected the id of one of .*, found "E"'),
        (
            argument({"content": "x"}),
            r"events\[0\]\.argument\.Agent\[0\]\.offset: expected a list, found no such field",
        ),
        (argument({"offset": [0, 999]}), r"argument\.Agent\[0\]\.offset: .* 48 characters, found \[0, 999\]"),
    ],
)
def test_wrong_field_is_named(changes, message):
    with pytest.raises(InvalidValueError, match=message):
        read_document(record(**changes))


def test_wrong_test_mention_is_named():
    with pytest.raises(InvalidValueError, match=r"event_mentions\[0\]\.offset: expected a list, found no such field"):
        read_document(candidates({"type": "Attack"}))


def test_only_its_own_records_are_recognised():
    assert recognises(record())
    assert recognises(candidates())
    assert recognises({"document": 1, "events": None})
    assert not recognises({"id": "d", "content": [], "events": [], "negative_triggers": []})
    assert not recognises({"id": "d", "text": "", "events": []})
    assert not recognises("document")
