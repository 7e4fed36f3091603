import pytest

from eventune.corpora.phee import read_document, recognises, write_document
from eventune.errors import InvalidValueError
from eventune.events import Argument, Document, Event, Span

TEXT = "Two men got aspirin and heparin and may have bled."


def filler(text, start, **more):
    return {"text": [[text]], "start": [[start]], "entity_id": ["T1"], **more}


def record(**roles):
    event = {"event_id": "E1", "event_type": "Adverse_event", "Trigger": filler("bled", 45), **roles}
    return {"id": "d", "context": TEXT, "is_mult_event": False, "annotations": [{"events": [event]}]}


def arguments(value):
    return read_document(value).events[0].arguments


def test_nested_roles_have_dotted_names():
    value = record(Treatment=filler("aspirin", 12, Drug=filler("aspirin", 12)))
    assert [argument.role for argument in arguments(value)] == ["Treatment", "Treatment.Drug"]
    assert arguments(value)[0] == Argument("Treatment", Span(3, 4), filler="T1")


def test_inner_lists_are_pieces_and_outer_ones_fillers():
    value = record(Effect={"text": [["Two", "bled"], ["men"]], "start": [[0, 45], [4]], "entity_id": ["T2", "T3"]})
    first, second = arguments(value)
    assert (first.span, first.fragments, first.filler) == (Span(0, 10), (Span(0, 1), Span(9, 10)), "T2")
    assert (second.span, second.fragments) == (Span(1, 2), ())


def test_combinations_are_arguments_at_their_triggers():
    combination = {
        "event_id": "E2",
        "event_type": "Combination",
        "Trigger": filler("and", 20),
        "Drug": filler("aspirin", 12),
    }
    value = record(Treatment=filler("aspirin and heparin", 12, Combination=[combination, combination]))
    roles = [argument.role for argument in arguments(value)]
    assert roles == ["Treatment", *["Treatment.Combination", "Treatment.Combination.Drug"] * 2]
    assert list(write_document(read_document(value))) == [value]


def test_values_identifiers_and_other_texts_are_kept():
    value = record(
        Speculated=filler("may", 36, value=True),
        Effect={"text": [["Two"], ["men"]], "start": [[0], [4]], "entity_id": ["T2"]},
        Subject={"text": [["MEN"]], "start": [[4]], "entity_id": ["T9"]},
    )
    found = arguments(value)
    assert found[0].attributes == {"value": True}
    assert found[1].attributes == {"entity_id": ["T2"]}
    assert found[3].attributes == {"text": ["MEN"]}
    assert list(write_document(read_document(value))) == [value]


def test_foreign_document_is_read_back():
    event = Event("attack", Span(1, 2), (Argument("place.city", Span(2, 3), 0.5), Argument("a..b", Span(0, 1))))
    document = Document.from_sentences("d", [["Rebels", "shelled", "Homs"]], events=[event, Event("fall", None)])
    (value,) = write_document(document)
    again = read_document(value)
    assert [(event.type, event.trigger) for event in again.events] == [("attack", Span(1, 2)), ("fall", None)]
    assert [(a.role, a.span) for a in again.events[0].arguments] == [("place.city", Span(2, 3)), ("a..b", Span(0, 1))]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (record(Effect=3), r"annotations\[0\]\.events\[0\]\.Effect: expected an object"),
        (record(Effect={"text": [["x"]], "start": []}), r"Effect\.start: expected 1 fillers"),
        (record(Effect={"text": [["x"]], "start": [[0, 1]]}), "a start for each piece"),
        (record(Effect={"text": [["x"]], "start": [["0"]]}), "pieces of text with their starts"),
        (record(Effect=filler("bled.", 48)), r"Effect\.start\[0\]: .* 50 characters"),
        (record(event_type=""), "event_type: expected a non-empty string"),
        ({"id": "d", "context": TEXT}, "annotations: expected a list"),
    ],
)
def test_wrong_record_names_the_field(value, message):
    with pytest.raises(InvalidValueError, match=message):
        read_document(value)


def test_only_its_own_records_are_recognised():
    assert recognises(record())
    assert not recognises({"data": {}, "annotations": []})
