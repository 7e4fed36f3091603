import json
from xml.etree import ElementTree

import pytest

from eventune.corpora import Losses, jsonl, read_corpus, write_corpus
from eventune.corpora.label_studio import labelling_configuration, read_document, recognises, write_document
from eventune.errors import InvalidValueError
from eventune.events import Argument, Document, Event, EventType, Ontology, Role, Span

TEXT = "Rebels 😀 shelled Homs."


def span(name, start, end, label, **more):
    value = {"start": start, "end": end, "labels": [label], **more}
    return {"from_name": "label", "to_name": "text", "id": name, "type": "labels", "value": value}


def relation(source, target, label):
    ends = {"from_id": source, "to_id": target}
    return {"type": "relation", "direction": "right", **ends, "labels": [label]}


def task(*results, **more):
    return {"id": 7, "data": {"text": TEXT}, "annotations": [{"id": 1, "result": list(results)}], **more}


FULL = task(
    span("a", 9, 16, "attack", text="shelled"),
    span("b", 0, 6, "group", text="Rebels"),
    span("c", 17, 21, "city", text="Homs"),
    relation("a", "b", "attacker"),
    relation("a", "c", "place"),
)


def test_relations_start_from_triggers():
    document = read_document(FULL)
    assert document.id == "7"
    (event,) = document.events
    assert (event.type, event.id, document.text_of(event.trigger)) == ("attack", "a", "shelled")
    assert [(a.role, document.text_of(a.span), a.filler) for a in event.arguments] == [
        ("attacker", "Rebels", "b"),
        ("place", "Homs", "c"),
    ]
    assert [entity.mentions[0].type for entity in document.entities] == ["group", "city"]


def test_task_comes_back_as_it_was():
    for value in (FULL, task(), task(span("a", 0, 6, "x", text="Rebels"), {"type": "choices", "id": "q", "value": {}})):
        document = read_document(value)
        (again,) = write_document(document)
        assert read_document(again) == document
        (own,) = jsonl.write_document(document)
        assert jsonl.read_document(json.loads(json.dumps(own))) == document
    (again,) = write_document(read_document(FULL))
    before, after = (value["annotations"][0]["result"] for value in (FULL, again))
    assert {**again, "annotations": []} == {**FULL, "annotations": []}
    assert len(after) == len(before)
    assert all(result in after for result in before)


def test_offsets_in_utf16_units_are_told_by_their_text():
    old = read_document(task(span("a", 10, 17, "attack", text="shelled")))
    assert old.text_of(old.entities[0].mentions[0].span) == "shelled"
    new = read_document(task(span("a", 9, 16, "attack")))
    assert new.entities == old.entities


def test_first_annotation_that_was_not_cancelled_counts():
    value = task(span("a", 0, 6, "x"))
    value["annotations"].insert(0, {"id": 9, "was_cancelled": True, "result": [span("z", 0, 2, "y")]})
    document = read_document(value)
    assert [entity.mentions[0].id for entity in document.entities] == ["a"]
    assert document.metadata["label_studio"]["others"][0]["id"] == 9


def test_further_labels_are_kept():
    value = task(span("a", 0, 6, "x"))
    value["annotations"][0]["result"][0]["value"]["labels"] = ["x", "y"]
    document = read_document(value)
    assert document.entities[0].mentions[0].attributes["labels"] == ["y"]
    assert read_document(next(write_document(document))) == document


def test_foreign_documents_keep_triggers_without_arguments(tmp_path):
    event = Event("attack", Span(1, 2), (Argument("place", Span(2, 3), 0.5),), "E1")
    document = Document.from_sentences("d", [["Rebels", "shelled", "Homs"]], events=[event, Event("fall", Span(2, 3))])
    losses = Losses()
    write_corpus([document], tmp_path / "out.json", "label_studio", losses=losses)
    assert isinstance(json.loads((tmp_path / "out.json").read_text()), list)
    assert set(losses.counts) == {"scores of arguments"}
    found = read_corpus(tmp_path / "out.json")
    assert (found.format, [event.type for event in found[0].events]) == ("label_studio", ["attack", "fall"])
    trigger = found[0].events[0].mentions[0]
    assert (trigger.span, trigger.id, trigger.type) == (Span(1, 2), "E1", "attack")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "record: expected an object"),
        ({"id": 1, "data": {}, "annotations": []}, r"data\.text: expected a string"),
        ({**FULL, "id": None}, "id: expected a number or a string"),
        (task(span("a", 0, 60, "x")), r"annotations\[0\]\.result\[0\]\.value\.start, end: .* 22 characters"),
        (task(span("a", "0", 6, "x")), "start, end: expected a non-empty span"),
        (task(span("a", 0, 6, "")), "labels: expected names of labels"),
        (task(span("a", 0, 6, "x"), span("a", 0, 6, "x")), "identifiers of their own"),
        (task(relation("a", "b", "x")), r"result\[0\]: expected identifiers of two spans, found 'a'"),
        (task({"type": "relation", "from_id": "a", "to_id": "b"}), "labels: expected the role"),
    ],
)
def test_wrong_task_names_the_field(value, message):
    with pytest.raises(InvalidValueError, match=message):
        read_document(value)


def test_only_tasks_are_recognised():
    assert recognises(FULL)
    assert recognises({"data": {}, "annotations": None})
    assert not recognises({"context": "x", "annotations": []})
    assert not recognises([FULL])


def test_a_project_s_configuration_has_tags_for_types_and_roles():
    ontology = Ontology.of(
        [
            EventType(
                "attack", (Role("target", description="who or what"), Role("<place>")), "Someone's & another's force"
            ),
            EventType("meet", (Role("<place>"), Role("attack"))),
        ]
    )
    view = ElementTree.fromstring(labelling_configuration(ontology))
    tags = {
        tag.get("name"): {label.get("value"): label for label in tag.iter("Label")} for tag in view.findall("Labels")
    }
    types, roles = tags["trigger"], tags["label"]
    assert (types.keys(), roles.keys()) == ({"attack", "meet"}, {"target", "<place>", "attack"})
    assert (types["attack"].get("hint"), types["meet"].get("hint")) == ("Someone's & another's force", None)
    assert types["attack"].get("background") == types["meet"].get("background") != roles["target"].get("background")
    assert [relation.get("value") for relation in view.iter("Relation")] == ["target", "<place>", "attack"]
    assert {tag.get("toName") for tag in view.findall("Labels")} == {view.find("Text").get("name")}


def test_what_has_a_type_s_tag_is_a_trigger_without_relations_too():
    rain = {**span("a", 17, 21, "fall", text="Homs"), "from_name": "trigger"}
    document = read_document(task(rain, span("b", 0, 6, "group", text="Rebels")))
    assert [(event.type, document.text_of(event.trigger)) for event in document.events] == [("fall", "Homs")]
    (again,) = write_document(document)
    assert "triggers" not in again["data"]
    assert read_document(again) == document


def test_triggers_and_fillers_are_written_with_their_tags():
    event = Event("attack", Span(1, 2), (Argument("place", Span(2, 3)),))
    (value,) = write_document(Document.from_sentences("d", [["Rebels", "shelled", "Homs"]], events=[event]))
    spans = [each for each in value["annotations"][0]["result"] if each["type"] == "labels"]
    assert {each["value"]["text"]: each["from_name"] for each in spans} == {"shelled": "trigger", "Homs": "label"}
