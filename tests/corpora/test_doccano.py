import json

import pytest

from eventune.corpora import jsonl
from eventune.corpora.doccano import read_document, recognises, write_document
from eventune.errors import InvalidValueError
from eventune.events import Argument, Document, Event, Span

TEXT = "Rebels shelled Homs."
RECORD = {
    "id": 3,
    "text": TEXT,
    "Comments": ["x"],
    "entities": [
        {"id": 1, "label": "group", "start_offset": 0, "end_offset": 6},
        {"id": 2, "label": "attack", "start_offset": 7, "end_offset": 14},
    ],
    "relations": [{"id": 9, "from_id": 2, "to_id": 1, "type": "attacker"}],
}
LABELS = {"id": 4, "text": TEXT, "label": [[0, 6, "group"], [7, 14, "attack"]]}


def test_relations_start_from_triggers():
    document = read_document(RECORD)
    (event,) = document.events
    assert (event.type, event.trigger, event.id) == ("attack", Span(1, 2), "2")
    assert event.arguments == (Argument("attacker", Span(0, 1), filler="1", attributes={"id": 9}),)
    assert [entity.mentions[0].type for entity in document.entities] == ["group"]


def test_spans_without_relations_are_entities():
    document = read_document(LABELS)
    assert document.events == ()
    assert [entity.mentions[0].type for entity in document.entities] == ["group", "attack"]
    assert list(write_document(document)) == [LABELS]


@pytest.mark.parametrize("value", [RECORD, LABELS, {"id": "x", "text": "", "label": []}])
def test_record_comes_back(value):
    document = read_document(value)
    (again,) = write_document(document)
    assert read_document(again) == document
    (own,) = jsonl.write_document(document)
    assert jsonl.read_document(json.loads(json.dumps(own))) == document


def test_triggers_without_arguments_are_found_by_their_place():
    events = [Event("attack", Span(1, 2), (Argument("place", Span(2, 3)),)), Event("fall", Span(2, 3))]
    document = Document.from_sentences("d", [["Rebels", "shelled", "Homs"]], events=events)
    (value,) = write_document(document)
    assert value["triggers"] == [[15, 19, "fall"]]
    # doccano gives numbers of its own to what it imports.
    entities = [{**entity, "id": entity["id"] + 900} for entity in value["entities"]]
    relations = [
        {**relation, "from_id": relation["from_id"] + 900, "to_id": relation["to_id"] + 900}
        for relation in value["relations"]
    ]
    again = read_document({**value, "entities": entities, "relations": relations})
    assert [event.type for event in again.events] == ["attack", "fall"]


@pytest.mark.parametrize(
    ("listed", "types"),
    [([1], ["group", "attack"]), ([[0, 6, "group"]], ["group", "attack"]), ([[0, 5, "group"]], ["attack"])],
)
def test_triggers_are_listed_by_place_or_identifier(listed, types):
    assert [event.type for event in read_document({**RECORD, "triggers": listed}).events] == types


@pytest.mark.parametrize("entry", [[[7], 14, "attack"], [7, 14], [7, 14, {}], [], ["7", 14, "attack"]])
def test_trigger_of_another_form_is_named(entry):
    with pytest.raises(InvalidValueError, match=r"triggers\[1\]: expected \[start, end, label\], found \["):
        read_document({**RECORD, "triggers": [[0, 6, "group"], entry]})


def test_null_lists_no_triggers():
    assert read_document({**RECORD, "triggers": None}).events == read_document(RECORD).events


def test_identifiers_are_written_as_numbers():
    event = Event("attack", Span(1, 2), (Argument("place", Span(2, 3), attributes={"id": "R1"}),), "E1")
    (value,) = write_document(Document.from_sentences("d", [["Rebels", "shelled", "Homs"]], events=[event]))
    assert {entity["label"]: entity["id"] for entity in value["entities"]} == {"attack": 1, "place": 2}
    [relation] = value["relations"]
    assert (relation["id"], relation["from_id"], relation["to_id"]) == (1, 1, 2)


def test_every_record_has_the_same_fields():
    bare = Document.from_sentences("d", [["Rain"]])
    assert next(write_document(bare)).keys() == next(write_document(read_document(RECORD))).keys() - {"Comments"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": None}, "id: expected a number or a string"),
        ({"entities": 3}, "entities: expected a list"),
        ({"entities": [RECORD["entities"][0]] * 2}, "identifier of its own"),
        ({"entities": [{"id": 1, "label": "x", "start_offset": 0, "end_offset": 99}]}, "20 characters"),
        ({"entities": [{"id": 1, "label": "", "start_offset": 0, "end_offset": 9}]}, r"label: expected a non-empty"),
        (
            {"relations": [{"from_id": 2, "to_id": 7, "type": "x"}]},
            r"relations\[0\]: expected identifiers of two spans",
        ),
        ({"relations": [{"from_id": 2, "to_id": 1}]}, r"relations\[0\]\.type"),
    ],
)
def test_wrong_record_names_the_field(changes, message):
    with pytest.raises(InvalidValueError, match=message):
        read_document({**RECORD, **changes})


def test_only_its_own_records_are_recognised():
    assert recognises(RECORD)
    assert recognises(LABELS)
    assert not recognises({"id": "d", "text": "x", "label": "positive"})
    assert not recognises({"id": "d", "text": "x", "tokens": [], "entities": [], "relations": []})
