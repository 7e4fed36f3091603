from dataclasses import replace

import pytest
import yaml

from eventune.corpora import read_corpus
from eventune.corpora.sample import sample_file


@pytest.fixture
def module(load):
    return load("calibration")


def test_corpora_of_the_run_are_read_only_where_a_part_has_no_file(module, tmp_path):
    sample = {part: sample_file(part) for part in ("train", "dev", "test")}
    recipe = {"train_file": str(sample["train"]), "dev_file": str(sample["dev"]), "output_dir": "run"}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))

    parts = module.parts_of(tmp_path, {"dev": None, "test": sample["test"]})
    assert parts == {part: list(read_corpus(sample[part])) for part in ("dev", "test")}
    assert module.parts_of(tmp_path / "gone", {part: sample[part] for part in ("dev", "test")}) == parts


def test_the_error_is_that_of_arguments_scores(module):
    gold = [document for document in read_corpus(sample_file("dev")) if document.events][:2]
    said = [
        document.with_events(
            [replace(e, arguments=tuple(replace(a, score=0.75) for a in e.arguments)) for e in document.events]
        )
        for document in gold
    ]
    assert module.calibration_error(gold, said) == pytest.approx(0.25)
