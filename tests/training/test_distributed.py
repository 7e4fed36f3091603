"""One run in two processes, as torchrun and accelerate launch start them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from eventune.corpora import read_corpus, write_corpus

SCRIPT = """
import json, sys
from eventune.runs.training import train
from eventune.recipe import Recipe
train(Recipe.of(json.loads(sys.argv[1])))
"""


def trained(settings, folder, processes):
    recipe = {**settings, "output_dir": str(folder / f"by-{processes}")}
    recipe["per_device_train_batch_size"] = 8 // processes
    script = folder / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    launch = [sys.executable]
    if processes > 1:
        launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    command = [*launch, str(script), json.dumps(recipe)]
    found = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert found.returncode == 0, found.stderr[-3000:]
    return Path(recipe["output_dir"])


def test_two_processes_give_what_one_gives_with_the_same_batch(tiny_recipe, tmp_path):
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
    one, two = trained(settings, tmp_path, 1), trained(settings, tmp_path, 2)

    expected, found = (load_file(run / "adapter_model.safetensors") for run in (one, two))
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor, rtol=1e-5, atol=1e-5, msg=name)
    losses = [
        [json.loads(line)["loss"] for line in (run / "history.jsonl").read_text().splitlines()] for run in (one, two)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
