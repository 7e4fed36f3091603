"""The same recipe and seed give the same weights."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.utils import deterministic as memory
from transformers import set_seed


@contextmanager
def deterministic(seed: int) -> Iterator[None]:
    """Seed every random generator and let torch take deterministic algorithms, as far as the device has them."""
    # Read when the first product is computed on a GPU; without it their order differs between runs.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    set_seed(seed)
    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        memory.fill_uninitialized_memory,  # type: ignore[attr-defined]
    )
    torch.use_deterministic_algorithms(True, warn_only=torch.cuda.is_available() or torch.backends.mps.is_available())
    # Nothing here reads memory before it is written; filling it would only take time.
    memory.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        memory.fill_uninitialized_memory = before[2]  # type: ignore[attr-defined]
