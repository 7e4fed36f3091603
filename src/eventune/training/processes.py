"""One run in several processes, as `torchrun` and `accelerate launch` start them; alone, nothing here does anything."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import torch
from accelerate import PartialState
from accelerate.utils import gather_object
from torch import Tensor, distributed

_PATIENCE = timedelta(days=7)
"""How long the others wait while one predicts, verifies and saves; who starts them notices a process that died."""


def join() -> bool:
    """Join the other processes of the run.

    Returns:
        Whether this is the process that writes.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        PartialState(cpu=not torch.cuda.is_available(), timeout=_PATIENCE)
    return is_main()


def is_main() -> bool:
    """Tell whether this is the process that writes: the first one, or the only one."""
    return number() == 0


def count() -> int:
    """Return the number of processes."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def number() -> int:
    """Return this process's number, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def gathered(value: Any) -> list[Any]:
    """Return each process's value, in the processes' order; all have to call it."""
    return list(gather_object([value])) if count() > 1 else [value]


def wait() -> None:
    """Wait until all processes are here."""
    if count() > 1:
        distributed.barrier()


def shared_loss(loss: Tensor, num_items: Tensor) -> Tensor:
    """Weigh a process's mean loss so that the mean over processes is the mean over all terms.

    Gradients are averaged over processes: each loss counts `count() · terms / Σ terms`.

    Args:
        loss: Mean over this process's part of the batch, a scalar.
        num_items: How many terms the mean is over, a scalar.

    Returns:
        The loss to differentiate; the same one where there is one process.
    """
    if count() == 1:
        return loss
    total = num_items.detach().clone().to(loss.dtype)
    distributed.all_reduce(total)
    return loss * num_items * count() / total.clamp(min=1)
