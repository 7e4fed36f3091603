import json
import os
import subprocess
import sys

import pytest

from eventune.cli import VERBS
from eventune.cli.inspect import TASKS


def test_the_model_its_targets_heads_and_costs_are_shown(run, tiny_encoder):
    shown = run("inspect", tiny_encoder, "--task", "token-classification")

    assert shown.code == 0
    assert "BertForTokenClassification (bert)" in shown.out
    assert "bert.encoder.layer.{0-1}.output.dense" in shown.out
    assert "query, key, value, dense" in shown.out
    assert "classifier (66)" in shown.out
    lines = [line.split() for line in shown.out.splitlines()]
    assert [line[2] for line in lines if line[:2] == ["attention-qv", "lora"]] == ["4", "8", "16", "32", "64"]
    assert [line[2] for line in lines if line[:2] == ["attention-qv", "ia3"]] == ["-"]


def test_json_holds_all_that_is_shown(run, tiny_encoder):
    result = json.loads(run("inspect", tiny_encoder, "--task", "token-classification", "--json").out)

    assert result["modules_to_save"] == ["classifier"]
    assert result["target_modules"] == ["query", "key", "value", "dense"]
    assert {"attention", "mlp", "fused", "patterns", "costs", "notes", "snippet"} <= result.keys()
    full = next(cost for cost in result["costs"] if cost["targets"] == "full")
    assert full["trainable_parameters"] == result["parameters"]


def test_the_snippet_is_printed_alone(run, tiny_encoder):
    shown = run("inspect", tiny_encoder, "--task", "token-classification", "--snippet", "--lora_r", 4)

    assert shown.out.startswith("from peft import")
    assert "r=4,\n    lora_alpha=8," in shown.out
    compile(shown.out, "snippet", "exec")


@pytest.mark.parametrize("columns", [40, 60])
def test_a_narrow_terminal_is_enough(run, tiny_encoder, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = run("inspect", tiny_encoder)

    assert max(len(line.rstrip()) for line in shown.out.splitlines()) <= columns


def test_wrong_input_is_one_clear_error(refused, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "model 'minilmm' was not found" in refused("inspect", "minilmm")
    assert "found no config.json in it" in refused("inspect", tmp_path)
    assert "cannot be imported" in refused("inspect", "no_such:Model")


def test_a_rank_of_zero_is_refused(refused, tiny_encoder):
    assert "lora_r: expected an integer >= 1, found 0" in refused("inspect", tiny_encoder, "--lora_r", 0)


def test_the_tasks_are_those_that_can_be_built():
    from eventune.backbones.skeleton import TASKS as BUILT

    assert tuple(BUILT) == TASKS


def test_a_broken_bitsandbytes_is_neither_heard_nor_fatal(tiny_encoder, tmp_path):
    package = tmp_path / "bitsandbytes"
    package.mkdir()
    text = "print('===BUG REPORT==='); raise RuntimeError('CUDA Setup failed despite GPU being available')"
    (package / "__init__.py").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "eventune", "inspect", str(tiny_encoder), "--json"]

    found = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=True
    )

    assert json.loads(found.stdout)["model_type"] == "bert"
    assert found.stderr == ""


@pytest.mark.slow
@pytest.mark.parametrize("statement", ["from eventune import train", "from eventune import Extractor"])
def test_a_broken_bitsandbytes_is_not_heard_from_python_either(statement, tmp_path):
    package = tmp_path / "bitsandbytes"
    package.mkdir()
    (package / "__init__.py").write_text("print('===BUG REPORT==='); raise RuntimeError('CUDA')", encoding="utf-8")
    command = [sys.executable, "-c", statement]

    found = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=True
    )

    assert (found.stdout, found.stderr) == ("", "")


def test_the_verbs_are_known():
    assert {"inspect", "merge", "convert", "doctor"} <= VERBS.keys()
