import json

import pytest

from eventune.corpora import read_ontology, write_ontology
from eventune.errors import EventuneError

KAIROS = {
    "Contact.Meet": {"template": "<arg1> met <arg2> at <arg3> place", "roles": ["Participant", "Participant", "Place"]},
    "Attack": {"template": "<arg1> attacked", "roles": ["Attacker", "Target"], "event_id": "x"},
}


@pytest.fixture
def read(tmp_path):
    def run(text):
        path = tmp_path / "ontology"
        path.write_text(text, encoding="utf-8")
        return read_ontology(path)

    return run


@pytest.mark.parametrize("indent", [None, 2])
def test_kairos_templates_have_slots_by_role(read, indent):
    ontology = read(json.dumps(KAIROS, indent=indent))
    meet = ontology["Contact.Meet"]
    assert meet.template == "<Participant> met <Participant> at <Place> place"
    assert [(role.name, role.multiplicity) for role in meet.roles] == [("Participant", 2), ("Place", 1)]
    assert [role.name for role in ontology["Attack"].roles] == ["Attacker", "Target"]


def test_duee_schema_is_lines_of_types(read):
    lines = [
        {"event_type": "质押", "id": "1", "role_list": [{"role": "质押方"}, {"role": "环节", "enum_items": ["x"]}]}
    ]
    ontology = read("\n".join(json.dumps(line) for line in lines))
    assert [role.name for role in ontology["质押"].roles] == ["质押方", "环节"]


def test_phee_schema_has_the_names_of_its_records(read):
    lines = [["adverse event"], ["subject", "drug"], {"adverse event": ["subject", "drug"]}]
    roles = [role.name for role in read("\n".join(map(json.dumps, lines)))["Adverse_event"].roles]
    assert roles[:2] == ["Subject", "Treatment.Drug"]


def test_brat_configuration(read):
    ontology = read(
        "[entities]\nPlace\n[events]\n# a comment\nAttack\tWhere?:Place, Who*:Group, By{3}:Group, <OVERLAP>:x\n"
    )
    roles = ontology["Attack"].roles
    assert [(role.name, role.multiplicity) for role in roles] == [("Where", 1), ("Who", 2), ("By", 3)]
    assert list(ontology.types) == ["Attack"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (json.dumps({"A": {"template": "<arg3>", "roles": ["x"]}}), "A.template: expected slots up to <arg1>"),
        (json.dumps({"A": {"roles": [3]}}), r"A\.roles\[0\]: expected a name"),
        (
            '{"event_type": "a", "role_list": []}\n{"event_type": "b", "role_list": [{}]}',
            r"ontology:2: role_list\[0\]\.role",
        ),
        ("attack place 1\n\x00\x00", "ontology:2: line: expected an event type with its roles"),
        ("[events]\nAttack\tWho\n", "ontology:2: roles: expected Role:Type"),
        (f"[events]\nAttack\tWho{{{'9' * 5000}}}:Group\n", "ontology:2: roles: expected Role:Type"),
    ],
)
def test_wrong_file_names_line_and_field(read, text, message):
    with pytest.raises(EventuneError, match=message):
        read(text)


def test_lines_of_json_end_at_line_feeds_only(read):
    line = '{"event_type": "a", "role_list": [{"role": "b"}], "note": "x\u2028y"}'
    assert [role.name for role in read(f"{line}\r\n")["a"].roles] == ["b"]


def test_yaml_keeps_templates_and_questions(read, tmp_path):
    text = "types:\n  a:\n    template: <r> is\n    roles:\n      r: {question: 'Who is?', multiplicity: 2}\n"
    ontology = read(text)
    assert ontology["a"].roles[0].question == "Who is?"
    write_ontology(ontology, tmp_path / "again.yaml")
    assert read_ontology(tmp_path / "again.yaml") == ontology


def test_published_ontologies(corpora_folder):
    path = corpora_folder / "wikievents" / "event_role_KAIROS.json"
    if not path.is_file():
        pytest.skip(f"needs {path}")
    assert len(read_ontology(path)) == 51
    assert list(read_ontology(corpora_folder / "phee" / "event.schema").types) == [
        "Adverse_event",
        "Potential_therapeutic_event",
    ]
