"""Checkpoints without pickle: optimiser and random states as safetensors and JSON, complete or absent."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from eventune.errors import EventuneError
from eventune.storage.json_files import read_json

OPTIMIZER_TENSORS = "optimizer.safetensors"
RANDOM_TENSORS = "random.safetensors"
STATES = "states.json"


def last_checkpoint(folder: Path) -> Path | None:
    """Return the latest complete checkpoint in a folder, or None."""
    found = [path for path in folder.glob("checkpoint-*") if (path / STATES).is_file()]
    return max(found, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def save_states(folder: Path, optimizer: Optimizer, scheduler: LRScheduler) -> None:
    """Write the state of optimiser, schedule and random generators.

    Args:
        folder: An existing folder.
        optimizer: The optimiser.
        scheduler: The schedule.
    """
    state = optimizer.state_dict()
    tensors: dict[str, torch.Tensor] = {}
    for index, values in state["state"].items():
        for name, value in values.items():
            tensors[f"{index}.{name}"] = torch.as_tensor(value).contiguous()
    save_tensors(tensors, folder / OPTIMIZER_TENSORS)
    numpy_name, numpy_keys, *numpy_rest = np.random.get_state(legacy=True)
    generators = {"cpu": torch.get_rng_state(), "numpy": torch.from_numpy(np.asarray(numpy_keys, dtype=np.int64))}
    if torch.cuda.is_available():
        generators |= {f"cuda.{n}": value for n, value in enumerate(torch.cuda.get_rng_state_all())}
    save_tensors(generators, folder / RANDOM_TENSORS)
    states = {
        "param_groups": state["param_groups"],
        "scheduler": scheduler.state_dict(),
        "python_random": random.getstate(),
        "numpy_random": [numpy_name, *numpy_rest],
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
    states = read_json(folder / STATES)
    values: dict[int, dict[str, torch.Tensor]] = {}
    for key, tensor in read_tensors(folder / OPTIMIZER_TENSORS).items():
        index, _, name = key.partition(".")
        values.setdefault(int(index), {})[name] = tensor
    optimizer.load_state_dict({"state": values, "param_groups": states["param_groups"]})
    scheduler.load_state_dict(states["scheduler"])


def load_random_states(folder: Path) -> None:
    """Restore the random generators of Python, NumPy and torch."""
    states = read_json(folder / STATES)
    generators = read_tensors(folder / RANDOM_TENSORS)
    version, internal, gauss = states["python_random"]
    random.setstate((version, tuple(internal), gauss))
    name, *rest = states["numpy_random"]
    keys: Any = generators["numpy"].numpy().astype(np.uint32)
    np.random.set_state((name, keys, *rest))
    torch.set_rng_state(generators["cpu"])
    if torch.cuda.is_available():
        torch.cuda.set_rng_state_all([value for key, value in sorted(generators.items()) if key.startswith("cuda.")])


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
    try:
        tensors: dict[str, torch.Tensor] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise EventuneError(
            f"{path}: the checkpoint is damaged: {error}", f"remove {path.parent} to go on without it"
        ) from error
    return tensors
