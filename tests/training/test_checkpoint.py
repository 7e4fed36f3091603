import errno
import random

import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from torch import nn

from eventune.errors import EventuneError
from eventune.storage.atomic import atomic_folder
from eventune.training.checkpoint import (
    OPTIMIZER_TENSORS,
    STATES,
    Position,
    last_checkpoint,
    load_optimizer,
    load_position,
    save_states,
    save_tensors,
)


class Training:
    """A small model with optimiser and schedule that takes steps on random batches."""

    def __init__(self):
        torch.manual_seed(0)
        self.model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 2))
        groups = [{"params": self.model[0].parameters(), "lr": 0.01}, {"params": self.model[2].parameters()}]
        self.optimizer = torch.optim.AdamW(groups, lr=0.1, fused=True)
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(self.optimizer, lambda step: 0.9**step)

    def step(self):
        size = random.randint(2, 5)
        batch = torch.randn(size, 3) * float(np.random.rand() + np.random.randn())
        self.model(batch).square().sum().backward()
        self.optimizer.step()
        self.scheduler.step()
        self.optimizer.zero_grad()

    def weights(self):
        return [parameter.detach().clone() for parameter in self.model.parameters()]


@pytest.fixture
def saved(tmp_path):
    """A training that was saved after three steps."""
    random.seed(0)
    np.random.seed(0)
    training = Training()
    for _ in range(3):
        training.step()
    save_states(tmp_path, training.optimizer, training.scheduler, [Position.current({"loss": 0.5, "logged_step": 2})])
    return training


class Nested(torch.optim.SGD):
    """Keeps its state as optimisers in 8 bits do: in a mapping, with a table that all parameters share."""

    def __init__(self, parameters, filled):
        super().__init__(parameters, lr=0.1)
        table = torch.arange(4.0)
        for number, parameter in enumerate(self.param_groups[0]["params"]) if filled else ():
            self.state[parameter] = {"step": number, "quantised": {"state1": torch.full((3,), number), "qmap1": table}}


def test_a_state_that_holds_mappings_and_shares_tensors_comes_back(tmp_path):
    model = nn.Linear(3, 2)
    before, after = (Nested(model.parameters(), filled) for filled in (True, False))
    schedules = [torch.optim.lr_scheduler.LambdaLR(each, lambda step: 1.0) for each in (before, after)]

    save_states(tmp_path, before, schedules[0], [Position.current({"loss": 0.5, "logged_step": 2})])
    load_optimizer(tmp_path, after, schedules[1])

    for parameter in model.parameters():
        own, found = before.state[parameter]["quantised"], after.state[parameter]["quantised"]
        assert found.keys() == own.keys()
        assert all(torch.equal(found[name], own[name]) for name in own)


def test_training_goes_on_bit_for_bit_from_what_was_saved(saved, tmp_path):
    at_save = saved.weights()
    for _ in range(3):
        saved.step()

    random.seed(5)
    np.random.seed(5)
    other = Training()
    with torch.no_grad():
        for parameter, weight in zip(other.model.parameters(), at_save, strict=True):
            parameter.copy_(weight)
    load_optimizer(tmp_path, other.optimizer, other.scheduler)
    load_position(tmp_path, 0).restore_generators()
    for _ in range(3):
        other.step()

    assert all(torch.equal(a, b) for a, b in zip(saved.weights(), other.weights(), strict=True))
    assert other.scheduler.get_last_lr() == saved.scheduler.get_last_lr()


def test_each_random_generator_goes_on_where_it_was(saved, tmp_path):
    def draw():
        # An odd number of normal variates leaves one in NumPy's cache, which is part of its state.
        return torch.rand(3).tolist(), np.random.randn(3).tolist(), random.random(), random.gauss(0, 1)

    np.random.randn(1)
    random.gauss(0, 1)
    save_states(tmp_path, saved.optimizer, saved.scheduler, [Position.current({"loss": 0.5, "logged_step": 2})])
    expected = draw()

    load_position(tmp_path, 0).restore_generators()

    assert draw() == expected


def test_no_pickle_is_written(saved, tmp_path):
    assert {path.suffix for path in tmp_path.iterdir()} == {".safetensors", ".json"}


@pytest.mark.parametrize("name", [OPTIMIZER_TENSORS, STATES])
def test_a_damaged_checkpoint_is_one_clear_error(saved, tmp_path, name):
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])

    with pytest.raises(EventuneError, match=name):
        load_optimizer(tmp_path, saved.optimizer, saved.scheduler)


