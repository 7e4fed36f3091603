"""Batches that are computed in parts."""

import json
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file
from transformers import BertConfig

from eventune.errors import EventuneError
from eventune.extraction.task import ExtractionTask
from eventune.recipe import Recipe
from eventune.runs.training import train
from eventune.training import processes
from eventune.training.parts import BatchParts, batch_parts

# The tiny encoder: 2 layers of 32 with 2 heads take 2 * (17 * 32 + 2.5 * 2 * 20) * 4 bytes a token of 20.
BYTES_A_ROW = 20 * 2 * (17 * 32 + 5 * 20) * 4


def parts(limit):
    return BatchParts(layers=2, hidden=32, heads=2, bytes_a_value=4, limit=limit)


def test_the_estimate_grows_with_rows_and_more_than_with_length():
    assert parts(0).bytes_of(1, 20) == BYTES_A_ROW
    assert parts(0).bytes_of(3, 20) == 3 * BYTES_A_ROW
    assert parts(0).bytes_of(1, 40) > 2 * BYTES_A_ROW


def test_like_lengths_share_a_part_and_each_stands_in_one():
    lengths = [5, 20, 6, 19, 20, 7]
    found = parts(2 * BYTES_A_ROW).of_lengths(lengths)
    assert found[0] == [1, 4]
    assert sorted(place for part in found for place in part) == list(range(6))
    for part in found:
        assert parts(0).bytes_of(len(part), max(lengths[place] for place in part)) <= 2 * BYTES_A_ROW


def test_what_alone_is_too_long_is_a_part_of_its_own():
    assert parts(1.0).of_lengths([9, 8]) == [[0], [1]]
    assert parts(1e12).of_lengths([8, 9, 8]) == [[1, 0, 2]]


@pytest.fixture
def settings(tiny_recipe):
    # What is dropped out depends on how a batch is cut.
    still = {"hidden_dropout": 0.0, "head_dropout": 0.0, "lora_dropout": 0.0}
    return {**tiny_recipe, **still, "num_train_epochs": 2, "per_device_train_batch_size": 8, "dev_file": ""}


@pytest.fixture
def rows(monkeypatch):
    """Examples of each batch whose loss is computed."""
    counts = []
    loss = ExtractionTask.loss

    def counted(self, model, batch):
        counts.append(len(batch["input_ids"]))
        return loss(self, model, batch)

    monkeypatch.setattr(ExtractionTask, "loss", counted)
    return counts


def test_parts_add_up_to_the_step_of_the_whole_batch(settings, rows, tmp_path):
    losses, weights = [], []
    for name, limit in (("whole", 0.0), ("parts", 5e-4)):
        rows.clear()
        train(Recipe.of({**settings, "activation_memory": limit, "output_dir": str(tmp_path / name)}))
        history = (tmp_path / name / "history.jsonl").read_text(encoding="utf-8").splitlines()
        losses.append([json.loads(line)["loss"] for line in history])
        weights.append(load_file(tmp_path / name / "adapter_model.safetensors"))
        assert (max(rows) < 8) == bool(limit)

    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    for name, whole in weights[0].items():
        torch.testing.assert_close(weights[1][name], whole, rtol=0, atol=2e-4)


def test_accumulated_batches_count_by_their_role_slots(settings, rows, tmp_path):
    # Events differ in how many roles they have: a mean of four means would be another one.
    losses, figures = [], []
    for name, size, batches in (("whole", 64, 1), ("accumulated", 4, 16)):
        rows.clear()
        sizes = {"per_device_train_batch_size": size, "gradient_accumulation_steps": batches}
        changes = {**sizes, "num_train_epochs": 1, "ema_decay": 0.0}
        train(Recipe.of({**settings, **changes, "activation_memory": 0.0, "output_dir": str(tmp_path / name)}))
        assert (len(rows) == 2) == (batches == 1), "one batch for the gradients' check, one step in all"
        losses.append(json.loads((tmp_path / name / "history.jsonl").read_text(encoding="utf-8"))["loss"])
        figures.append(load_file(tmp_path / name / "adapter_model.safetensors"))
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    for name, whole in figures[0].items():
        torch.testing.assert_close(figures[1][name], whole, rtol=0, atol=2e-4)


def test_parts_are_for_one_process_and_for_batches_that_make_a_step(settings, monkeypatch):
    with pytest.raises(EventuneError, match="1 with activation_memory"):
        Recipe.of({**settings, "activation_memory": 1.0, "gradient_accumulation_steps": 2})
    monkeypatch.setattr(processes, "count", lambda: 2)
    with pytest.raises(EventuneError, match="activation_memory: expected one process"):
        batch_parts(None, None, 1.0)
    assert batch_parts(None, None, 0.0) is None


@pytest.mark.parametrize(
    ("device", "processes_at_work", "batches_a_step", "gigabytes"),
    [("cpu", 1, 1, 0.5), ("cuda", 1, 1, None), ("cpu", 2, 1, None), ("cpu", 1, 4, None)],
)
def test_a_cpu_computes_large_batches_in_parts_by_default(
    device, processes_at_work, batches_a_step, gigabytes, monkeypatch
):
    monkeypatch.setattr(processes, "count", lambda: processes_at_work)
    arguments = SimpleNamespace(
        device=torch.device(device), gradient_accumulation_steps=batches_a_step, bf16=False, fp16=False
    )
    encoder = SimpleNamespace(dtype=torch.float32, config=BertConfig())
    found = batch_parts(encoder, arguments, None)
    assert (found and found.limit / 1e9) == gigabytes
