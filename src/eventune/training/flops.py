"""How many operations a model needs, and how many the machine can do: their ratio says how well it is used."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

_SHAPES = ((1536, 1536, 1536), (2688, 384, 384), (2688, 384, 1536), (2688, 1536, 384))
"""Rows, inputs and outputs of the products that are timed: a large square one, and those of a small encoder."""
_LARGE = (8192, 8192, 8192)
"""What a GPU needs to be timed: on one the others take about as long as it takes to be told of them."""
_REPEATS = 6


def forward_flops(
    encoder: nn.Module, lengths: Sequence[int], is_adapter: Callable[[str], bool] = lambda _: False
) -> float:
    """Return the operations of an encoder's matrix products for inputs of these lengths, padding left out.

    Two for each weight of its blocks' linear layers and token, and four for each pair of tokens, layer and hidden unit
    in the attention (scores and mixing); embeddings, norms and adapters are left out.

    Args:
        encoder: The encoder, with or without adapters.
        lengths: Tokens of each input.
        is_adapter: Tells by a module's name whether it was added to the encoder.

    Returns:
        Floating-point operations.
    """
    config: Any = encoder.config
    lists = tuple(f"{name}." for name, module in encoder.named_modules() if isinstance(module, nn.ModuleList))
    in_linear = sum(
        module.weight.numel()
        for name, module in encoder.named_modules()
        if isinstance(module, nn.Linear | Conv1D) and name.startswith(lists) and not is_adapter(name)
    )
    attention = 4 * config.hidden_size * config.num_hidden_layers
    return float(sum(2 * in_linear * length + attention * length * length for length in lengths))


@lru_cache
def gemm_flops_per_second(device: str = "cpu", dtype: torch.dtype = torch.float32) -> float:
    """Measure the most operations a second that matrix products reach on this device, once a process."""
    rates = []
    for rows, inputs, outputs in _SHAPES if device == "cpu" else (_LARGE,):
        x = torch.randn(rows, inputs, device=device, dtype=dtype)
        weight = torch.randn(outputs, inputs, device=device, dtype=dtype)
        seconds = []
        for _ in range(_REPEATS):
            _wait(device)
            started = time.perf_counter()
            nn.functional.linear(x, weight)
            _wait(device)
            seconds.append(time.perf_counter() - started)
        rates.append(2 * rows * inputs * outputs / statistics.median(seconds[1:]))
    return max(rates)


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
    elif device == "mps":
        torch.mps.synchronize()
