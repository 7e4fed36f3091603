"""One run in two processes, each with the environment that torchrun and accelerate launch give it."""

import json

import pytest
import torch
from safetensors.torch import load_file

from eventune.corpora import read_corpus, write_corpus
from eventune.recipe import Recipe
from eventune.runs.training import train


def test_two_processes_give_what_one_gives_with_the_same_batch(tiny_recipe, forked, tmp_path):
    # As many events as fill all batches: accelerate fills the last one with events from the beginning.
    documents, events = [], 0
    for document in read_corpus(tiny_recipe["train_file"]):
        if events + len(document.events) <= 48:
            documents.append(document)
            events += len(document.events)
    assert events == 48
    write_corpus(documents, tmp_path / "train.jsonl")
    settings = {
        **tiny_recipe,
        "train_file": str(tmp_path / "train.jsonl"),
        "num_train_epochs": 2,
        "hidden_dropout": 0.0,
        "head_dropout": 0.0,
        "max_grad_norm": 0.0,
        "lr_scheduler_type": "linear",
        "learning_rate": 1e-3,
        "head_learning_rate": 1e-3,
    }
    one, two = tmp_path / "one", tmp_path / "two"
    train(Recipe.of({**settings, "per_device_train_batch_size": 8, "output_dir": str(one)}))
    halved = Recipe.of({**settings, "per_device_train_batch_size": 4, "output_dir": str(two)})
    codes = forked.ranks(lambda: train(halved), 2, tmp_path / "log")
    assert codes == [0, 0], (tmp_path / "log").read_text()[-3000:]

    expected, found = (load_file(run / "adapter_model.safetensors") for run in (one, two))
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor, rtol=1e-5, atol=1e-5, msg=name)
    losses = [
        [json.loads(line)["loss"] for line in (run / "history.jsonl").read_text().splitlines()] for run in (one, two)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
