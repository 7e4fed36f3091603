import pytest

from eventune.corpora import jsonl
from eventune.corpora.textee import read_document, recognises, write_document
from eventune.errors import InvalidValueError
from eventune.events import Argument, Document, Entity, Event, Mention, Span


def record(**changes):
    value = {
        "doc_id": "d1",
        "wnd_id": "d1_0",
        "text": "Rebels  shelled East-Homs.",
        "lang": "en",
        "tokens": ["Rebels", "shelled", "East", "-", "Homs", "."],
        "entity_mentions": [
            {"id": "T1", "start": 0, "end": 1, "entity_type": "PER", "text": "Rebels"},
            {"id": "T2", "start": 2, "end": 5, "entity_type": "GPE", "text": "East-Homs"},
        ],
        "event_mentions": [
            {
                "id": "E1",
                "event_type": "Conflict:Attack",
                "trigger": {"start": 1, "end": 2, "text": "shelled"},
                "arguments": [
                    {"entity_id": "T1", "role": "Attacker", "text": "Rebels", "start": 0, "end": 1},
                    {"entity_id": "T2", "role": "Place", "text": "East-Homs", "start": 2, "end": 5},
                ],
            }
        ],
    }
    return {**value, **changes}


def oneie(**changes):
    value = record(sent_id="d1-0", sentence=record()["text"], pieces=["Reb", "##els"], token_lens=[2, 1, 1, 1, 1, 1])
    del value["wnd_id"], value["text"]
    for argument in value["event_mentions"][0]["arguments"]:
        del argument["start"], argument["end"]
    return {**value, **changes}


def event(**changes):
    return {"event_mentions": [{**record()["event_mentions"][0], **changes}]}


def argument(value):
    return event(arguments=[value])


EVENT = Event(
    "Conflict:Attack",
    Span(1, 2),
    (Argument("Attacker", Span(0, 1), filler="T1"), Argument("Place", Span(2, 5), filler="T2")),
    "E1",
)


def test_a_window_is_a_document_under_its_own_identifier():
    document = read_document(record())
    assert document.id == "d1_0"
    assert document.metadata == {"doc_id": "d1", "lang": "en"}
    assert document.events == (EVENT,)
    assert document.text_of(Span(0, 2)) == "Rebels  shelled"
    assert document.entities == (
        Entity((Mention(Span(0, 1), "T1", "PER"),)),
        Entity((Mention(Span(2, 5), "T2", "GPE"),)),
    )


def test_the_record_is_written_back_unchanged():
    value = record(relation_mentions=[{"id": "R1"}])
    assert list(write_document(read_document(value))) == [value]


def test_oneie_arguments_have_the_span_of_their_entity_mention():
    document = read_document(oneie())
    assert document.id == "d1-0"
    assert document.text == record()["text"]
    assert document.events == (EVENT,)
    assert document.metadata["pieces"] == ["Reb", "##els"]
    [written] = write_document(document)
    assert "wnd_id" not in written
    assert written.items() >= {k: v for k, v in oneie().items() if k != "event_mentions"}.items()
    assert read_document(written) == document


def test_without_a_text_tokens_are_joined_by_spaces():
    value = oneie()
    del value["sentence"]
    assert read_document(value).text == "Rebels shelled East - Homs ."


def test_a_text_of_other_words_is_kept_beside_the_tokens():
    document = read_document(record(text="Something else."))
    assert document.text == "Rebels shelled East - Homs ."
    [written] = write_document(document)
    assert written["text"] == "Something else."
    assert read_document(written) == document


def test_without_a_window_the_document_names_itself():
    value = record()
    del value["wnd_id"]
    document = read_document(value)
    assert (document.id, "doc_id" in document.metadata) == ("d1", False)
    [written] = write_document(document)
    assert read_document(written) == document


def test_a_window_without_a_document_comes_back():
    value = record()
    del value["doc_id"]
    document = read_document(value)
    [written] = write_document(document)
    assert read_document(written) == document


@pytest.mark.parametrize(
    ("starts", "sentences"),
    [
        ([0, 2], [(0, 2), (2, 6)]),
        ([0], [(0, 6)]),
        ([2, 4], [(0, 6)]),
        ([0, 6], [(0, 6)]),
        ([0, 2, 2], [(0, 6)]),
        ("x", [(0, 6)]),
    ],
)
def test_sentences_begin_at_their_starts_where_these_make_sense(starts, sentences):
    document = read_document(record(sentence_starts=starts))
    assert document.sentences == tuple(Span(*sentence) for sentence in sentences)
    assert document.metadata["sentence_starts"] == starts
    assert list(write_document(document)) == [record(sentence_starts=starts)]


