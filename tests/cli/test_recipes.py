"""`eventune recipes`, and the verbs that take a recipe's name."""

import json

import pytest

from eventune.recipes import published


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_all_recipes_are_listed_with_their_command_and_their_first_line(run):
    found = run("recipes")
    assert found.code == 0
    lines = found.out.splitlines()
    start = lines.index("eventune train rams-lora")
    assert lines[start + 1] == "  LoRA on RAMS: one encoder pass an event, all roles at once."
    assert {"eventune sft e2e-smollm2", "eventune compare --arms notes-table"} <= set(lines)


def test_the_list_as_json_has_every_published_file(run):
    names = [recipe["name"] for recipe in json.loads(run("recipes", "--json").out)["recipes"]]
    assert {*published(), "arms/rams-lora"} <= set(names)


@pytest.mark.parametrize("name", ["rams-lora", "arms/rams-lora"])
def test_a_recipe_is_printed_as_it_is_in_the_package(name, run):
    record = json.loads(run("recipes", name, "--json").out)
    assert run("recipes", name).out.rstrip("\n") == record["text"].rstrip("\n")
    assert record["path"].endswith(f"recipes/{name}.yaml")


def test_an_unknown_recipe_is_answered_with_the_closest(refused):
    assert "did you mean 'rams-lora'?" in refused("recipes", "rams-loar")


def test_training_by_name_without_the_corpus_says_how_to_get_it(refused):
    assert "eventune data fetch rams" in refused("train", "rams-lora")
    assert "eventune sft e2e-smollm2 --train_file" in refused("sft", "e2e-smollm2")
    assert "eventune data fetch rams" in refused("compare", "notes-table", "--arms", "notes-table")


def test_unknown_arms_are_answered_with_published_ones(refused):
    assert "did you mean 'notes-table'?" in refused("compare", "sample-lora", "--arms", "notes-tabel")
