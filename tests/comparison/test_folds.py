"""Arms that are tested on every document, in folds."""

import csv
import io

import pytest

from eventune.cli import main
from eventune.comparison.arms import parse_arms
from eventune.comparison.comparing import gold_of
from eventune.comparison.plan import plan_runs
from eventune.comparison.result import compare
from eventune.comparison.table import comma_separated, legend, rows_of
from eventune.corpora import read_corpus
from eventune.errors import EventuneError
from eventune.runs.training import train
from eventune.scoring import score

FOLDS = ("1/2", "2/2")


@pytest.fixture(scope="module")
def settings(base):
    return {name: value for name, value in base.items() if name not in ("test_file", "dev_file")}


@pytest.fixture(scope="module")
def runs(settings, tmp_path_factory):
    """All but the last are made: seed 1 of the second arm lacks a fold."""
    folder = tmp_path_factory.mktemp("folds")
    planned = plan_runs(settings, parse_arms("lora:r=2,bitfit"), [0, 1], folder, FOLDS)
    for run in planned[:-1]:
        train(run.recipe)
    return planned


def test_runs_are_told_apart_by_their_folds(runs):
    titles = ["lora:r=2, seed 0, fold 1/2", "bitfit, seed 0, fold 1/2", "lora:r=2, seed 0, fold 2/2"]
    assert [run.title for run in runs[:3]] == titles
    assert len({run.place for run in runs}) == len({run.folder for run in runs}) == len(runs)


def test_the_folds_of_a_seed_are_counted_as_one_test_part_and_a_seed_that_lacks_one_is_not(runs, settings):
    gold = {document.id: document for document in read_corpus(settings["train_file"])}
    result = compare(runs, gold_of(runs))
    assert result["test_documents"] == len(gold)
    assert [arm["finished"] for arm in result["arms"]] == [4, 3]

    f1 = []
    for arm, seeds in (("lora:r=2", (0, 1)), ("bitfit", (0,))):
        matched = counted = 0
        for seed in seeds:
            files = [run.predictions() for run in runs if (run.arm.name, run.seed) == (arm, seed)]
            predicted = [document for file in files for document in read_corpus(file)]
            assert sorted(document.id for document in predicted) == sorted(gold)
            counts = score([gold[document.id] for document in predicted], predicted)
            matched, counted = matched + counts.matched, counted + counts.gold + counts.predicted
        f1.append(2 * matched / counted)
    assert result["arms"][1]["difference"]["difference"] == pytest.approx(f1[1] - f1[0])


def test_tables_say_what_the_deviation_is_over(runs):
    result = compare(runs, gold_of(runs))
    assert rows_of(result)[0][1] == "runs"
    assert [row[1] for row in rows_of(result)[1]] == ["4", "3 of 4"]
    assert "over seeds and folds" in legend(result)
    rows = list(csv.DictReader(io.StringIO(comma_separated(result))))
    assert [(row["seed"], row["fold"]) for row in rows[:4]] == [("0", "1/2"), ("0", "2/2"), ("1", "1/2"), ("1", "2/2")]


def test_folds_are_for_documents(tmp_path):
    sft = {"prompt_column": "content", "response_column": "summary", "do_train": True, "max_source_length": 8}
    with pytest.raises(EventuneError, match="folds: expected a recipe of eventune train"):
        plan_runs(sft, parse_arms("full", sft), [0], tmp_path, FOLDS)


@pytest.mark.parametrize("folds", ["1", "0/5", "1,1/5", "x", "5/"])
def test_wrong_folds_are_one_message(folds, capsys, tmp_path):
    output = tmp_path / "out"
    code = main(["compare", "sample-lora", "--arms", "lora", "--folds", folds, "--output_dir", str(output)])
    assert code == 2
    assert "for example --folds 5 or 1,2/5" in capsys.readouterr().err
    assert not output.exists()
