"""Every command that writes is refused, at once and with one message, where another process is writing the same."""

import os
import re

import pytest
import yaml

from eventune.storage.locks import locked

COMMANDS = {
    "train": ["train", "RECIPE", "--output_dir", "OUT"],
    "train over an earlier run": ["train", "RECIPE", "--output_dir", "OUT", "--overwrite_output_dir", "true"],
    "train on from a checkpoint": ["train", "RECIPE", "--output_dir", "OUT", "--resume_from_checkpoint", "true"],
    "sft": ["sft", "--train_file", "CORPUS", "--output_dir", "OUT"],
    "demo": ["demo", "--output_dir", "OUT"],
    "extract": ["extract", "RUN", "CORPUS", "-o", "OUT"],
    "evaluate": ["evaluate", "RUN", "--test_file", "CORPUS", "--predictions_file", "OUT"],
    "merge": ["merge", "RUN", "OUT"],
    "convert adapter": ["convert", "adapter", "CORPUS", "OUT", "--lora_alpha", "4"],
    "convert chatglm2-adapter": ["convert", "chatglm2-adapter", "RUN", "OUT"],
    "data convert": ["data", "convert", "CORPUS", "OUT"],
    "data convert, coreference": ["data", "convert", "CORPUS", "new", "--output_coreference_file", "OUT"],
    "data check --fix": ["data", "check", "CORPUS", "--fix", "-o", "OUT"],
    "data ontology": ["data", "ontology", "CORPUS", "-o", "OUT"],
}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS.keys())
def test_a_second_process_is_refused_and_changes_nothing(
    words, refused, tiny_run, tiny_recipe, small_corpus, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(tiny_recipe), encoding="utf-8")
    given = {"RECIPE": "recipe.yaml", "CORPUS": small_corpus / "dev.jsonl", "RUN": tiny_run, "OUT": "out"}

    with locked(tmp_path / "out"):
        message = refused(*(given.get(word, word) for word in words))

    expected = (
        rf"out: another eventune process \(pid {os.getpid()}\) is writing it\nhint: wait for it, or choose another"
    )
    assert re.search(expected, message)
    assert [path.name for path in tmp_path.iterdir()] == ["recipe.yaml"]
