"""Checkpoints as strangers send them: a run that goes on from one that no training wrote says so in one error."""

import json
import os

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from .harness import change, run_words

RESUME = ("train", "recipe-unfinished.yaml", "--resume_from_checkpoint", "true")
RESUME_ROWS = ("sft", "arguments-unfinished.json", "--resume_from_checkpoint", "true")
STATE, STATES, MOMENTS = "trainer_state.json", "states.json", "optimizer.safetensors"
RANDOM, AVERAGE = "random.safetensors", "average.safetensors"


def field(file, **fields):
    return lambda folder: change(folder / file, **fields)


def process(**fields):
    def damage(folder):
        states = json.loads((folder / STATES).read_text())
        states["processes"][0] |= fields
        (folder / STATES).write_text(json.dumps(states))

    return damage


def nested(file, *keys, value):
    def damage(folder):
        content = json.loads((folder / file).read_text())
        holder = content
        for key in keys[:-1]:
            holder = holder[key]
        holder[keys[-1]] = value
        (folder / file).write_text(json.dumps(content))

    return damage


def tensors(file, damage):
    def change_file(folder):
        found = load_file(folder / file)
        damage(found)
        save_file(found, folder / file)

    return change_file


def a_pipe(file):
    def damage(folder):
        (folder / file).unlink()
        os.mkfifo(folder / file)

    return damage


WORDS = [0] * 624
CASES = {
    "a byte order mark": (
        lambda folder: (folder / STATE).write_bytes(b"\xef\xbb\xbf" + (folder / STATE).read_bytes()),
        "its beginning: expected JSON, found a byte order mark",
    ),
    "a pipe for the optimiser": (a_pipe(MOMENTS), "the checkpoint is damaged: no such file"),
    "a pipe for the random states": (a_pipe(RANDOM), "the checkpoint is damaged: no such file"),
    "a pipe for the average": (a_pipe(AVERAGE), "the checkpoint is damaged: no such file"),
    "a field that transformers lacks": (field(STATE, other=1), "other: expected no such field"),
    "steps that are a text": (field(STATE, global_step="5"), "global_step: expected"),
    "steps beyond the training": (field(STATE, global_step=10**12), "global_step: expected at most"),
    "no steps": (field(STATE, global_step=0), "global_step: expected"),
    "a history that is a text": (field(STATE, log_history="x"), "log_history: expected"),
    "a history without epochs": (field(STATE, log_history=[{"loss": 1.0}]), "expected an epoch"),
    "an epoch without its measures": (
        field(STATE, log_history=[{"epoch": 1.0, "train_seconds": 1.0}]),
        "tokens_per_second",
    ),
    "an epoch of no share": (
        nested(STATE, "log_history", 0, "epoch_share", value=0.0),
        "epoch_share",
    ),
    "callbacks that are a list": (field(STATE, stateful_callbacks=[1]), "stateful_callbacks: expected"),
    "a callback of other arguments": (
        nested(STATE, "stateful_callbacks", "EarlyStoppingCallback", "args", value={"x": 1}),
        "EarlyStoppingCallback.args: expected the fields",
    ),
    "a callback of other attributes": (
        nested(STATE, "stateful_callbacks", "TrainerControl", "attributes", value={"state": 1}),
        "TrainerControl.attributes: expected the fields",
    ),
    "groups that are none": (field(STATES, param_groups=[]), "param_groups: expected"),
    "a rate that is a text": (nested(STATES, "param_groups", 0, "lr", value="x"), "lr: expected a number"),
    "a schedule with a method of its own": (
        nested(STATES, "scheduler", "get_lr", value=5),
        "scheduler: expected the fields",
    ),
    "a schedule of texts": (nested(STATES, "scheduler", "last_epoch", value="x"), "last_epoch: expected a number"),
    "no random state": (process(python_random=None), "python_random: expected"),
    "a random state that is short": (process(python_random=[3, [1, 2], None]), "python_random"),
    "a place behind the random words": (process(python_random=[3, [*WORDS, 625], None]), "a position of 624"),
    "a place behind NumPy's words": (process(numpy_random=["MT19937", 10**6, 0, 0.0]), "numpy_random"),
    "another generator": (process(numpy_random=["PCG64", 0, 0, 0.0]), "numpy_random"),
    "no figures": (process(figures={}), "the figure logged_step"),
    "figures below zero": (process(figures={"loss": 0.0, "logged_step": -1.0}), "not less than 0"),
    "figures of a later step": (process(figures={"loss": 0.0, "logged_step": 99.0}), "figures of an epoch"),
    "moments of no parameter": (
        tensors(MOMENTS, lambda found: found.update({"999999.step": np.array(1, np.float32)})),
        "a parameter's number below",
    ),
    "moments of a text": (
        tensors(MOMENTS, lambda found: found.update({"x.step": np.array(1, np.float32)})),
        "a parameter's number",
    ),
    "moments that lack one": (tensors(MOMENTS, lambda found: found.pop("0.exp_avg")), "exp_avg"),
    "moments of another shape": (
        tensors(MOMENTS, lambda found: found.update({"0.exp_avg": np.zeros((1, 1), np.float32)})),
        "0.exp_avg: expected the shape",
    ),
    "steps below zero": (
        tensors(MOMENTS, lambda found: found.update({"0.step": np.array(-1, np.float32)})),
        "0.step: expected a finite number",
    ),
    "random words of another kind": (
        tensors(RANDOM, lambda found: found.update({"0.numpy": np.zeros(3, np.int64)})),
        "numpy: expected 624 integers",
    ),
    "a state that torch cannot have": (
        tensors(RANDOM, lambda found: found.update({"0.cpu": np.zeros(7, np.uint8)})),
        "cpu: expected a state of torch's generator",
    ),
    "an average of other weights": (
        tensors(AVERAGE, lambda found: found.update({"x": np.zeros(1, np.float32)})),
        "found others",
    ),
}


