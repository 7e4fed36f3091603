"""Whole comparisons of runs that are made at once: what is compared with what, and what a second time does."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from eventune.comparison import kinds
from eventune.comparison.arms import Arm, parse_arms
from eventune.comparison.comparing import Options, gold_of, run_comparison, write_result
from eventune.comparison.execution import make_runs
from eventune.comparison.plan import plan_runs
from eventune.comparison.table import rows_of
from eventune.corpora import read_corpus, read_ontology, write_corpus, write_ontology
from eventune.errors import EventuneError
from eventune.events import Ontology
from eventune.recipe import Recipe
from eventune.runs.splits import read_splits


def compared(base, arms, folder, **options):
    return run_comparison(base, arms, folder, Options(**options), title="")


@pytest.fixture
def other_files(plain, tmp_path):
    """The test part under another name, with a document less, and with an argument less."""
    documents = read_corpus(plain["test_file"]).documents
    number = next(number for number, document in enumerate(documents) if document.events)
    changed = [*documents[:number], documents[number].with_events([]), *documents[number + 1 :]]
    files = {"copy": documents, "shorter": documents[:-1], "changed": changed}
    for name, content in files.items():
        write_corpus(content, tmp_path / f"{name}.jsonl")
    return {name: str(tmp_path / f"{name}.jsonl") for name in files}


def test_an_arm_that_trains_the_base_at_an_adapter_s_rate_is_told(plain, instant, tmp_path):
    told = []
    arms = parse_arms("lora,full,full:lr=1e-4", plain)
    run_comparison({**plain, "learning_rate": 1e-3}, arms, tmp_path, Options(), title="", notice=told.append)
    assert told == [
        "full: learning_rate 0.001 is an adapter's: method: full wants about a tenth of it, e.g. --learning_rate 1e-4"
    ]


def test_the_rate_of_each_step_is_looked_at(plain):
    steps = {"task": "events", "method": "full", "arguments": {"learning_rate": 1e-4}}
    for rate, told in ((1e-3, True), (1e-4, False)):
        recipe = Recipe.of({**plain, **steps, "detection": {"learning_rate": rate}, "output_dir": "run"})
        assert bool(kinds.kind_of(plain).advice(recipe)) == told


@pytest.mark.filterwarnings("ignore")
def test_a_comparison_with_tuned_rates_goes_on_with_the_same_command(plain, instant, tmp_path):
    pytest.importorskip("optuna")
    arms = parse_arms("full,lora")
    options = {"tuned_settings": ("learning_rate",), "trials": 2}
    first = compared(plain, arms, tmp_path, **options)
    assert len(instant) == 2 * (2 + 1)

    shutil.rmtree(tmp_path / "runs" / "lora")
    again = compared(plain, arms, tmp_path, **options)
    assert len(instant) == 2 * (2 + 1) + 1
    assert [arm["tuned"] for arm in again["arms"]] == [arm["tuned"] for arm in first["arms"]]
    assert instant[-1].recipe.optimisation.learning_rate == first["arms"][1]["tuned"]["settings"]["learning_rate"]


def test_runs_with_other_settings_are_refused_before_any_rate_is_tuned(plain, instant, tmp_path):
    arms = parse_arms("full")
    compared(plain, arms, tmp_path)
    with pytest.raises(EventuneError, match="made with num_train_epochs = "):
        compared({**plain, "num_train_epochs": 2}, arms, tmp_path, tuned_settings=("learning_rate",), trials=2)
    assert len(instant) == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dev_file": ""}, "arm other: tune: expected a dev part, found none"),
        ({"task": "generation"}, "arm other: head_learning_rate: expected .* with task: generation"),
    ],
)
def test_an_arm_that_cannot_be_tuned_is_refused_before_any_other_is(plain, instant, tmp_path, settings, message):
    arms = [Arm("first", {}), Arm("other", settings)]
    with pytest.raises(EventuneError, match=message):
        compared(plain, arms, tmp_path / "out", tuned_settings=("head_learning_rate",), trials=2)
    assert not instant
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test_file": "shorter"}, "arm other: expected the documents of the first arm's test part, found 1 missing"),
        ({"test_file": "changed"}, "arm other: .* found 1 annotated otherwise"),
        ({"test_file": "", "test_fraction": 0.2}, "arm other: expected the documents of the first arm's test part"),
        ({"test_file": ""}, "arm other: expected a test part, as the first arm has, found none"),
    ],
)
def test_arms_with_different_test_parts_are_refused_before_any_run(
    plain, instant, other_files, tmp_path, change, message
):
    change = {name: other_files.get(value, value) for name, value in change.items()}
    with pytest.raises(EventuneError, match=message):
        compared(plain, [Arm("first", {}), Arm("other", change)], tmp_path / "out")
    assert not instant


def test_what_splits_the_documents_otherwise_makes_another_test_part(plain, instant, tmp_path):
    base = {**plain, "test_file": "", "test_fraction": 0.2}
    with pytest.raises(EventuneError, match="arm lora:split_seed=1: expected the documents of the first arm's test"):
        compared(base, parse_arms("lora,lora:split_seed=1"), tmp_path)


def test_without_a_test_part_the_dev_part_is_the_same(plain, instant, other_files, tmp_path):
    base = {**plain, "test_file": ""}
    with pytest.raises(EventuneError, match="arm other: expected the documents of the first arm's dev part"):
        compared(base, [Arm("first", {}), Arm("other", {"dev_file": other_files["shorter"]})], tmp_path)
    with pytest.raises(EventuneError, match="arm other: expected no test part, as the first arm has, found one"):
        compared(base, [Arm("first", {}), Arm("other", {"test_file": plain["test_file"]})], tmp_path)
    assert not instant


def test_an_arm_that_lacks_a_fold_is_no_learning_curve(plain, instant, tmp_path):
    base = {**plain, "test_file": ""}
    runs = plan_runs(base, parse_arms("full,lora"), [0], tmp_path, ("1/3", "2/3", "3/3"))
    make_runs(runs[1:])
    result = write_result(runs, tmp_path, tuned={}, title="")
    assert [arm["finished"] for arm in result["arms"]] == [2, 3]
    assert "training documents" not in rows_of(result)[0]


def test_roles_that_one_arm_leaves_out_make_another_test_part(plain, instant, tmp_path):
    known = read_ontology(Path(plain["ontology_file"]))
    fewer_roles = [replace(kind, roles=kind.roles[1:]) for kind in known.types.values()]
    write_ontology(Ontology.of(fewer_roles), tmp_path / "fewer.yaml")
    fewer = {"ontology_file": str(tmp_path / "fewer.yaml"), "ignore_unknown_roles": True}
    with pytest.raises(EventuneError, match=r"arm fewer: .*annotated otherwise"):
        compared(plain, [Arm("all", {}), Arm("fewer", fewer)], tmp_path / "out")


def test_arms_that_are_trained_otherwise_share_the_test_part(plain, instant, other_files, tmp_path):
    base = {**plain, "test_file": "", "dev_file": ""}
    arms = [Arm("first", {}), Arm("share", {"train_fraction": 0.5}), Arm("dev", {"dev_fraction": 0.1})]
    result = compared(base, arms, tmp_path / "folds", seeds=(0, 1), folds=("1/2", "2/2"))
    assert [arm["finished"] for arm in result["arms"]] == [4, 4, 4]
    assert all(tuple(arm["interval"]["f1"]) == (1.0, 1.0) for arm in result["arms"])

    copied = compared(plain, [Arm("first", {}), Arm("copy", {"test_file": other_files["copy"]})], tmp_path / "copy")
    assert copied["arms"][1]["difference"]["difference"] == 0


def test_equal_settings_are_read_once(plain, tmp_path, monkeypatch):
    runs = plan_runs(plain, parse_arms("full,lora,lora:train_fraction=0.5"), [0, 1], tmp_path)
    read = []
    monkeypatch.setattr(kinds, "read_splits", lambda *given: read.append(given) or read_splits(*given))
    assert len(gold_of(runs)) == 12
    assert len(read) == 1


def test_predictions_of_other_documents_are_refused(plain, instant, tmp_path):
    compared(plain, parse_arms("full"), tmp_path)
    (file,) = tmp_path.rglob("test_predictions.jsonl")
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(lines[1:]), encoding="utf-8")
    lacking = json.loads(lines[0])["id"]
    with pytest.raises(
        EventuneError, match=f"expected predictions for the 12 documents .*, found 1 missing .*{lacking}"
    ):
        compared(plain, parse_arms("full"), tmp_path)


def test_a_measure_that_is_infinite_in_some_runs_is_no_end_of_the_comparison(plain, instant, tmp_path):
    options = {"seeds": (0, 1)}
    compared(plain, parse_arms("full"), tmp_path, **options)
    for file in tmp_path.rglob("result.json"):
        result = json.loads(file.read_text(encoding="utf-8"))
        result["resources"] = {"forgetting": math.inf}
        file.write_text(json.dumps(result), encoding="utf-8")
    (arm,) = compared(plain, parse_arms("full"), tmp_path, **options)["arms"]
    assert arm["mean"]["forgetting"] == math.inf
    assert math.isnan(arm["sd"]["forgetting"])
