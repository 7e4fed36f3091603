"""Arms whose runs find triggers: they are compared by their own task's definition of F1."""

import pytest

from eventune.comparison.arms import parse_arms
from eventune.comparison.plan import plan_runs
from eventune.comparison.result import compare
from eventune.comparison.table import rows_of
from eventune.runs.training import train


@pytest.mark.parametrize("task", ["detection", "events"])
def test_runs_that_find_triggers_are_compared_by_what_they_find(tiny_recipe, small_corpus, tmp_path, task):
    base = {**tiny_recipe, "task": task, "test_file": str(small_corpus / "dev.jsonl"), "num_train_epochs": 1}
    if task == "events":
        base["measure"] = "argument_attached_cls"
    runs = plan_runs(base, parse_arms("lora:lora_r=2,lora:lora_r=4"), (0,), tmp_path)
    for run in runs:
        train(run.recipe)
    gold = runs[0].kind.gold(runs[0].recipe, [])

    result = compare(runs, gold)

    assert result["scorer"] == "textee"
    assert "false alarms/1,000 sentences" in rows_of(result)[0]
    for arm, run in zip(result["arms"], runs, strict=True):
        score = run.result().scores["test"]
        assert arm["mean"]["false_alarms"] == score["false_alarms"]["per_thousand_sentences"]
        assert arm["mean"]["f1"] == score["metrics"]["f1"]
        counted = run.kind.tallies([[run.predictions()]], gold, run.kind.headline(run.recipe)).all
        assert sum(tally.matched for tally in counted) == score["counts"]["matched"]
        assert sum(tally.predicted for tally in counted) == score["counts"]["predicted"]
