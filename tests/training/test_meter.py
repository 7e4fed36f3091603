import time

import pytest
import torch
from transformers import TrainerControl, TrainerState, TrainingArguments

from eventune.training import meter as module
from eventune.training.meter import (
    ResourceMeter,
    current_memory_bytes,
    hardware,
    library_versions,
    peak_memory_bytes,
    reset_peak_memory,
)
from eventune.training.trainer import epoch_summary


@pytest.fixture
def meter(tmp_path):
    return ResourceMeter(0)


@pytest.fixture
def tell(meter, tmp_path):
    """Tells the meter what the trainer does."""
    given = TrainingArguments(output_dir=str(tmp_path), report_to="none"), TrainerState(), TrainerControl()
    return lambda what: getattr(meter, f"on_{what}")(*given, train_dataloader=range(4))


def test_only_the_time_inside_epochs_counts(meter, tell, monkeypatch):
    clock = iter([100.0, 103.0, 500.0, 504.0])
    monkeypatch.setattr(module.time, "perf_counter", lambda: next(clock))
    tell("train_begin")
    seconds = []
    for _ in range(2):
        tell("epoch_begin")
        tell("epoch_end")
        seconds.append(meter.epoch_figures["train_seconds"])

    assert seconds == [3.0, 4.0]


def test_evaluation_between_epochs_does_not_count(meter, tell):
    tell("train_begin")
    tell("epoch_begin")
    tell("epoch_end")
    tell("evaluate")
    time.sleep(0.2)
    tell("epoch_begin")
    tell("epoch_end")

    assert meter.epoch_figures["train_seconds"] < 0.1


def test_a_pause_inside_an_epoch_does_not_count(meter, tell):
    tell("epoch_begin")
    with meter.paused():
        time.sleep(0.2)
    tell("epoch_end")

    assert meter.epoch_figures["train_seconds"] < 0.1


def test_tokens_count_and_padding_does_not(meter, tell, monkeypatch):
    clock = iter([0.0, 2.0, 2.0, 6.0])
    monkeypatch.setattr(module.time, "perf_counter", lambda: next(clock))
    rates = []
    for _ in range(2):
        tell("epoch_begin")
        meter.count(torch.tensor([[1, 1, 1, 0], [1, 0, 0, 0]]))
        tell("epoch_end")
        rates.append(meter.epoch_figures["tokens_per_second"])

    assert rates == [2.0, 1.0]


def test_the_peak_notices_a_large_allocation_that_is_given_back():
    reset_peak_memory()
    before = current_memory_bytes()
    block = torch.ones(50_000_000)
    del block

    assert peak_memory_bytes() - before > 190_000_000


@pytest.mark.skipif(not module._CLEAR_REFS.exists(), reason="needs Linux's /proc to reset the peak")
def test_an_earlier_peak_is_forgotten():
    block = torch.ones(50_000_000)
    before = peak_memory_bytes()
    del block
    reset_peak_memory()
    if peak_memory_bytes() == before:
        pytest.skip("this machine does not let the peak be reset")

    assert before - peak_memory_bytes() > 190_000_000


def test_a_machine_that_forbids_the_reset_is_no_reason_to_stop(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "_CLEAR_REFS", tmp_path)

    reset_peak_memory()


def test_without_proc_the_peak_comes_from_the_system_s_count(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "_STATUS", tmp_path / "none")

    assert peak_memory_bytes() > 50_000_000
    assert current_memory_bytes() > 50_000_000


def test_the_summary_adds_seconds_and_takes_the_greatest_peak():
    epochs = [
        {"train_seconds": 4.0, "tokens_per_second": 10.0, "peak_memory_bytes": 50, "baseline_memory_bytes": 20},
        {"train_seconds": 1.0, "tokens_per_second": 30.0, "peak_memory_bytes": 70, "baseline_memory_bytes": 20},
        {"train_seconds": 2.0, "tokens_per_second": 20.0, "peak_memory_bytes": 60, "baseline_memory_bytes": 10},
    ]

    assert epoch_summary(epochs) == {
        "epochs": 3,
        "train_seconds": 7.0,
        "seconds_per_epoch": 2.0,
        "tokens_per_second": 20.0,
        "peak_memory_bytes": 70,
        "baseline_memory_bytes": 10,
        "peak_memory_above_baseline_bytes": 60,
    }


def test_of_an_even_number_of_epochs_the_median_is_between_the_middle_ones():
    epochs = [
        {"train_seconds": s, "tokens_per_second": 60 / s, "peak_memory_bytes": 2, "baseline_memory_bytes": 1}
        for s in (1.0, 2.0, 4.0, 30.0)
    ]
    assert (epoch_summary(epochs)["seconds_per_epoch"], epoch_summary(epochs)["tokens_per_second"]) == (3.0, 22.5)


def test_versions_and_hardware_are_json():
    import json

    versions, machine = library_versions(), hardware()

    assert {"python", "eventune", "torch", "transformers", "peft"} <= versions.keys()
    assert machine["cores"] >= 1
    assert machine["memory_bytes"] > 2**28
    json.dumps([versions, machine])


@pytest.fixture
def gpu(monkeypatch):
    """Stands in for a GPU: what it is asked, in order."""
    asked = []

    def answer(name, value=None):
        return lambda device=None: (asked.append((name, str(device))), value)[1]

    for name, value in {
        "synchronize": None,
        "reset_peak_memory_stats": None,
        "memory_allocated": 300,
        "max_memory_allocated": 700,
        "get_device_name": "A100",
    }.items():
        monkeypatch.setattr(torch.cuda, name, answer(name, value))
    return asked


def test_counting_tokens_does_not_wait_for_the_device(meter):
    # A tensor without content can be counted, and not be read.
    meter.count(torch.ones(2, 3, device="meta"))
    meter.count(torch.ones(2, 3, device="meta"))

    assert meter.tokens.device.type == "meta"


def test_the_clock_waits_until_the_gpu_has_done_its_work(meter, gpu, monkeypatch):
    monkeypatch.setattr(module.time, "perf_counter", lambda: gpu.append(("perf_counter", "")) or 1.0)

    assert module._now(torch.device("cuda:1")) == 1.0
    assert gpu == [("synchronize", "cuda:1"), ("perf_counter", "")]


def test_memory_is_that_of_the_device_that_is_trained_on(gpu):
    device = torch.device("cuda:1")
    reset_peak_memory(device)

    assert (current_memory_bytes(device), peak_memory_bytes(device)) == (300, 700)
    assert {where for _, where in gpu} == {"cuda:1"}
    assert hardware(device)["accelerator"] == "A100"


def test_a_training_on_the_cpu_asks_no_gpu_that_is_there(gpu, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    reset_peak_memory()

    assert current_memory_bytes() > 50_000_000
    assert peak_memory_bytes() > 50_000_000
    assert hardware()["accelerator"] is None
    assert gpu == []
