"""Comparisons of fine-tunings of causal LMs; one is made, most tests only read it."""

import csv
import json
import math
import statistics

import pytest

from eventune.comparison import execution
from eventune.comparison.arms import Arm, parse_arms, recipe_of
from eventune.comparison.comparing import Options, run_comparison, write_result
from eventune.comparison.kinds import kind_of
from eventune.comparison.plan import Run, plan_runs
from eventune.comparison.result import compare
from eventune.comparison.table import markdown, rows_of
from eventune.comparison.tuning import tune
from eventune.comparison.writing import write_comparison
from eventune.errors import EventuneError
from eventune.recipe import read_settings
from eventune.results import RunResult
from eventune.scoring.text import score_texts
from eventune.sft.rows import read_row_splits
from eventune.sft.tuning import fine_tune

ARMS = "full,lora:r=4"


@pytest.fixture(scope="module")
def base(tiny_llm, tmp_path_factory):
    """Settings of a short fine-tuning, in which all weights learn some words; they have a LoRA of their own."""
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    rows = [
        {"content": f"{name} {size}", "summary": f"we sell it in {name} and {size}"}
        for name in ("red", "green", "blue", "white")
        for size in ("s", "m", "l", "xl", "xs")
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return {
        "model_name_or_path": str(tiny_llm),
        "train_file": str(path),
        "test_fraction": 0.3,
        "prompt_column": "content",
        "response_column": "summary",
        "max_source_length": 48,
        "max_target_length": 32,
        "lora_r": 16,
        "learning_rate": 0.01,
        "max_steps": 60,
        "per_device_train_batch_size": 4,
        "logging_steps": 10,
        "output_dir": "unused",
    }


@pytest.fixture(scope="module")
def finished(base, forking, tmp_path_factory):
    """Two arms with two seeds: folder and result. One run is made in a process of its own, the others here: faster."""
    folder = tmp_path_factory.mktemp("comparison")
    arms = parse_arms(ARMS, base)
    with pytest.MonkeyPatch.context() as patch, forking(execution):
        patch.setenv("EVENTUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        for run in plan_runs(base, arms, [0, 1], folder)[1:]:
            fine_tune(run.recipe)
        result = run_comparison(base, arms, folder, Options(seeds=(0, 1)), title="two arms")
    return folder, result


def test_the_kind_is_decided_by_the_settings_names(base):
    assert kind_of(base).verb == "sft"
    assert kind_of({**base, "evaluation_strategy": "no", "lorra_r": 8}).verb == "sft"
    assert kind_of({"train_file": "sample:train", "output_dir": "unused"}).verb == "train"
    assert kind_of({"train_file": "sample:train", "word_dropout": 0.0, "ontologyfile": "x"}).verb == "train"


def test_an_arm_has_its_own_method_alone_whatever_the_base_has(base):
    arms = parse_arms("full,lora,lora:r=4,prefix", {**base, "lora_alpha": 64})
    found = [recipe_of({**base, "lora_alpha": 64}, arm).model.adapter() for arm in arms]

    assert [adapter.method for adapter in found] == ["full", "lora", "lora", "prefix"]
    assert [(adapter.lora_r, adapter.lora_alpha) for adapter in found[1:3]] == [(16, 64), (4, 8)]
    assert found[3].pre_seq_len == 32
    without = {name: value for name, value in base.items() if name != "lora_r"}
    (lora,) = parse_arms("lora", without)
    assert recipe_of(without, lora).model.lora_r == 8
    # So can the arms of a YAML file take settings of the base away.
    assert recipe_of(base, Arm("none", {"lora_r": None})).model.adapter().method == "full"


@pytest.mark.parametrize(
    ("arms", "message"),
    [
        ("notes", r"arms: expected one of full, lora, prefix with a recipe of `eventune sft`, found 'notes'"),
        ("lora:rank=8", r"arm lora:rank=8: 'rank' is no setting of a recipe"),
        ("lora:r=none", r"arm lora:r=none: lora_r: expected an integer, found 'none'"),
    ],
)
def test_what_is_no_arm_of_a_fine_tuning_is_refused(arms, message, base, tmp_path):
    with pytest.raises(EventuneError, match=message):
        plan_runs(base, parse_arms(arms, base), [0], tmp_path)


def test_the_published_recipe_can_be_compared(corpora_folder, tmp_path):
    if not (corpora_folder / "e2e" / "valid.txt").is_file():
        pytest.skip("needs E2E's valid.txt; set EVENTUNE_CORPORA to the folder that holds e2e")
    base = {
        **read_settings("e2e-smollm2"),
        "train_file": str(corpora_folder / "e2e" / "valid.txt"),
    }
    runs = plan_runs(base, parse_arms("full,lora:r=16,prefix", base), [0, 1], tmp_path)

    assert [run.kind.verb for run in runs] == ["sft"] * 6
    assert len(read_row_splits(runs[0].recipe, lambda _: None).train) == base["max_train_samples"]


def test_without_a_test_part_there_is_nothing_to_compare(base, tmp_path):
    with pytest.raises(EventuneError, match=r"expected a test part, whose BLEU is compared, found none"):
        plan_runs({**base, "test_fraction": 0.0}, parse_arms("full", base), [0], tmp_path)


def test_every_arm_and_seed_becomes_a_run_with_the_same_steps(finished):
    folder, result = finished

    assert [(arm["name"], arm["finished"]) for arm in result["arms"]] == [(name, 2) for name in ARMS.split(",")]
    assert len(list(folder.rglob("run/result.json"))) == 4
    for arm in result["arms"]:
        for run in arm["runs"]:
            assert len([entry for entry in run["history"] if "loss" in entry]) == 6
            assert run["resources"]["steps"] == 60
    assert result["headline"] == {"name": "bleu", "title": "BLEU"}
    assert result["roles"] == []


def test_means_are_over_seeds_and_the_difference_is_that_of_all_responses_together(finished):
    folder, result = finished
    bleu = []
    for arm in result["arms"]:
        runs = sorted((folder / "runs" / arm["name"].replace(":", "_")).glob("seed-*/run"))
        scores = [RunResult.read(run / "result.json").scores["test"]["metrics"]["bleu"] for run in runs]
        assert arm["mean"]["bleu"] == pytest.approx(statistics.fmean(scores))
        assert arm["sd"]["bleu"] == pytest.approx(statistics.stdev(scores))
        lines = [line for run in runs for line in (run / "predictions.jsonl").read_text(encoding="utf-8").splitlines()]
        rows = [json.loads(line) for line in lines]
        assert len(rows) == 2 * result["test_rows"]
        together = score_texts([row["prediction"] for row in rows], [row["references"] for row in rows])
        bleu.append(together["bleu"])
        low, high = arm["interval"]["bleu"]
        assert low <= bleu[-1] <= high
    difference = result["arms"][1]["difference"]

    assert bleu[0] > bleu[1]
    assert difference["difference"] == pytest.approx(bleu[1] - bleu[0])
    assert difference["interval"][0] <= difference["difference"] <= difference["interval"][1]


def test_the_files_speak_of_bleu_and_rows(finished):
    folder, result = finished
    heads, _ = rows_of(result)
    text = markdown(result)
    page = (folder / "comparison.html").read_text(encoding="utf-8")

    assert heads[2:4] == ["BLEU", "BLEU − full"]
    assert {"s/epoch", "rows/s", "memory, MB", "trained, M", "saved, MB"} <= set(heads)
    assert "BLEU: scorer sacrebleu, test part (6 rows)" in text
    assert "paired bootstrap over rows" in text
    assert "F1" not in text + page
    assert "BLEU against seconds per epoch" in page
    assert {path.stem for path in (folder / "pictures").iterdir()} >= {"curves", "bleu-saved_bytes"}
    with (folder / "comparison.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[0]["bleu"]) == result["arms"][0]["runs"][0]["figures"]["bleu"]
    assert {"chrf", "rouge-l", "loss", "perplexity", "rows_per_second"} <= rows[0].keys()
    assert json.loads((folder / "comparison.json").read_text(encoding="utf-8")) == json.loads(json.dumps(result))


def test_what_is_there_is_taken_over_and_other_settings_are_refused(finished, base):
    folder, result = finished
    heard = []
    options = Options(seeds=(0, 1))
    again = run_comparison(
        base, parse_arms(ARMS, base), folder, options, title="", listener=lambda run, outcome: heard.append(outcome)
    )

    assert heard == ["there already"] * 4
    assert again["arms"] == result["arms"]
    with pytest.raises(EventuneError, match=r"made with max_steps = 60, now it would be 7"):
        plan_runs({**base, "max_steps": 7}, parse_arms(ARMS, base), [0], folder)
    with pytest.raises(EventuneError, match=r"made with weight_decay = None, now it would be 0.1"):
        plan_runs({**base, "weight_decay": 0.1}, parse_arms(ARMS, base), [0], folder)


def test_runs_on_other_rows_are_not_compared(finished, base):
    folder, _ = finished
    runs = plan_runs(base, parse_arms(ARMS, base), [0, 1], folder)

    with pytest.raises(EventuneError, match="found other rows or references"):
        compare(runs, [["another"]])


def test_a_rate_is_tuned_to_the_least_loss_and_nothing_is_generated(base, tmp_path, monkeypatch):
    pytest.importorskip("optuna")
    made = []

    def result(run):
        loss = 1 + abs(math.log10(run.recipe.training.learning_rate) + 3)
        return RunResult({"dev": {"metrics": {"loss": loss}}}, {}, {}, {}, {}, 0)

    monkeypatch.setattr(Run, "result", result)
    with_dev = {**base, "dev_fraction": 0.2}
    (arm,) = parse_arms("lora", with_dev)
    tuned = tune(with_dev, arm, ("learning_rate",), trials=8, output_dir=tmp_path, make=lambda run: made.append(run))

    assert {run.recipe.tasks for run in made} == {("train", "eval")}
    losses = [result(run).scores["dev"]["metrics"]["loss"] for run in made]
    assert tuned.to_dict()["dev_loss"] == pytest.approx(min(losses))
    with pytest.raises(EventuneError, match=r"expected a dev part, found none\ngive validation_file or dev_fraction"):
        tune(base, arm, ("learning_rate",), trials=2, output_dir=tmp_path)
    with pytest.raises(EventuneError, match=r"tune: expected learning_rate or loraplus_lr_ratio, found"):
        tune(with_dev, arm, ("head_learning_rate",), trials=2, output_dir=tmp_path)


def test_a_model_before_any_fine_tuning_is_an_arm_too(finished, base, tmp_path, monkeypatch):
    monkeypatch.setenv("EVENTUNE_CACHE", str(tmp_path / "cache"))
    untrained = Arm("untrained", {"do_train": False, "do_predict": True, "lora_r": None})
    (run,) = plan_runs(base, [untrained], [0], tmp_path)
    fine_tune(run.recipe)
    runs = [*plan_runs(base, parse_arms("full", base), [0, 1], finished[0]), run]
    gold = run.kind.gold(run.recipe, [run.predictions()])

    result = compare(runs, gold)
    write_comparison(result, tmp_path, title="")
    arm = result["arms"][1]
    assert arm["mean"].keys() == {"bleu", "chrf", "bleu-4", "rouge-1", "rouge-2", "rouge-l", "loss", "perplexity"}
    assert arm["difference"]["difference"] < 0
    assert result["pareto"]["saved_bytes"] == ["full"]


def test_a_test_part_without_references_has_no_score(base, tmp_path, monkeypatch):
    monkeypatch.setenv("EVENTUNE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "test.jsonl").write_text('{"content": "red s"}\n', encoding="utf-8")
    values = {**base, "test_fraction": 0.0, "test_file": str(tmp_path / "test.jsonl"), "max_steps": 1}
    runs = plan_runs(values, parse_arms("full", values), [0], tmp_path)
    fine_tune(runs[0].recipe)

    result = write_result(runs, tmp_path, tuned={}, title="")
    assert result["test_rows"] == 0
    assert rows_of(result)[1][0][:4] == ["full", "1", "–", "–"]
