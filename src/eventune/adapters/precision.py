"""A base in half precision with adapters and heads in float32: each operation in one type, trained or evaluated."""

from __future__ import annotations

import threading
from typing import Any

import torch
from torch import nn

HALF = (torch.float16, torch.bfloat16)
_MARK = "autocast_hooks"


class _Contexts(threading.local):
    """The autocast contexts that are open, of each thread: `DataParallel` runs its replicas in threads."""

    def __init__(self) -> None:
        self.open: list[torch.autocast] = []


_contexts = _Contexts()


def half_type_of(model: nn.Module) -> torch.dtype | None:
    """Return the half-precision type that most of a model's weights have, or None."""
    sizes: dict[torch.dtype, int] = {}
    for parameter in model.parameters():
        if not parameter.is_floating_point():
            continue  # quantised weights
        sizes[parameter.dtype] = sizes.get(parameter.dtype, 0) + parameter.numel()
    most = max(sizes, key=lambda dtype: sizes[dtype], default=None)
    return most if most in HALF else None


def autocast_forward(model: nn.Module, dtype: torch.dtype) -> None:
    """Run a model's forward under autocast, in training and in evaluation alike.

    Args:
        model: The model; it must not be wrapped yet.
        dtype: The half-precision type of its frozen weights.
    """

    # Hooks and no new `forward`: a replica of DataParallel would run that of the first device.
    def enter(module: nn.Module, args: Any, kwargs: Any) -> None:
        # Not of the module's parameters: a replica has none.
        tensors = [value for value in (*args, *kwargs.values()) if isinstance(value, torch.Tensor)]
        device = tensors[0].device.type if tensors else "cuda" if torch.cuda.is_available() else "cpu"
        context = torch.autocast(device, dtype=dtype)
        context.__enter__()  # type: ignore[no-untyped-call]
        _contexts.open.append(context)

    def leave(module: nn.Module, args: Any, output: Any) -> None:
        _contexts.open.pop().__exit__(None, None, None)

    if not runs_in_autocast(model):
        model.__dict__[_MARK] = (
            model.register_forward_pre_hook(enter, prepend=True, with_kwargs=True),
            model.register_forward_hook(leave, always_call=True),
        )


def stop_autocast(model: nn.Module) -> None:
    """Undo `autocast_forward`."""
    for handle in model.__dict__.pop(_MARK, ()):
        handle.remove()


def runs_in_autocast(model: nn.Module) -> bool:
    """Tell whether `autocast_forward` was applied to a model."""
    return _MARK in model.__dict__


def to_float32(model: nn.Module) -> None:
    """Convert every trainable parameter to float32: gradients of float16 ones underflow and cannot be unscaled."""
    for parameter in model.parameters():
        if parameter.requires_grad and parameter.dtype in HALF:
            parameter.data = parameter.data.float()
    unmix_norms(model)


def unmix_norms(model: nn.Module) -> None:
    """Convert norms of which only a part is in float32 as a whole: autocast leaves their types as they are."""
    for module in model.modules():
        own = list(module.parameters(recurse=False))
        if len({parameter.dtype for parameter in own}) > 1 and all(parameter.ndim == 1 for parameter in own):
            for parameter in own:
                parameter.data = parameter.data.float()
