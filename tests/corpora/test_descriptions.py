"""What types and roles mean, for ontologies that do not say so."""

import os
from pathlib import Path

import pytest

from eventune.corpora import read_corpus, read_ontology
from eventune.corpora.arguments import DataArguments
from eventune.corpora.descriptions import PUBLISHED, Descriptions, described, path_of_descriptions
from eventune.errors import EventuneError
from eventune.events import EventType, Ontology, Role
from eventune.runs.splits import read_splits

CORPORA = Path(os.environ.get("EVENTUNE_CORPORA", Path(__file__).resolve().parents[3] / "shared" / "data"))
DESCRIBED = {
    "news": ["rams/event_role_multiplicities.txt", "wikievents/event_role_KAIROS.json"],
    "phee": ["phee/textee/all.jsonl", "phee/dev.json"],
    "fewfc": ["fewfc/train_base.json", "fewfc/train_trans.json"],
}


def test_names_are_the_same_however_they_are_written():
    known = Descriptions({"conflictattack": "violence"}, {"placeofemployment": "where the job is"})
    types = (EventType(name, (Role(role),)) for name, role in NAMES.items())
    found = known.add_to(Ontology.of(types))
    assert {kind.description for kind in found.types.values()} == {"violence"}
    assert {role.description for kind in found.types.values() for role in kind.roles} == {"where the job is"}
    assert described(found) == 2 * len(NAMES)


NAMES = {
    "conflict.attack.n/a": "placeofemployment",
    "Conflict.Attack.Unspecified": "PlaceOfEmployment",
    "conflict_attack": "place_of_employment",
    # Nothing is said of the type itself.
    "conflict.attack.bombing": "Place.Of.Employment",
}


def test_what_the_ontology_says_itself_stays():
    known = Descriptions({"attack": "violence"}, {"target": "whom it hits"})
    own = EventType("attack", (Role("target", 2, "who is attacked"), Role("tool")), "an attack")
    assert known.add_to(Ontology.of([own])).types == {"attack": own}


@pytest.mark.parametrize(
    "text",
    [
        "- a",
        "kinds: {a: b}",
        "types: [a]",
        "roles: {place: }",
        "roles: {place: [a]}",
        "types: {a: ' '}",
        "roles: {1: a}",
    ],
)
def test_a_file_of_another_shape_is_one_error_with_its_name(text, tmp_path):
    path = tmp_path / "descriptions.yaml"
    path.write_text(text)
    with pytest.raises(EventuneError, match=r"descriptions\.yaml: "):
        Descriptions.read(path)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_descriptions_describe_every_type_and_role_of_their_corpora(name):
    known = Descriptions.read(path_of_descriptions(name))
    files = [CORPORA / file for file in DESCRIBED[name.partition(":")[2]]]
    if not all(file.exists() for file in files):
        pytest.skip(f"needs {files[0].parent} and its neighbours")
    for file in files:
        is_corpus = "event_role" not in file.name
        ontology = Ontology.induced_from(read_corpus(file)) if is_corpus else read_ontology(file)
        roles = [role for kind in known.add_to(ontology).types.values() for role in kind.roles]
        assert [role.name for role in roles if not role.description] == []
        assert [kind.name for kind in known.add_to(ontology).types.values() if not kind.description] == []


def test_a_run_says_how_much_of_its_ontology_is_described():
    notices = []
    data = DataArguments(train_file="sample:train", descriptions_file="descriptions:news")
    assert list(data.problems()) == []
    splits = read_splits(data, notices.append)
    assert f"{described(splits.ontology)} of " in notices[-1]
    assert notices[-1].startswith("descriptions:news: ")


def test_a_name_close_to_a_published_one_is_hinted_at():
    [problem] = DataArguments(train_file="sample:train", descriptions_file="descriptions:new").problems()
    assert "descriptions:news" in str(problem)
