"""FewFC, DuEE 1.0 and DuEE-Fin: characters are tokens."""

import pytest

from eventune.corpora import duee, duee_fin, fewfc
from eventune.errors import InvalidValueError
from eventune.events import Argument, Document, Event, Mention, Span

TEXT = "公司 质押2000万股"
FEWFC = {
    "id": "a",
    "content": TEXT,
    "events": [
        {
            "type": "质押",
            "mentions": [
                {"word": "公司", "span": [0, 2], "role": "sub-org"},
                {"word": "质押", "span": [3, 5], "role": "trigger"},
                {"word": "二千", "span": [5, 10], "role": "number"},
            ],
        }
    ],
}
DUEE = {
    "text": TEXT,
    "id": "a",
    "event_list": [
        {
            "event_type": "交易-质押",
            "trigger_start_index": 3,
            "trigger": "质押",
            "class": "交易",
            "arguments": [{"role": "质押方", "argument_start_index": 0, "argument": "公司", "alias": ["甲"]}],
        }
    ],
}
FIN = {
    "id": "a",
    "title": "公告",
    "text": TEXT,
    "event_list": [
        {
            "event_type": "质押",
            "trigger": "质押",
            "arguments": [{"role": "环节", "argument": "筹备上市"}, {"role": "质押方", "argument": "公司"}],
        }
    ],
}


@pytest.mark.parametrize(("module", "record"), [(fewfc, FEWFC), (duee, DUEE), (duee_fin, FIN)])
def test_record_comes_back_to_the_letter(module, record):
    assert list(module.write_document(module.read_document(record))) == [record]
    assert module.recognises(record)
    others = [other for other in (FEWFC, DUEE, FIN) if other is not record]
    assert not any(module.recognises(other) for other in others)


def test_white_space_is_no_token():
    document = fewfc.read_document(FEWFC)
    assert document.events[0].trigger == Span(2, 4)
    assert document.text_of(document.events[0].trigger) == "质押"


def test_trigger_keeps_its_place_among_the_mentions_and_words_that_differ():
    (event,) = fewfc.read_document(FEWFC).events
    assert event.attributes == {"trigger_positions": [1]}
    assert event.arguments[1] == Argument("number", Span(4, 9), attributes={"word": "二千"})


def test_several_triggers_or_none():
    mentions = FEWFC["events"][0]["mentions"]
    two = {
        **FEWFC,
        "events": [{"type": "质押", "mentions": [mentions[1], {**mentions[1], "span": [5, 7], "word": "20"}]}],
    }
    (event,) = fewfc.read_document(two).events
    assert event.mentions == (Mention(Span(2, 4)), Mention(Span(4, 6)))
    none = {**FEWFC, "events": [{"type": "质押", "mentions": mentions[:1]}]}
    assert fewfc.read_document(none).events[0].trigger is None
    assert [list(fewfc.write_document(fewfc.read_document(value))) for value in (two, none)] == [[two], [none]]


def test_duee_keeps_classes_and_aliases():
    (event,) = duee.read_document(DUEE).events
    assert event.attributes == {"class": "交易"}
    assert event.arguments == (Argument("质押方", Span(0, 2), attributes={"alias": ["甲"]}),)


def test_duee_test_part_has_no_events():
    assert duee.read_document({"id": "a", "text": TEXT}).events == ()


def test_duee_fin_searches_for_places_and_says_so():
    document = duee_fin.read_document(FIN)
    (event,) = document.events
    assert document.metadata == {"title": "公告", "searched": True}
    assert event.arguments == (Argument("质押方", Span(0, 2)),)
    assert event.attributes["unplaced"] == [{"role": "环节", "argument": "筹备上市", "position": 0}]


@pytest.mark.parametrize("module", [fewfc, duee, duee_fin])
def test_foreign_document_is_read_back(module):
    arguments = (Argument("place", Span(2, 3), 0.5), Argument("who", Span(0, 3), fragments=(Span(0, 1), Span(2, 3))))
    event = Event("attack", Span(1, 2), arguments, "E1")
    document = Document.from_sentences("d", [["Rebels", "shelled", "Homs"]], events=[event, Event("fall", None)])
    (value,) = module.write_document(document)
    again = module.read_document(value)
    assert [event.type for event in again.events] == ["attack", "fall"]
    assert again.text_of(again.events[0].trigger) == "shelled"
    assert again.exact_text_of(again.events[0].arguments[0]) == "Homs"


def changed(record, **changes):
    (event,) = record.get("events") or record["event_list"]
    return {**record, "events" if "events" in record else "event_list": [{**event, **changes}]}


@pytest.mark.parametrize(
    ("module", "value", "message"),
    [
        (
            fewfc,
            changed(FEWFC, mentions=[{"word": "x", "span": [0, 99], "role": "r"}]),
            r"mentions\[0\]\.span: .* 11 cha",
        ),
        (fewfc, changed(FEWFC, mentions=[{"word": "x", "span": [2, 3], "role": "r"}]), "a span with a token in it"),
        (fewfc, changed(FEWFC, mentions=[{"word": "x", "span": [0, 1]}]), r"mentions\[0\]\.role: expected a string"),
        (fewfc, {"id": "a", "content": TEXT}, "events: expected a list"),
        (duee, changed(DUEE, trigger_start_index="3"), "trigger_start_index: expected the index of a character"),
        (duee, changed(DUEE, trigger_start_index=11), "trigger_start_index: .* 11 characters"),
        (
            duee,
            changed(DUEE, arguments=[{"role": "r", "argument": ""}]),
            r"arguments\[0\]\.argument: .* non-empty",
        ),
        (duee_fin, changed(FIN, trigger=3), "trigger: expected a string"),
        (duee_fin, changed(FIN, arguments=[{"role": "r"}]), r"arguments\[0\]\.argument: expected a string"),
        (duee_fin, changed(FIN, event_type=None), "event_type: expected a string"),
    ],
)
def test_wrong_record_names_the_field(module, value, message):
    with pytest.raises(InvalidValueError, match=message):
        module.read_document(value)
