"""`eventune demo`, with a tiny encoder and few documents in place of the packaged ones."""

import json

import pytest

from eventune.cli.demo import TEXTS
from eventune.recipe import Recipe
from eventune.runs import training as experiment


@pytest.fixture
def recipes(tiny_recipe, monkeypatch):
    """The recipes that the demo trains by; what is trained instead takes a second."""
    seen = []

    def train(recipe, reporter):
        seen.append(recipe)
        given = recipe.optimisation
        settings = {"output_dir": given.output_dir, "overwrite_output_dir": given.overwrite_output_dir}
        return of_experiment(
            Recipe.of({**tiny_recipe, "task": "events", "num_train_epochs": 1, **settings}), reporter=reporter
        )

    of_experiment = experiment.train
    monkeypatch.setattr(experiment, "train", train)
    return seen


def test_the_demo_trains_on_the_sample_with_lora_and_shows_what_it_finds(run, recipes, tmp_path):
    found = run("demo", "--output_dir", tmp_path / "demo")

    assert found.code == 0
    [recipe] = recipes
    assert recipe.task.name == "events"
    assert (recipe.adapter.method, recipe.model.model_name_or_path) == ("lora", "minilm")
    assert [recipe.data.train_file, recipe.data.test_file] == ["sample:train", "sample:test"]
    assert "dev" in found.out
    assert f'eventune extract {tmp_path}/demo --text "Rebels shelled the old bridge."\n' in found.out


def test_the_demo_may_be_repeated_and_its_json_is_one_object_with_the_extractions(run, recipes, tmp_path):
    assert run("demo", "--output_dir", tmp_path / "demo").code == 0
    found = run("demo", "--output_dir", tmp_path / "demo", "--json")
    assert found.code == 0
    result = json.loads(found.out)
    assert result["metrics"].keys() == {"precision", "recall", "f1"}
    assert [record["text"] for record in result["extractions"]] == list(TEXTS)


def test_the_demo_leaves_folders_alone_that_are_no_run(refused, recipes, tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    assert "is not overwritten" in refused("demo", "--output_dir", tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "precious"
