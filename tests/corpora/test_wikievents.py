import json

import pytest

from eventune.corpora import jsonl, read_corpus
from eventune.corpora.wikievents import read_document, recognises, write_document
from eventune.errors import InvalidValueError
from eventune.events import Argument, Document, Entity, Event, Mention, Span


def record(**changes):
    value = {
        "doc_id": "d1",
        "text": "Rebels fled.They shelled East-Homs.",
        "tokens": ["Rebels", "fled", ".", "They", "shelled", "East", "-", "Homs", "."],
        "sentences": [
            [[["Rebels", 0, 6], ["fled", 7, 11], [".", 11, 12]], "Rebels fled."],
            [
                [
                    ["They", 13, 17],
                    ["shelled", 18, 25],
                    ["East", 26, 30],
                    ["-", 30, 31],
                    ["Homs", 31, 35],
                    [".", 35, 36],
                ],
                "They shelled East-Homs.",
            ],
        ],
        "entity_mentions": [mention("T1", 3, 4, "PER", "They", 1), mention("T2", 5, 8, "GPE", "East-Homs", 1)],
        "relation_mentions": [],
        "event_mentions": [
            {
                "id": "d1-E1",
                "event_type": "Conflict.Attack.Unspecified",
                "trigger": {"start": 4, "end": 5, "text": "shelled", "sent_idx": 1},
                "arguments": [
                    {"entity_id": "d1-T1", "role": "Attacker", "text": "They"},
                    {"entity_id": "d1-T2", "role": "Place", "text": "East-Homs"},
                ],
            }
        ],
    }
    return {**value, **changes}


def mention(name, start, end, kind, text, sentence):
    value = {"id": f"d1-{name}", "start": start, "end": end, "entity_type": kind}
    return {**value, "mention_type": "UNK", "text": text, "sent_idx": sentence}


def event(**changes):
    return {"event_mentions": [{**record()["event_mentions"][0], **changes}]}


def argument(**changes):
    return event(arguments=[{"entity_id": "d1-T2", "role": "Place", "text": "East-Homs", **changes}])


def entity(**changes):
    return {"entity_mentions": [{**mention("T1", 3, 4, "PER", "They", 1), **changes}], "event_mentions": []}


def test_an_argument_has_the_span_of_its_entity_mention():
    document = read_document(record())
    assert document.events == (
        Event(
            "Conflict.Attack.Unspecified",
            Span(4, 5),
            (Argument("Attacker", Span(3, 4), filler="d1-T1"), Argument("Place", Span(5, 8), filler="d1-T2")),
            "d1-E1",
        ),
    )
    assert document.entities == (
        Entity((Mention(Span(3, 4), "d1-T1", "PER"),)),
        Entity((Mention(Span(5, 8), "d1-T2", "GPE"),)),
    )


def test_text_stays_as_it_came_and_tokens_are_placed_in_it_by_their_words():
    document = read_document(record())
    assert document.text == record()["text"]
    assert document.text_of(Span(5, 8)) == "East-Homs"
    assert document.tokens[3] == Span(12, 16)
    assert document.sentences == (Span(0, 3), Span(3, 9))


def test_the_record_is_written_back_unchanged():
    value = record(relation_mentions=[{"id": "R1"}], extra=1)
    assert list(write_document(read_document(value))) == [value]


def test_sentences_whose_offsets_fit_the_text_are_not_kept():
    value = record(text="Rebels fled.\nThey shelled East-Homs.")
    assert read_document(value).metadata == {}
    assert list(write_document(read_document(value))) == [value]


def test_a_text_of_other_words_is_kept_beside_the_tokens():
    value = record(text="Something else.")
    document = read_document(value)
    assert document.text == "Rebels fled .\nThey shelled East - Homs ."
    assert document.metadata["wikievents"]["text"] == "Something else."
    [written] = write_document(document)
    assert written["text"] == "Something else."
    assert read_document(written) == document


def test_fields_that_say_more_than_the_tokens_are_kept():
    changes = {
        "entity_mentions": [{**mention("T1", 3, 4, "PER", "they", 0), "mention_type": "PRO", "note": 1}],
        **event(
            trigger={"start": 4, "end": 5, "text": "SHELLED", "sent_idx": 1},
            arguments=[{"entity_id": "d1-T1", "role": "Attacker", "text": "he", "sure": False}],
            realis="actual",
        ),
    }
    value = record(**changes)
    document = read_document(value)
    expected = {"text": "they", "sent_idx": 0, "mention_type": "PRO", "note": 1}
    assert document.entities[0].mentions[0].attributes == expected
    assert document.events[0].mentions == (Mention(Span(4, 5), attributes={"text": "SHELLED"}),)
    assert document.events[0].attributes == {"realis": "actual"}
    assert document.events[0].arguments[0].attributes == {"text": "he", "sure": False}
    assert list(write_document(document)) == [value]


def test_a_converted_record_has_sentences_of_words_and_no_text():
    value = record(sents_tokens=[["Rebels", "fled", "."], ["They", "shelled", "East", "-", "Homs", "."]])
    for name in ("text", "sentences", "relation_mentions"):
        del value[name]
    del value["event_mentions"][0]["trigger"]["sent_idx"]
    document = read_document(value)
    assert document.text == "Rebels fled .\nThey shelled East - Homs ."
    assert document.events[0].trigger == Span(4, 5)
    assert document.entities[1].mentions[0].attributes == {"text": "East-Homs"}
    [written] = write_document(document)
    assert read_document(written) == document


