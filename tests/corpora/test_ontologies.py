import pytest

from eventune.corpora import read_ontology, write_ontology
from eventune.errors import EventuneError
from eventune.events import EventType, Ontology, Role


@pytest.fixture
def write(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "ontology"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def test_written_ontology_reads_back_equal_and_in_order(tmp_path):
    ontology = Ontology.of(
        [
            EventType("life.die.n/a", (Role("victim", 2, "who died: a person"), Role("no"), Role("地点"))),
            EventType("Attack:Bomb", (), "An attack\nwith a bomb."),
        ]
    )
    write_ontology(ontology, tmp_path / "o.yaml")
    again = read_ontology(tmp_path / "o.yaml")
    assert again == ontology
    assert list(again.types) == list(ontology.types)


def test_lines_of_rams_are_told_from_yaml_by_content(write):
    ontology = read_ontology(write("life.die.n/a victim 2 place 1\n\nLife:Born person 1\nempty\n"))
    assert list(ontology.types) == ["life.die.n/a", "Life:Born", "empty"]
    assert ontology["life.die.n/a"].roles == (Role("victim", 2), Role("place"))
    assert ontology["empty"].roles == ()


@pytest.mark.parametrize("text", ["\ufefftypes:\n  a:\n    roles: {b: }\n", '{"types": {"a": {"roles": {"b": {}}}}}'])
def test_byte_order_mark_and_json_are_accepted(write, text):
    assert read_ontology(write(text))["a"].roles == (Role("b"),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a b 1\nc d\n", r"ontology:2: c: expected pairs `role n` behind the type, found 'd' without a number"),
        (f"a b {'9' * 5000}\n", r"ontology:1: a\.b: expected a number of fillers, found '9"),
        ("a b 1\nc d x\n", r"ontology:2: c\.d: expected a number of fillers, found 'x'"),
        ("a b 0\n", r"ontology:1: b\.multiplicity: expected an integer >= 1, found 0"),
        ("a b 1 b 1\n", r"ontology:1: a\.roles: expected each role once, found 'b' twice"),
        ("a b 1\na c 1\n", r"ontology:2: types: expected each type once, found 'a' twice"),
    ],
)
def test_bad_line_names_line_and_field(write, text, message):
    with pytest.raises(EventuneError, match=message):
        read_ontology(write(text))


def test_all_bad_lines_are_reported_at_once(write):
    with pytest.raises(EventuneError, match=r"ontology: 2 bad lines\n.*ontology:1: .*\n.*ontology:3: "):
        read_ontology(write("a b\nc d 1\ne f x\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("types:\n  a: [b\n", r"ontology:3: expected YAML, found: "),
        (
            "types:\n  a.b:\n    roles:\n      c: {multiplicity: 0}\n",
            r"ontology:4: types\.a\.b\.roles\.c\.multiplicity",
        ),
        ("types:\n  a:\n    rolls: {}\n", r"ontology:2: types\.a: .* found 'rolls'\ndid you mean 'roles'"),
        ("types:\n  a:\n    roles:\n      no: {}\n", r"ontology:3: types\.a\.roles: .*\n.* need quotes"),
        ("types:\n  a:\n    roles:\n      b: {}\n      b: {}\n", r"ontology:5: b: expected each name once, found 'b'"),
        ("types:\n  a: {}\n  a: {}\n", r"ontology:3: a: expected each name once"),
        ("types:\n", "ontology: holds no event type"),
        ("", "ontology: holds no event type"),
        ("# nothing\n", "ontology: holds no event type"),
        ("- a:\n", "ontology:1: ontology: expected a mapping"),
        ("types: !!python/object:os.system {}\n", "ontology:1: expected YAML, found: could not determine"),
        ("types: &a {b: {roles: *a}}\n", "ontology:1: expected plain YAML, found a value that refers to itself"),
    ],
)
def test_bad_yaml_names_line_and_field(write, text, message):
    with pytest.raises(EventuneError, match=message):
        read_ontology(write(text))


def test_file_that_is_not_utf8_is_reported(write):
    with pytest.raises(EventuneError, match="encoding: expected UTF-8, found byte 0xff at position 1"):
        read_ontology(write("types:", "utf-16"))


def test_missing_file_and_folder_are_named(tmp_path):
    with pytest.raises(EventuneError, match="none: no such file"):
        read_ontology(tmp_path / "none")
    with pytest.raises(EventuneError, match="expected a file, found a folder"):
        read_ontology(tmp_path)


def test_ontology_of_rams_has_the_published_counts(rams_folder, tmp_path):
    ontology = read_ontology(rams_folder / "event_role_multiplicities.txt")
    roles = [role for event_type in ontology.types.values() for role in event_type.roles]
    assert len(ontology) == 139
    assert len(roles) == 508
    assert sum(role.multiplicity == 2 for role in roles) == 15
    write_ontology(ontology, tmp_path / "rams.yaml")
    assert read_ontology(tmp_path / "rams.yaml") == ontology
