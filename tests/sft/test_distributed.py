"""A fine-tuning in two processes, with the environment that a launcher gives each, and as the launchers start it."""

import json
import os
import subprocess
import sys

import pytest
import torch
import yaml
from safetensors.torch import load_file

from eventune.cli import main
from eventune.sft.tuning import fine_tune

LAUNCHERS = {
    "torchrun": [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"],
    # Its option for several processes is named after GPUs; without one, ACCELERATE_USE_CPU lets them be gloo's.
    "accelerate": [
        *(sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes=2", "--num_machines=1"),
        *("--mixed_precision=no", "--dynamo_backend=no", "--main_process_port=0"),
    ],
}


def launched(recipe, launcher):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    command = [*LAUNCHERS[launcher], "-m", "eventune", "sft", str(recipe)]
    found = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert found.returncode == 0, found.stderr[-3000:]


@pytest.mark.parametrize("launcher", ["", *(pytest.param(name, marks=pytest.mark.slow) for name in LAUNCHERS)])
def test_two_processes_give_what_one_gives_with_the_same_batch(settings, forked, tmp_path, launcher):
    one, two = tmp_path / "one", tmp_path / "two"
    common = {"max_train_samples": 32, "max_steps": 8, "logging_steps": 1}
    fine_tune(settings(**common, per_device_train_batch_size=8, output_dir=str(one)))
    halved = settings(**common, per_device_train_batch_size=4, output_dir=str(two), use_cpu=True)
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump(halved.given), encoding="utf-8")
    if launcher:
        launched(recipe, launcher)
    else:
        codes = forked.ranks(lambda: sys.exit(main(["sft", str(recipe)])), 2, tmp_path / "log")
        assert codes == [0, 0], (tmp_path / "log").read_text()[-3000:]

    losses = [
        [row["loss"] for row in map(json.loads, (run / "history.jsonl").read_text().splitlines()) if "loss" in row]
        for run in (one, two)
    ]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    expected, found = (load_file(run / "adapter_model.safetensors") for run in (one, two))
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor, rtol=1e-5, atol=1e-5, msg=name)