def test_a_folder_appears_whole(tmp_path):
    with atomic_folder(tmp_path / "new") as staging:
        (staging / "file").write_text("content")
        assert not (tmp_path / "new").exists()

    assert (tmp_path / "new" / "file").read_text() == "content"
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_a_folder_takes_an_earlier_one_s_place(tmp_path):
    for content in ("first", "second"):
        with atomic_folder(tmp_path / "new") as staging:
            (staging / content).touch()

    assert [path.name for path in (tmp_path / "new").iterdir()] == ["second"]


def test_what_a_killed_process_left_is_cleared_away(tmp_path):
    (tmp_path / ".new.tmp").mkdir()
    (tmp_path / ".new.tmp" / "half").touch()

    with atomic_folder(tmp_path / "new") as staging:
        (staging / "whole").touch()

    assert [path.name for path in (tmp_path / "new").iterdir()] == ["whole"]
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def write_half(folder, error):
    with atomic_folder(folder) as staging:
        (staging / "half").touch()
        raise error


@pytest.mark.parametrize("error", [ValueError("wrong"), KeyboardInterrupt()])
def test_an_error_leaves_nothing_behind_and_passes_on(tmp_path, error):
    with pytest.raises(type(error)):
        write_half(tmp_path / "new", error)

    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing_behind_and_is_one_clear_error(tmp_path):
    with pytest.raises(EventuneError, match=r"new: cannot be written: No space left.*\nfree some space"):
        write_half(tmp_path / "new", OSError(errno.ENOSPC, "No space left on device"))

    assert list(tmp_path.iterdir()) == []


def test_tensors_that_do_not_fit_on_the_disk_leave_nothing_behind(tmp_path, monkeypatch):
    def full_disk(*_):
        raise SafetensorError("No space left on device")

    monkeypatch.setattr("eventune.training.checkpoint.save_file", full_disk)
    with (
        pytest.raises(EventuneError, match=r"new: cannot be written: No space left.*\nfree some space"),
        atomic_folder(tmp_path / "new") as staging,
    ):
        save_tensors({"weight": torch.zeros(1)}, staging / "average.safetensors")

    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_while_states_are_written_leaves_nothing_behind(saved, tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("eventune.training.checkpoint.save_file", fail)

    with pytest.raises(EventuneError, match="No space left"), atomic_folder(tmp_path / "new") as staging:
        save_states(staging, saved.optimizer, saved.scheduler, [Position.current({"loss": 0.5, "logged_step": 2})])

    assert not [path for path in tmp_path.iterdir() if path.name.endswith(("new", ".tmp"))]


def test_the_earlier_folder_survives_a_failure(tmp_path):
    with atomic_folder(tmp_path / "new") as staging:
        (staging / "first").touch()

    with pytest.raises(EventuneError):
        write_half(tmp_path / "new", OSError(errno.ENOSPC, "No space left on device"))

    assert [path.name for path in (tmp_path / "new").iterdir()] == ["first"]


def test_the_last_checkpoint_is_the_one_with_the_most_steps(tmp_path):
    for step in (9, 100, 20):
        (tmp_path / f"checkpoint-{step}").mkdir()
        (tmp_path / f"checkpoint-{step}" / STATES).touch()

    assert last_checkpoint(tmp_path).name == "checkpoint-100"


def test_an_incomplete_checkpoint_is_not_gone_on_from(tmp_path):
    for name in ("checkpoint-5", ".checkpoint-15.tmp"):
        (tmp_path / name).mkdir()
        (tmp_path / name / STATES).touch()
    (tmp_path / "checkpoint-10").mkdir()

    assert last_checkpoint(tmp_path).name == "checkpoint-5"


def test_without_checkpoints_there_is_no_last_one(tmp_path):
    assert last_checkpoint(tmp_path) is None
    assert last_checkpoint(tmp_path / "none") is None


def test_a_process_keeps_the_generator_of_its_own_gpu_alone(monkeypatch):
    given = []
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda: torch.tensor([7], dtype=torch.uint8))
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state: given.append(int(state)))

    position = Position.current({})
    position.restore_generators()

    assert [name for name in position.generators if name.startswith("cuda")] == ["cuda"]
    assert given == [7]


def test_a_training_on_the_cpu_wakes_no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)

    assert Position.current({}).generators.keys() == {"cpu", "numpy"}
