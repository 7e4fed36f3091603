import pytest

from eventune.errors import EventuneError, InvalidValueError
from eventune.events import Argument, Document, Event, EventType, Ontology, Role, Span


def attack():
    return EventType("attack", (Role("attacker"), Role("target", 2, "what is attacked")), "An attack.")


def test_plain_form_round_trips():
    ontology = Ontology.of([attack(), EventType("die", ())])
    assert Ontology.from_dict(ontology.to_dict()) == ontology


def test_role_without_properties_may_be_null():
    ontology = Ontology.from_dict({"types": {"attack": {"roles": {"place": None}}}})
    assert ontology["attack"].roles == (Role("place"),)


def test_description_left_blank_is_empty():
    value = {"types": {"attack": {"description": None, "roles": {"place": {"description": None}}}}}
    ontology = Ontology.from_dict(value)
    assert ontology["attack"].description == ""
    assert ontology["attack"].roles[0].description == ""


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "ontology: expected a mapping"),
        ({"typs": {}}, "ontology: expected only types, found 'typs'"),
        ({"types": {"a": {"role": {}}}}, "types.a: expected only description, template, roles, found 'role'"),
        ({"types": {"a": {"roles": ["b"]}}}, "types.a.roles: expected a mapping"),
        ({"types": {"a": {"roles": {True: {}}}}}, "types.a.roles: expected a mapping with names as keys"),
        ({"types": {"a": {"roles": {"b": {"multiplicity": 0}}}}}, r"types.a.roles.b.multiplicity: .* >= 1, found 0"),
        ({"types": {"a": {"roles": {"b": {"multiplicity": "2"}}}}}, "types.a.roles.b.multiplicity"),
        ({"types": {"a": {"roles": {"b": {"description": 3}}}}}, "types.a.roles.b.description: expected a text"),
        ({"types": {"a": {"description": ["x"]}}}, "types.a.description: expected a text"),
    ],
)
def test_wrong_shape_names_the_field(value, message):
    with pytest.raises(InvalidValueError, match=message):
        Ontology.from_dict(value)


def test_misspelt_property_suggests_the_right_one():
    with pytest.raises(InvalidValueError, match="did you mean 'multiplicity'"):
        Ontology.from_dict({"types": {"a": {"roles": {"b": {"multiplicty": 2}}}}})


def test_role_or_type_twice_is_refused():
    with pytest.raises(InvalidValueError, match=r"a\.roles: expected each role once, found 'b' twice"):
        EventType("a", (Role("b"), Role("b")))
    with pytest.raises(InvalidValueError, match="types: expected each type once, found 'attack' twice"):
        Ontology.of([attack(), attack()])


def test_unknown_type_suggests_the_closest():
    with pytest.raises(EventuneError, match=r"'atack' is not in the ontology \(1 types\)\ndid you mean 'attack'"):
        Ontology.of([attack()])["atack"]


def test_role_is_found_by_name():
    assert attack().role("target").multiplicity == 2
    assert attack().role("place") is None


def test_induced_ontology_takes_the_largest_count_as_multiplicity():
    def event(*roles):
        return Event("attack", None, tuple(Argument(role, Span(0, 1)) for role in roles))

    documents = [
        Document.from_sentences("1", [["a"]], events=[event("target"), Event("die", None)]),
        Document.from_sentences("2", [["a"]], events=[event("target", "target", "place")]),
    ]
    ontology = Ontology.induced_from(documents)
    assert list(ontology.types) == ["attack", "die"]
    assert ontology["attack"].roles == (Role("target", 2), Role("place", 1))
    assert ontology["die"].roles == ()
    assert "attack" in ontology
    assert "x" not in ontology
