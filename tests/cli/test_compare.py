import json

import pytest
import yaml

from eventune.comparison import execution


@pytest.fixture(scope="module")
def recipe(tiny_recipe, tmp_path_factory):
    path = tmp_path_factory.mktemp("recipe") / "recipe.yaml"
    path.write_text(yaml.safe_dump({**tiny_recipe, "num_train_epochs": 1}), encoding="utf-8")
    return path


@pytest.fixture
def in_forks(forking):
    with forking(execution):
        yield


@pytest.mark.usefixtures("in_forks")
def test_a_table_is_printed_and_files_are_written(run, recipe, tmp_path):
    words = ("compare", recipe, "--arms", "bitfit,lora:r=2", "--output_dir", tmp_path / "out", "--lora_dropout", "0.1")
    shown = run(*words)

    assert shown.code == 0
    assert "lora:r=2" in shown.out
    assert "bitfit, seed 0: done" in shown.err
    assert (tmp_path / "out" / "comparison.html").is_file()
    result = json.loads(run(*words, "--json").out)
    assert [arm["finished"] for arm in result["arms"]] == [1, 1]
    assert result["arms"][1]["runs"][0]["recipe"]["lora_dropout"] == 0.1


@pytest.mark.usefixtures("in_forks")
def test_a_failed_run_is_exit_code_1(run, recipe, tmp_path):
    words = ("compare", recipe, "--arms", "lora:targets=[querry]", "--output_dir", tmp_path / "out")
    shown = run(*words)

    assert shown.code == 1
    assert "seed 0 is not finished: lora_target_modules: 'querry' matches none" in " ".join(shown.out.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--arms", "lorra"), "did you mean 'lora'?"),
        (("--arms", "full", "--seeds", "a"), "seeds: expected different integers with commas, found 'a'"),
        (("--arms", "full", "--seeds", "1,1"), "seeds: expected different integers"),
        (("--arms", "full", "--seeds", "0,00"), "seeds: expected different integers"),
        (("--arms", "full", "--seeds", "²"), "seeds: expected different integers"),
        (("--arms", "full", "--seeds=-1"), "seeds: expected different integers"),
        (("--arms", "full", "--workers", "0"), "workers: expected an integer >= 1, found 0"),
        (("--arms", "full", "--tune", "learning_rate", "--trials", "0"), "trials: expected an integer >= 1, found 0"),
        (("--arms", "full", "--trials", "4"), "--trials: expected --tune beside it"),
        (("--arms", "full", "--shared", "memory://x"), "--shared: expected --ray beside it"),
        (("--arms", "full", "--tune", "lora_r"), "tune: expected learning_rate or"),
        (("--arms", "full", "--learning_rat", "1"), "did you mean 'learning_rate'?"),
        (("--arms", "absent.yaml"), "absent.yaml: no such recipe"),
    ],
)
def test_wrong_input_is_one_clear_error_before_anything_is_made(refused, recipe, tmp_path, words, message):
    assert message in refused("compare", recipe, *words, "--output_dir", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_recipe_that_is_not_there_is_refused(refused, tmp_path):
    assert "no such recipe" in refused("compare", tmp_path / "absent.yaml", "--arms", "full")


def test_what_only_extraction_has_is_refused_with_an_llms_recipe(refused, tmp_path):
    recipe = tmp_path / "llm.yaml"
    recipe.write_text("model_name_or_path: smollm2\ntrain_file: rows.jsonl\nmax_source_length: 64\n", encoding="utf-8")
    message = refused("compare", recipe, "--arms", "full,notes", "--output_dir", tmp_path / "out")

    assert "arms: expected one of full, lora, prefix with a recipe of `eventune sft`, found 'notes'" in message
    assert not (tmp_path / "out").exists()
