"""Runs that take seconds or none, and a comparison that two tests only read."""

import json

import pytest

from eventune.comparison import execution
from eventune.comparison.arms import parse_arms
from eventune.comparison.comparing import Options, run_comparison
from eventune.corpora import write_corpus
from eventune.results import RunResult
from eventune.runs.splits import read_splits
from eventune.scoring.definitions import score_model


@pytest.fixture(scope="session")
def base(tiny_recipe):
    """Settings that all arms share, with a test part."""
    return {**tiny_recipe, "num_train_epochs": 1, "test_file": tiny_recipe["dev_file"]}


@pytest.fixture(scope="session")
def finished(base, forking, tmp_path_factory):
    """A finished comparison: its folder and its result. One arm's runs fail."""
    folder = tmp_path_factory.mktemp("comparison")
    arms = parse_arms("full,lora:r=2,lora:r=4:lora_target_modules=[querry]")
    with forking(execution):
        result = run_comparison(base, arms, folder, Options(seeds=(0, 1), workers=2), title="three arms")
    return folder, result


@pytest.fixture(scope="session")
def plain(small_corpus):
    """Settings that all arms share, of runs that are written and not trained: see `instant`."""
    return {
        "model_name_or_path": "unused",
        **{f"{part}_file": str(small_corpus / f"{part}.jsonl") for part in ("train", "dev")},
        "test_file": str(small_corpus / "dev.jsonl"),
        "ontology_file": str(small_corpus / "ontology.yaml"),
    }


@pytest.fixture
def instant(monkeypatch):
    """Lets the process of a run find what is annotated in its test part at once; gives the runs that were made."""
    made = []

    def train(run, *_):
        made.append(run)
        splits = read_splits(run.recipe.data, lambda _: None)
        test = splits.test
        scoring = run.recipe.scored_by
        score = score_model(test, test, scoring.scorer, triggers=scoring.triggers).to_dict()
        run.run_directory.mkdir()
        write_corpus(test, run.run_directory / run.kind.predictions)
        result = RunResult({"dev": score, "test": score}, data={"train": {"documents": len(splits.train)}})
        (run.run_directory / "result.json").write_text(json.dumps(result.to_dict()), encoding="utf-8")
        return "done"

    monkeypatch.setattr(execution, "_train", train)
    return made
