"""Checkpoints without pickle: optimiser and random states as safetensors and JSON, complete or absent."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from eventune.errors import EventuneError
from eventune.storage.paths import is_file
from eventune.storage.validation import read_settings
from eventune.training.checkpoint_files import States, damaged, is_known, require_like, require_moments

OPTIMIZER_TENSORS = "optimizer.safetensors"
RANDOM_TENSORS = "random.safetensors"
STATES = "states.json"
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
_FOLDER = re.compile(r"checkpoint-(\d{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Position:
    """Where one process of a training stands, beside weights, optimiser and schedule.

    Attributes:
        generators: States of the random generators of NumPy, torch and its devices.
        python_random: State of Python's.
        numpy_random: What of NumPy's state is no array.
        figures: What is being counted within the epoch, by name.
    """

    generators: Mapping[str, torch.Tensor]
    python_random: Any
    numpy_random: Any
    figures: Mapping[str, float]

    @classmethod
    def current(cls, figures: Mapping[str, float]) -> Position:
        """Return where this process stands."""
        numpy_name, numpy_keys, *numpy_rest = np.random.get_state(legacy=True)
        generators = {"cpu": torch.get_rng_state(), "numpy": torch.from_numpy(np.asarray(numpy_keys, dtype=np.int64))}
        if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
            # That of the process's own GPU: asking for the others' would take memory on each of them.
            generators["cuda"] = torch.cuda.get_rng_state()
        return cls(generators, random.getstate(), [numpy_name, *numpy_rest], figures)

    def check(self, path: Path) -> None:
        """Refuse states that no generator can have.

        Raises:
            InvalidValueError: If one is missing or of another kind; it names the generator.
        """
        numpy_state = self.generators.get("numpy")
        if numpy_state is None or numpy_state.dtype != torch.int64 or numpy_state.shape != (624,):
            raise damaged(path, "numpy", "624 integers", "others" if numpy_state is not None else "nothing")
        state = self.generators.get("cpu")
        try:
            torch.Generator().set_state(torch.empty(0) if state is None else state)
        except (RuntimeError, TypeError) as error:  # only torch knows what it can be
            raise damaged(path, "cpu", "a state of torch's generator", error) from None

    def restore_generators(self) -> None:
        """Set the random generators of Python, NumPy and torch."""
        version, internal, gauss = self.python_random
        random.setstate((version, tuple(internal), gauss))
        name, *rest = self.numpy_random
        keys: Any = self.generators["numpy"].numpy().astype(np.uint32)
        np.random.set_state((name, keys, *rest))
        torch.set_rng_state(self.generators["cpu"])
        if "cuda" in self.generators and torch.cuda.is_available():
            torch.cuda.set_rng_state(self.generators["cuda"])


def last_checkpoint(folder: Path) -> Path | None:
    """Return the latest complete checkpoint in a folder, or None."""
    found = [path for path in checkpoints_in(folder) if (path / STATES).is_file()]
    return found[-1] if found else None


def checkpoints_in(folder: Path) -> list[Path]:
    """Return the checkpoints in a folder, complete or not, by their steps."""
    try:
        steps = {path: _FOLDER.fullmatch(path.name) for path in folder.glob("checkpoint-*")}
    except FileNotFoundError:  # the folder was removed on the way
        return []
    return sorted((path for path, match in steps.items() if match), key=lambda path: int(path.name.partition("-")[2]))


def save_states(folder: Path, optimizer: Optimizer, scheduler: LRScheduler, positions: Sequence[Position]) -> None:
    """Write the state of optimiser, schedule and random generators.

    Args:
        folder: An existing folder.
        optimizer: The optimiser.
        scheduler: The schedule.
        positions: Where each process stands, in the processes' order.
    """
    state = optimizer.state_dict()
    tensors: dict[str, torch.Tensor] = {}
    for index, values in state["state"].items():
        tensors |= {f"{index}.{name}": tensor for name, tensor in _flat(values).items()}
    save_tensors(tensors, folder / OPTIMIZER_TENSORS)
    generators = {
        f"{process}.{name}": tensor
        for process, position in enumerate(positions)
        for name, tensor in position.generators.items()
    }
    save_tensors(generators, folder / RANDOM_TENSORS)
    states = {
        "param_groups": state["param_groups"],
        "scheduler": scheduler.state_dict(),
        "processes": [
            {"python_random": one.python_random, "numpy_random": one.numpy_random, "figures": dict(one.figures)}
            for one in positions
        ],
    }
    (folder / STATES).write_text(json.dumps(states), encoding="utf-8")


def load_optimizer(folder: Path, optimizer: Optimizer, scheduler: LRScheduler) -> None:
    """Restore optimiser and schedule.

    Args:
        folder: The folder that `save_states` wrote to.
        optimizer: The optimiser, with the same parameters in the same order.
        scheduler: The schedule.

    Raises:
        EventuneError: If the checkpoint is damaged.
    """
    states = read_settings(folder / STATES, States, finite=False)
    plain: Any = getattr(optimizer, "optimizer", optimizer)  # accelerate's wrapper
    own = optimizer.state_dict()["param_groups"]
    require_like(folder / STATES, "param_groups", own, states.param_groups)
    schedule = scheduler.state_dict()
    require_like(folder / STATES, "scheduler", schedule, states.scheduler)
    path = folder / OPTIMIZER_TENSORS
    values: dict[int, dict[str, Any]] = {}
    for key, tensor in read_tensors(path).items():
        index, _, name = key.partition(".")
        if not _NUMBER.fullmatch(index):
            raise damaged(path, index[:100], "a parameter's number", key)
        outer, _, inner = name.partition(".")
        state = values.setdefault(int(index), {})
        if inner:
            state.setdefault(outer, {})[inner] = tensor
        else:
            state[name] = tensor
    if is_known(plain):
        require_moments(path, plain, values)
    groups = [{**found, "params": group["params"]} for group, found in zip(own, states.param_groups, strict=True)]
    optimizer.load_state_dict({"state": values, "param_groups": groups})
    scheduler.load_state_dict(states.scheduler)


def load_position(folder: Path, process: int) -> Position:
    """Return where a process stood.

    Args:
        folder: The folder that `save_states` wrote to.
        process: Number of the process; one that was not there stands where the first one did.

    Raises:
        EventuneError: If the checkpoint is damaged, or was written by an earlier version.
    """
    states = read_settings(folder / STATES, States, finite=False).processes
    if not states:
        raise EventuneError(
            f"{folder}: the checkpoint was written by another version of eventune", f"remove {folder} to begin anew"
        )
    process = process if process < len(states) else 0
    generators = {
        name.removeprefix(f"{process}."): tensor
        for name, tensor in read_tensors(folder / RANDOM_TENSORS).items()
        if name.startswith(f"{process}.")
    }
    own = states[process]
    position = Position(generators, own.python_random, own.numpy_random, own.figures)
    position.check(folder / RANDOM_TENSORS)
    return position


def _flat(state: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """Return one parameter's state by name; optimisers in 8 bits keep a mapping behind one, and share tensors of it."""
    found: dict[str, torch.Tensor] = {}
    for name, value in state.items():
        if isinstance(value, Mapping):
            found |= {f"{name}.{inner}": tensor.clone() for inner, tensor in _flat(value).items()}
        else:
            found[name] = torch.as_tensor(value).contiguous()
    return found


def save_tensors(tensors: dict[str, torch.Tensor], path: Path) -> None:
    """Write a safetensors file of a checkpoint.

    Raises:
        OSError: If the disk is full or cannot be written to, for `atomic_folder` to clean up and report.
    """
    try:
        save_file(tensors, path)
    except SafetensorError as error:
        raise OSError(str(error)) from error


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Read a safetensors file of a checkpoint.

    Args:
        path: The file.

    Returns:
        Its tensors by name.

    Raises:
        EventuneError: If it is missing or damaged.
    """
    hint = f"remove {path.parent} to go on without it"
    if not is_file(path):
        # Whoever opens a pipe waits for another process.
        raise EventuneError(f"{path}: the checkpoint is damaged: no such file", hint)
    try:
        tensors: dict[str, torch.Tensor] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise EventuneError(f"{path}: the checkpoint is damaged: {error}", hint) from error
    return tensors
