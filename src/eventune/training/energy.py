"""Energy that processor and GPU used, where the machine tells: RAPL under Linux, and NVIDIA's NVML."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

_RAPL = Path("/sys/class/powercap")
Reader = Callable[[], list[float] | None]
"""Reads counters, in joules since some time in the past; None where they cannot be read."""


class EnergyCounter:
    """Counts joules between `start` and `stop`; several stretches add up.

    Attributes:
        joules: What was used so far; None where the machine does not tell.
    """

    def __init__(self, read: Reader) -> None:
        self._read = read
        self._before: list[float] | None = None
        self.joules: float | None = None

    def start(self) -> None:
        """Begin a stretch."""
        self._before = self._read()

    def stop(self) -> None:
        """End it, and add what it took; nothing where the machine does not tell."""
        after = self._read()
        if self._before is None or after is None:
            return
        # A counter that ran over its end is smaller than before: that stretch is left out.
        used = sum(max(0.0, later - earlier) for later, earlier in zip(after, self._before, strict=True))
        self.joules = (self.joules or 0.0) + used


def energy_counters(device: torch.device) -> dict[str, EnergyCounter]:
    """Return the counters of a training by the name of their figure.

    Args:
        device: Where the model is trained. The GPU's counter is that of this device alone, the processor's that of all
            its packages.
    """
    return {
        "energy_joules": EnergyCounter(processor_reader()),
        "gpu_energy_joules": EnergyCounter(gpu_reader(device)),
    }


def processor_reader(rapl: Path = _RAPL) -> Reader:
    """Return what reads the counters of the processor's packages."""
    # Domains inside a package (cores, memory) are parts of it.
    packages = [path for path in sorted(rapl.glob("intel-rapl:*/energy_uj")) if path.parent.name.count(":") == 1]

    def read() -> list[float] | None:
        try:
            return [int(path.read_text(encoding="ascii")) / 1e6 for path in packages] or None
        except (OSError, ValueError):
            return None

    return read


def gpu_reader(device: torch.device) -> Reader:
    """Return what reads an NVIDIA GPU's counter, which those from Volta on have; nothing without the package pynvml."""
    nvml: Any = None
    handle: Any = None
    if device.type == "cuda":
        try:
            nvml = import_module("pynvml")
            nvml.nvmlInit()
            # CUDA_VISIBLE_DEVICES numbers the devices anew; their identifiers stay.
            handle = nvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(device).uuid}")
        except Exception:  # whatever a driver that is missing or too old makes of it
            nvml = None

    def read() -> list[float] | None:
        try:
            return None if nvml is None else [nvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1e3]
        except nvml.NVMLError:
            return None

    return read
