"""What a run costs: time without evaluation, tokens a second, memory above its baseline."""

from __future__ import annotations

import contextlib
import math
import os
import platform
import resource
import sys
import time
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from eventune.training.energy import EnergyCounter, energy_counters

_STATUS = Path("/proc/self/status")
_CLEAR_REFS = Path("/proc/self/clear_refs")
CPU = torch.device("cpu")
_LIBRARIES = ("eventune", "torch", "transformers", "peft", "accelerate", "safetensors", "tokenizers", "numpy")


class ResourceMeter(TrainerCallback):
    """Measures each epoch of training, without evaluation and checkpoints."""

    def __init__(self, baseline_memory_bytes: int) -> None:
        self.tokens: int | Tensor = 0
        self.baseline_memory_bytes = baseline_memory_bytes
        self._device = CPU
        self.epoch_figures: dict[str, float] = {}
        self._is_running = False
        self._started = 0.0
        self._paused_seconds = 0.0
        self._first_step = 0
        self._energy: dict[str, EnergyCounter] = {}
        self._before: dict[str, float] = {}

    def count(self, attention_mask: Tensor) -> None:
        """Count the tokens of a batch; padding does not count."""
        # A tensor until the epoch's end: to read it would be to wait for the GPU at each batch.
        self.tokens = self.tokens + attention_mask.sum()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the time of a block out: an evaluation, or a checkpoint, in the middle of an epoch."""
        started = _now(self._device)
        try:
            yield
        finally:
            self._paused_seconds += _now(self._device) - started

    def partial_figures(self) -> dict[str, float]:
        """Return what was measured of the epoch so far, for a resumption in its middle; nothing between epochs."""
        if not self._is_running:
            return {}
        for counter in self._energy.values():
            counter.stop()
            counter.start()
        return {
            "seconds": _now(self._device) - self._started - self._paused_seconds,
            "tokens": int(self.tokens),
            "first_step": self._first_step,
            "peak_memory_bytes": self._peak_memory_bytes(),
            **{name: self._before.get(name, 0.0) + (counter.joules or 0.0) for name, counter in self._energy.items()},
        }

    def resume(self, figures: Mapping[str, float]) -> None:
        """Go on, just after an epoch has begun anew, from what `partial_figures` returned."""
        if "seconds" in figures:
            self._started -= figures["seconds"]
            self.tokens += int(figures["tokens"])
            self._first_step = int(figures["first_step"])
            self._before = dict(figures)

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Start the clock."""
        self._device = args.device
        reset_peak_memory(self._device)
        self.tokens = 0
        self._energy = energy_counters(args.device)
        for counter in self._energy.values():
            counter.start()
        self._paused_seconds = 0.0
        self._first_step = state.global_step
        self._before = {}
        self._is_running = True
        self._started = _now(self._device)

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Stop the clock."""
        seconds = _now(self._device) - self._started - self._paused_seconds
        self._is_running = False
        for counter in self._energy.values():
            counter.stop()
        # Other processes read as many: batches are of like length.
        tokens = int(self.tokens) * args.world_size
        steps = math.ceil(len(kwargs["train_dataloader"]) / args.gradient_accumulation_steps)
        self.epoch_figures = {
            "train_seconds": seconds,
            # Less than 1 where max_steps ended it.
            "epoch_share": (state.global_step - self._first_step) / steps,
            "tokens_per_second": tokens / seconds,
            "peak_memory_bytes": self._peak_memory_bytes(),
            "baseline_memory_bytes": self.baseline_memory_bytes,
            **{
                name: self._before.get(name, 0.0) + counter.joules
                for name, counter in self._energy.items()
                if counter.joules is not None
            },
        }
        if args.logging_strategy != "epoch":
            # Losses are logged at other times: these figures get an entry of their own.
            state.log_history.append({**self.epoch_figures, "epoch": state.epoch or 0.0, "step": state.global_step})

    def _peak_memory_bytes(self) -> int:
        """Return the epoch's peak so far, that before a resumption among it."""
        return max(int(self._before.get("peak_memory_bytes", 0)), peak_memory_bytes(self._device))


def memory_split(model: nn.Module, optimizer: Optimizer | None, *, above_baseline: float) -> dict[str, int]:
    """Split a training's peak memory into what is known to be in it.

    Args:
        model: The trained model; its weights were there before the baseline was taken.
        optimizer: Its optimiser, after a step.
        above_baseline: Peak memory above the baseline, in bytes.

    Returns:
        Bytes of weights, gradients, the optimiser's state, and the rest: activations, buffers, what is kept for later.
    """
    weights = sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())
    gradients = sum(p.numel() * p.element_size() for p in model.parameters() if p.requires_grad)
    states = optimizer.state.values() if optimizer is not None else ()
    tensors = [value for state in states for value in state.values() if isinstance(value, Tensor)]
    moments = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    rest = max(0, int(above_baseline) - gradients - moments)
    return {
        "weights_bytes": weights,
        "gradients_bytes": gradients,
        "optimizer_bytes": moments,
        "activations_and_other_bytes": rest,
    }


def _now(device: torch.device) -> float:
    """Return the seconds of a clock, when a GPU has done all that it was told until now."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
    return time.perf_counter()


def current_memory_bytes(device: torch.device = CPU) -> int:
    """Return the memory in use: a GPU's allocated bytes, or the process's resident bytes."""
    if device.type == "cuda":
        return int(torch.cuda.memory_allocated(device))
    return _status_bytes("VmRSS") or peak_memory_bytes()


def peak_memory_bytes(device: torch.device = CPU) -> int:
    """Return the peak since `reset_peak_memory`; where the system cannot reset it, since the process began."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    unit = 1 if sys.platform == "darwin" else 1024
    return _status_bytes("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def reset_peak_memory(device: torch.device = CPU) -> None:
    """Let the peak start again from the memory in use."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif _CLEAR_REFS.exists():
        # Writing 5 resets VmHWM: proc(5), /proc/pid/clear_refs. Some containers forbid it.
        with contextlib.suppress(OSError):
            _CLEAR_REFS.write_text("5", encoding="ascii")


def _status_bytes(field: str) -> int:
    if not _STATUS.exists():
        return 0
    for line in _STATUS.read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    return 0


def library_versions() -> dict[str, str]:
    """Return the version of Python and of each library that has a part in a run."""
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in _LIBRARIES}}


def hardware(device: torch.device = CPU) -> dict[str, Any]:
    """Return what a run on this device was made on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "accelerator": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