@pytest.mark.parametrize(("name", "counts"), [("dev.jsonl", (20, 345, 428)), ("train_exact60.jsonl", (60, 220, 359))])
def test_published_files_come_back(corpora_folder, name, counts):
    path = corpora_folder / "wikievents" / name
    if not path.is_file():
        pytest.skip(
            f"needs WikiEvents in {path.parent}; set EVENTUNE_CORPORA to the folder that holds wikievents/{name}"
        )
    corpus = read_corpus(path, "wikievents")
    events = [event for document in corpus for event in document.events]
    assert (len(corpus), len(events), sum(len(event.arguments) for event in events)) == counts
    for document, line in zip(corpus, path.read_text(encoding="utf-8").splitlines(), strict=True):
        [written] = write_document(document)
        [own] = jsonl.write_document(document)
        assert read_document(written) == document
        assert jsonl.read_document(own) == document
        assert recognises(json.loads(line))
        assert "sents_tokens" in json.loads(line) or written == json.loads(line)


def test_a_foreign_document_keeps_events_and_gets_the_entity_mentions_it_needs():
    events = [
        Event(
            "attack",
            Span(1, 2),
            (
                Argument("attacker", Span(0, 1), 0.5, filler="chain"),
                Argument("place", Span(2, 3), filler="x-T1"),
                Argument("place", Span(0, 3), fragments=(Span(0, 1), Span(2, 3))),
            ),
            mentions=(Mention(Span(1, 2)), Mention(Span(2, 3))),
        ),
        Event("flight", None, (Argument("agent", Span(0, 1)),)),
    ]
    entities = [Entity((Mention(Span(2, 3), "x-T1"), Mention(Span(1, 2), "x-T1")), "c", "GPE")]
    document = Document.from_sentences("x", [["Rebels", "shelled", "Homs"]], events=events, entities=entities)
    [written] = write_document(document)
    again = read_document(written)
    assert [(m["id"], m["start"], m["end"], m["entity_type"]) for m in written["entity_mentions"]] == [
        ("x-T1", 2, 3, "GPE"),
        ("x-T2", 1, 2, "GPE"),
        ("chain", 0, 1, ""),
        ("x-T3", 0, 3, ""),
    ]
    [event] = again.events
    assert (event.type, event.trigger, event.id) == ("attack", Span(1, 2), "x-E1")
    assert [(a.role, a.span, a.filler) for a in event.arguments] == [
        ("attacker", Span(0, 1), "chain"),
        ("place", Span(2, 3), "x-T1"),
        ("place", Span(0, 3), "x-T3"),
    ]
    assert list(write_document(again)) == [written]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"doc_id": ""}, "id: expected a non-empty string"),
        ({"doc_id": 7}, "doc_id: expected a string, found 7"),
        ({"text": None}, "text: expected a string, found null"),
        ({"tokens": ["a", 1]}, r"tokens\[1\]: expected a non-empty string, found 1"),
        ({"tokens": ["a"]}, "sentences: expected the 1 tokens of `tokens`, in sentences, found other tokens"),
        ({"sentences": [["a"]]}, r"sentences\[0\]: expected \[\[\[token, start, end\], …\], sentence\]"),
        ({"sentences": [[[[None]], ""]]}, r"sentences\[0\]\[0\]: expected a non-empty string, found null"),
        ({"relation_mentions": {}}, "relation_mentions: expected a list"),
        ({"entity_mentions": [3]}, r"entity_mentions\[0\]: expected an object, found 3"),
        (entity(id=""), r'entity_mentions\[0\]\.id: expected a non-empty string, found ""'),
        (entity(entity_type=None), r"entity_mentions\[0\]\.entity_type: expected a string, found null"),
        (entity(start=4), r"entity_mentions\[0\]: expected a non-empty span .* found \[4, 4\]"),
        (entity(end=10), r"entity_mentions\[0\]: .* inside the document's 9 tokens, found \[3, 10\]"),
        (entity(start=True), r"entity_mentions\[0\]: expected a non-empty span .* found \[true, 4\]"),
        ({"entity_mentions": record()["entity_mentions"][:1] * 2}, r'entity_mentions\[1\]\.id: .* "d1-T1" once more'),
        (event(trigger=None), r"event_mentions\[0\]\.trigger: expected an object, found null"),
        (event(trigger={"start": 0}), r"event_mentions\[0\]\.trigger: .* found \[0, null\]"),
        (event(event_type=""), r"event_mentions\[0\]\.event_type: expected a non-empty string"),
        (event(arguments=None), r"event_mentions\[0\]\.arguments: expected a list, found null"),
        (argument(entity_id="T9"), r'arguments\[0\]\.entity_id: expected the id of one of .*, found "T9"'),
        (argument(role=""), r"event_mentions\[0\]\.arguments\[0\]\.role: expected a non-empty string"),
    ],
)
def test_wrong_field_is_named(changes, message):
    with pytest.raises(InvalidValueError, match=message):
        read_document(record(**changes))


def test_only_its_own_records_are_recognised():
    assert recognises(record())
    assert recognises({"sents_tokens": None, "event_mentions": 3})
    assert not recognises({"sent_id": "s", "sentences": [], "event_mentions": []})
    assert not recognises({"doc_key": "d", "sentences": [], "gold_evt_links": []})
    assert not recognises({"tokens": [], "event_mentions": []})
    assert not recognises([record()])