def last(run):
    return max((run / "checkpoints").glob("checkpoint-*"), key=lambda path: int(path.name.partition("-")[2]))


@pytest.mark.parametrize("case", CASES)
def test_a_checkpoint_as_it_may_come(place, case):
    damage, message = CASES[case]
    place("recipe-unfinished.yaml")
    damage(last(place("unfinished")))

    found = run_words(RESUME)
    assert found.kind == "refused", f"{found.place}\n{found.detail}"
    assert message in found.detail


def test_a_checkpoint_of_rows_is_checked_too(place):
    place("arguments-unfinished.json")
    change(last(place("unfinished-rows")) / STATE, trial_params={"a": 1})

    found = run_words(RESUME_ROWS)
    assert found.kind == "refused", f"{found.place}\n{found.detail}"
    assert "trial_params: expected" in found.detail


def test_a_folder_that_is_called_like_a_checkpoint_is_none(place):
    place("recipe-unfinished.yaml")
    run = place("unfinished")
    for name in ("checkpoint-x", "checkpoint-²", f"checkpoint-{'9' * 30}"):
        (run / "checkpoints" / name).mkdir()
        (run / "checkpoints" / name / STATES).touch()

    found = run_words(RESUME)
    assert found.kind == "ok", f"{found.place}\n{found.detail}"


def test_what_no_file_can_be_called_is_one_error(place):
    place("run-lora", "run")
    name, deep = "病" * 200, "a/" * 3_000
    for words in (
        ("extract", "run", name, "-o", "found.jsonl"),
        ("extract", "run", "dev.jsonl", "-o", name),
        ("extract", "run", deep, "-o", "found.jsonl"),
        ("data", "convert", "dev.jsonl", f"{deep}x"),
        ("data", "convert", "dev.jsonl", name),
        ("data", "convert", name, "out"),
        ("chat", name, "--once", "hi"),
        ("chat", "~no-such-user/x", "--once", "hi"),
        ("convert", "chatglm2", deep, "out"),
        ("convert", "chatglm2", "llm", name),
    ):
        found = run_words(words, offline=False)
        assert found.kind == "refused", f"{words[0]}: {found.place}\n{found.detail}"
