"""The meter against independent measurement: /usr/bin/time, and counts by hand."""

import json
import shutil
import subprocess
import sys

import pytest

SCRIPT = """
import json, sys, time
from eventune import Recipe, train
from eventune.reporter import SilentReporter
from transformers import TrainerCallback

class Costs(TrainerCallback):
    "Makes an epoch as long, and its first step as large, as it shall be, whatever else the run needs."
    def on_step_begin(self, args, state, control, **kwargs):
        if state.global_step == 0:
            # More than the lowest size that is always given back to the system when it is freed, 32 MiB.
            bytearray(b"x") * int(sys.argv[3])

    def on_step_end(self, args, state, control, **kwargs):
        time.sleep(float(sys.argv[2]) * args.num_train_epochs / state.max_steps)

class Reporter(SilentReporter):
    def callbacks(self):
        return [Costs()]

train(Recipe.of(json.loads(sys.argv[1])), reporter=Reporter())
"""
TIME = shutil.which("time") or "/usr/bin/time"


def timed(settings, folder, epochs, *, seconds=0.0, ballast=0):
    """Train in a process of its own, with epochs and a step that cost so much more; return its result, and what
    /usr/bin/time says of it.
    """
    output = folder / f"run-{epochs}"
    recipe = {**settings, "num_train_epochs": epochs, "output_dir": str(output)}
    command = [TIME, "-v", sys.executable, "-c", SCRIPT, json.dumps(recipe), str(seconds), str(ballast)]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    said = dict(line.strip().rsplit(": ", 1) for line in found.stderr.splitlines() if ": " in line)
    clock = said["Elapsed (wall clock) time (h:mm:ss or m:ss)"].split(":")
    elapsed = sum(float(part) * 60**power for power, part in enumerate(reversed(clock)))
    result = json.loads((output / "result.json").read_text(encoding="utf-8"))
    return result["resources"], elapsed, int(said["Maximum resident set size (kbytes)"]) * 1024


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which(TIME), reason="needs /usr/bin/time")
def test_seconds_are_what_each_further_epoch_adds_to_the_process_s(tiny_recipe, tmp_path):
    # Without a dev part: evaluation is none of the meter's business.
    settings = {**tiny_recipe, "dev_file": ""}
    first, one, _ = timed(settings, tmp_path, 1, seconds=12.0)
    second, three, _ = timed(settings, tmp_path, 3, seconds=12.0)

    assert second["train_seconds"] - first["train_seconds"] == pytest.approx(three - one, rel=0.02)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which(TIME), reason="needs /usr/bin/time")
def test_peak_memory_is_the_process_s(tiny_recipe, tmp_path):
    # Else the process may need more when it opens the finished run anew, beside what training left in the heap.
    ballast = 500_000_000
    resources, _, resident = timed({**tiny_recipe, "dev_file": ""}, tmp_path, 1, ballast=ballast)

    assert resources["peak_memory_bytes"] == pytest.approx(resident, rel=0.01)
    assert resources["peak_memory_above_baseline_bytes"] > ballast
    above = resources["peak_memory_above_baseline_bytes"]
    assert above == resources["peak_memory_bytes"] - resources["baseline_memory_bytes"]
    parts = ("gradients_bytes", "optimizer_bytes", "activations_and_other_bytes")
    assert sum(resources[part] for part in parts) == above


def test_parameters_and_bytes_are_those_counted_by_hand(tiny_run):
    resources = json.loads((tiny_run / "result.json").read_text(encoding="utf-8"))["resources"]
    # Two blocks of four square layers, one up and one down, each with a pair of rank 8.
    lora = 8 * 2 * (4 * (32 + 32) + 2 * (32 + 64))
    marks, boundary, scorer = 12 * 32, 2 * (32 * 64 + 64), 4 * (32 * 32 + 32) + 12 + 33
    trained = lora + marks + boundary + scorer

    assert resources["head_parameters"] == marks + boundary + scorer
    assert resources["trainable_parameters"] == trained
    assert resources["gradients_bytes"] == 4 * trained
    # Two moments, and AdamW's counter for each tensor.
    assert resources["optimizer_bytes"] == pytest.approx(8 * trained, rel=0.02)
    assert resources["saved_bytes"] == pytest.approx(4 * trained, rel=0.1)
    assert resources["saved_bytes"] == (tiny_run / "adapter_model.safetensors").stat().st_size


def test_documents_and_use_of_the_machine_follow_from_time_and_counts(tiny_run):
    result = json.loads((tiny_run / "result.json").read_text(encoding="utf-8"))
    resources = result["resources"]

    documents = result["data"]["train"]["documents"]
    assert resources["documents_per_second"] == pytest.approx(documents / resources["seconds_per_epoch"])
    share = resources["model_flops_per_second"] / resources["gemm_flops_per_second"]
    assert resources["gemm_share"] == pytest.approx(share)
    assert 0 < share < 1
