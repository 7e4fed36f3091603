"""Arms that differ in how much they are trained on."""

import pytest

from eventune.comparison.arms import parse_arms
from eventune.comparison.pictures import draw
from eventune.comparison.plan import plan_runs
from eventune.comparison.result import compare
from eventune.comparison.table import rows_of
from eventune.runs.training import train


@pytest.fixture
def compared(base, tmp_path):
    def compared(arms):
        runs = plan_runs(base, parse_arms(arms), (0,), tmp_path)
        for run in runs:
            train(run.recipe)
        return compare(runs, runs[0].kind.gold(runs[0].recipe, []))

    return compared


def test_arms_with_different_shares_of_the_documents_are_a_learning_curve(compared):
    result = compared("lora:train_fraction=0.25,lora:train_fraction=0.5,lora")

    assert [arm["mean"]["train_documents"] for arm in result["arms"]] == [10, 20, 40]
    heads, rows = rows_of(result)
    place = heads.index("training documents")
    assert [row[place] for row in rows] == ["10", "20", "40"]
    pictures = draw(result)
    assert b"training documents" in pictures["f1-train_documents"]["svg"]
    assert b"Pareto" not in pictures["f1-train_documents"]["svg"]
    assert b"Pareto" in pictures["f1-saved_bytes"]["svg"]


def test_arms_that_are_trained_on_the_same_say_nothing_of_it(compared):
    result = compared("lora:r=2,lora:r=4")
    assert "training documents" not in rows_of(result)[0]
    assert "f1-train_documents" not in draw(result)