def test_fields_that_say_more_than_the_tokens_are_kept():
    value = record(
        entity_mentions=[
            {"id": "T1", "start": 0, "end": 1, "entity_type": "PER", "text": "rebels", "mention_type": "X"}
        ],
        **event(
            trigger={"start": 1, "end": 2, "text": "SHELLED"},
            arguments=[{"entity_id": "T9", "role": "Place", "text": "it", "start": 2, "end": 3}],
            tense="past",
        ),
    )
    document = read_document(value)
    assert document.entities[0].mentions[0].attributes == {"text": "rebels", "mention_type": "X"}
    assert document.events[0].arguments == (Argument("Place", Span(2, 3), filler="T9", attributes={"text": "it"}),)
    assert document.events[0].attributes == {"tense": "past"}
    [own] = jsonl.write_document(document)
    assert jsonl.read_document(own) == document
    assert list(write_document(document)) == [value]


def test_a_foreign_document_keeps_its_events_and_sentences():
    arguments = (
        Argument("agent", Span(0, 1), 0.5),
        Argument("agent", Span(0, 3), fragments=(Span(0, 1), Span(2, 3)), filler="m"),
    )
    events = [
        Event("fall", Span(1, 2), arguments, mentions=(Mention(Span(1, 2), "x"), Mention(Span(0, 1)))),
        Event("end", None),
        Event("run", Span(2, 3)),
    ]
    entities = [Entity((Mention(Span(0, 1), "m"), Mention(Span(1, 2), "m")), "c", "PER")]
    document = Document.from_sentences("x", [["It", "fell"], ["they", "ran"]], events=events, entities=entities)
    [written] = write_document(document)
    again = read_document(written)
    assert (again.id, again.text, again.sentences) == (document.id, document.text, document.sentences)
    assert [(event.type, event.trigger) for event in again.events] == [("fall", Span(1, 2)), ("run", Span(2, 3))]
    assert [(a.span, a.filler) for a in again.events[0].arguments] == [(Span(0, 1), "m"), (Span(0, 3), "m")]
    assert [(m["id"], m["entity_type"]) for m in written["entity_mentions"]] == [("m", "PER"), ("x-T1", "PER")]
    assert list(write_document(again)) == [written]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"wnd_id": None}, "wnd_id: expected a string, found null"),
        ({"wnd_id": ""}, "id: expected a non-empty string"),
        ({"text": 3}, "text: expected a string, found 3"),
        ({"tokens": "a b"}, "tokens: expected a list"),
        ({"tokens": ["a", ""]}, r'tokens\[1\]: expected a non-empty string, found ""'),
        ({"entity_mentions": [{"id": "T1"}]}, r"entity_mentions\[0\]: .* found \[null, null\]"),
        ({"entity_mentions": record()["entity_mentions"][:1] * 2}, r'entity_mentions\[1\]\.id: .*"T1" once more'),
        ({"event_mentions": {}}, "event_mentions: expected a list"),
        (event(trigger={"start": 5, "end": 7}), r"event_mentions\[0\]\.trigger: .* 6 tokens, found \[5, 7\]"),
        (event(trigger=[1, 2]), r"event_mentions\[0\]\.trigger: expected an object, found \[1, 2\]"),
        (event(event_type=None), r"event_mentions\[0\]\.event_type: expected a string, found null"),
        (argument("x"), r"event_mentions\[0\]\.arguments\[0\]: expected an object"),
        (argument({"role": "a", "start": 2, "end": 1}), r"arguments\[0\]: expected a non-empty span .* \[2, 1\]"),
        (argument({"role": "a", "start": 2}), r"arguments\[0\]: expected a non-empty span .* \[2, null\]"),
        (argument({"role": "a", "entity_id": "T9"}), r"arguments\[0\]\.entity_id: expected the id of one .* \"T9\""),
        (argument({"role": "a"}), r"arguments\[0\]\.entity_id: expected a string, found no such field"),
        (argument({"start": 0, "end": 1}), r"arguments\[0\]\.role: expected a string, found no such field"),
    ],
)
def test_wrong_field_is_named(changes, message):
    with pytest.raises(InvalidValueError, match=message):
        read_document(record(**changes))


def test_only_its_own_records_are_recognised():
    assert recognises(record())
    assert recognises(oneie(tokens=None))
    assert not recognises({"doc_id": "d", "tokens": [], "sentences": [], "event_mentions": []})
    assert not recognises({"id": "d", "document": "", "event_mentions": []})
    assert not recognises({"sent_id": "s", "tokens": []})
    assert not recognises(None)
