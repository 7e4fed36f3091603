"""Published recipes: found by name from any folder, complete, and with the way to their corpus."""

import pytest

from eventune.corpora.arguments import SAMPLE_FILES
from eventune.corpora.published import CORPORA
from eventune.errors import EventuneError
from eventune.recipe import Recipe, read_changed, read_settings
from eventune.recipes import ARMS, find, head, names_hint, published, summary, without_absent_files

ALL = [*published().values(), *published(ARMS).values()]


def corpus_files(path):
    settings = read_settings(path)
    return [
        value
        for name, value in settings.items()
        if name.endswith(("_file", "splits_dir")) and value not in SAMPLE_FILES
    ]


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_recipe_is_found_by_its_name_from_any_folder(elsewhere):
    assert find("rams-lora") == published()["rams-lora"]
    assert find("rams-lora", ARMS) == published(ARMS)["rams-lora"]
    assert Recipe.read("sample-lora", output_dir="out").adapter.lora_r == 16


def test_a_file_wins_over_a_name_and_a_folder_does_not(elsewhere):
    (elsewhere / "rams-lora").mkdir()
    assert find("rams-lora") == published()["rams-lora"]
    (elsewhere / "sample-lora").write_text("seed: 3\n")
    assert read_settings("sample-lora") == {"seed": 3}


def test_what_was_not_found_is_answered_with_the_closest_and_all():
    assert names_hint("rams-loar").startswith("did you mean 'rams-lora'? published: advertisegen-smollm2, ")
    assert names_hint("mine.yaml", ARMS) == (
        "published: descriptions, e2e-smollm2, notes-table, phee-events, rams-folds, rams-lora; or a path to your own"
    )


@pytest.mark.parametrize("path", ALL, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_recipe_says_in_its_first_line_what_it_is(path):
    assert 20 < len(summary(path)) <= 130


@pytest.mark.parametrize("path", [path for path in published().values() if corpus_files(path)], ids=lambda p: p.stem)
def test_every_recipe_on_a_corpus_says_how_to_get_it_and_to_run_on_it(path):
    lines = head(path)
    start = next(number for number, line in enumerate(lines) if line.startswith("The data "))
    commands = [words.split() for words in " ".join(lines[start:]).split("  eventune ")[1:]]
    is_where_fetched = all(value.startswith("data/") for value in corpus_files(path))
    assert any(command[1] == path.stem and (is_where_fetched or "--train_file" in command) for command in commands)
    assert {command[2] for command in commands if command[:2] == ["data", "fetch"]} <= CORPORA.keys()


def test_without_its_corpus_a_recipe_says_how_to_get_it(elsewhere):
    with pytest.raises(EventuneError) as caught:
        read_changed("rams-lora", {"seed": "1"})
    assert caught.value.message.startswith("rams-lora: expected its corpus, found no train_file ../shared/data/rams/")
    assert "eventune data fetch rams --accept_unverified -o data/rams\n" in caught.value.hint


def test_another_corpus_takes_the_place_of_a_recipes_files_that_are_not_there(elsewhere):
    values, notices = read_changed("rams-lora", {"train_file": "mine.jsonl"})
    assert values["train_file"] == "mine.jsonl"
    assert values["init_from"] == "warmup"
    assert "ontology_file" not in values
    assert notices == [
        "ontology_file ../shared/data/rams/event_role_multiplicities.txt of rams-lora is not here: left out"
    ]


def test_files_that_are_there_or_given_stay(elsewhere):
    (elsewhere / "ontology.txt").touch()
    given = {"train_file": "mine.jsonl", "ontology_file": "ontology.txt"}
    assert read_changed("rams-lora", given)[1] == []
    settings = {"train_file": "ontology.txt", "seed": 1}
    assert without_absent_files("rams-lora", settings, {}) == (settings, [])


def test_a_recipe_of_ones_own_stays_as_it_is(elsewhere):
    (elsewhere / "own.yaml").write_text("train_file: absent.jsonl\nontology_file: absent.yaml\n")
    assert read_changed("own.yaml", {"train_file": "mine.jsonl"})[0]["ontology_file"] == "absent.yaml"
