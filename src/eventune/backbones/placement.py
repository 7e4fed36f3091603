"""Where a model lies and in what type: one policy for training, extraction, chat and merging."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from eventune.backbones.arguments import AUTO, DEVICE, DEVICES, DTYPES
from eventune.errors import InvalidValueError


@dataclass(frozen=True, slots=True)
class Placement:
    """A device, and the type of the base's weights.

    Attributes:
        device: The device.
        dtype: Name of the type, one of `DTYPES`, or `auto` for what suits the device and what is trained.
    """

    device: torch.device
    dtype: str = AUTO

    @classmethod
    def of(cls, device: str = AUTO, dtype: str = AUTO) -> Placement:
        """Choose a device of this machine.

        Args:
            device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
            dtype: `auto`, or a type's name.

        Raises:
            InvalidValueError: If one is unknown, or this machine has no such device.
        """
        if dtype not in {AUTO, *DTYPES}:
            raise InvalidValueError("dtype", " or ".join((AUTO, *DTYPES)), repr(dtype))
        return cls(_device(device), dtype)

    def dtype_of_run(self, recorded: str) -> str:
        """Return the type that a finished run's base is loaded in.

        Args:
            recorded: The type that it was trained in, which `auto` means.
        """
        return recorded if self.dtype == AUTO else self.dtype

    def dtype_of_encoder(self) -> str:
        """Return the type of the weights of an encoder that is to be trained."""
        return "float32" if self.dtype == AUTO else self.dtype

    def dtype_of_causal_lm(self, *, is_frozen: bool) -> str:
        """Return the type of a causal LM's weights.

        Args:
            is_frozen: Whether the base's weights stay as they are: updates of trained ones are lost to the rounding of
                half precision.
        """
        if self.dtype != AUTO:
            return self.dtype
        return "bfloat16" if is_frozen and self.device.type == "cuda" and has_bfloat16() else "float32"

    @property
    def is_cpu(self) -> bool:
        """Whether the device is the processor."""
        return self.device.type == "cpu"


def has_bfloat16() -> bool:
    """Tell whether the GPU computes in bfloat16 itself; older ones only emulate it, slower than float32."""
    return bool(torch.cuda.is_bf16_supported(including_emulation=False))


def move(model: nn.Module, device: torch.device) -> None:
    """Move a model, in place."""
    model.to(device)


def _device(name: str) -> torch.device:
    if not DEVICE.fullmatch(name):
        raise InvalidValueError("device", DEVICES, repr(name))
    kinds = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == AUTO:
        return torch.device(next(kind for kind, is_there in kinds.items() if is_there))
    device = torch.device(name)
    if not kinds[device.type] or (device.index or 0) >= max(1, torch.cuda.device_count()):
        there = [kind for kind, is_there in kinds.items() if is_there]
        count = f" ({torch.cuda.device_count()} of cuda)" if kinds["cuda"] else ""
        raise InvalidValueError("device", f"one that this machine has: {', '.join(there)}{count}", repr(name))
    return device
