"""Takes a model out of what runs it on several devices or compiles it, and puts it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn
from torch._dynamo.eval_frame import OptimizedModule
from torch.nn.parallel import DataParallel, DistributedDataParallel

Wrap = Callable[[nn.Module], nn.Module]


def unwrap(model: nn.Module) -> nn.Module:
    """Return the model inside `DataParallel`, `DistributedDataParallel` and `torch.compile`, in any order."""
    return unwrap_with_wrapper(model)[0]


def unwrap_with_wrapper(model: nn.Module) -> tuple[nn.Module, Wrap]:
    """Take a model out of its wrappers.

    An adapter that is attached around a wrapper is saved with `module.` in all its names, and fits no other model.

    Args:
        model: A model, wrapped or not.

    Returns:
        The model inside, and a function that wraps a model in the same way, with the same settings.
    """
    if isinstance(model, DataParallel):
        inner, wrap = unwrap_with_wrapper(model.module)
        # Without a GPU it has no settings, and only calls its model.
        settings: dict[str, Any] = {
            name: getattr(model, name) for name in ("device_ids", "output_device", "dim") if model.device_ids
        }
        return inner, lambda new: DataParallel(wrap(new), **settings)
    if isinstance(model, DistributedDataParallel):
        inner, wrap = unwrap_with_wrapper(model.module)
        return inner, lambda new: _distribute(wrap(new), model)
    if isinstance(model, OptimizedModule):
        inner, wrap = unwrap_with_wrapper(model._orig_mod)
        return inner, lambda new: OptimizedModule(wrap(new), model.dynamo_ctx)
    return model, lambda new: new


def _distribute(model: nn.Module, like: DistributedDataParallel) -> DistributedDataParallel:
    return DistributedDataParallel(
        model,
        device_ids=like.device_ids,
        output_device=like.output_device,
        dim=like.dim,
        broadcast_buffers=like.broadcast_buffers,
        process_group=like.process_group,
        find_unused_parameters=like.find_unused_parameters,
        gradient_as_bucket_view=like.gradient_as_bucket_view,
        static_graph=like.static_graph,
    )
