"""One A for queries, keys and values: what LoRA on a layer that computes all three at once trains.

Such a layer's adapter is `s B A` with the rows of B split among the three. Apart, they would have three A's that start
and end differently; as one parameter, which gets the sum of their gradients, they take the fused layer's very steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from eventune.adapters.peft_library import BaseTunerLayer
from eventune.errors import EventuneError

TIED = ("q_proj", "k_proj", "v_proj")
"""The layers of one block that share A."""


def tie_lora_a(model: nn.Module) -> int:
    """Give the queries, keys and values of each block one A; its name is that of the queries'.

    Args:
        model: A model with LoRA layers from PEFT, before it is trained.

    Returns:
        The number of blocks.

    Raises:
        EventuneError: If a block has an adapter on some of them alone or of several ranks, or none has any.
    """
    count = 0
    for name, module in model.named_modules():
        layers: dict[str, Any] = {part: module._modules.get(part) for part in TIED}
        adapted = [part for part, layer in layers.items() if isinstance(layer, BaseTunerLayer)]
        if not adapted:
            continue
        first = layers[TIED[0]]
        if len(adapted) < len(TIED) or len({_shape(layer) for layer in layers.values()}) > 1:
            found = ", ".join(f"{part} {_shape(layers[part])}" for part in adapted)
            raise EventuneError(
                f"tie_lora_a: expected A of one shape on {', '.join(TIED)} of {name}, found {found}",
                f"lora_target_modules: [{', '.join(TIED)}], without ranks of their own",
            )
        for adapter, own in first.lora_A.items():
            for part in TIED[1:]:
                layers[part].lora_A[adapter].weight = own.weight
        count += 1
    if not count:
        raise EventuneError(
            f"tie_lora_a: no block of the model has adapters on {', '.join(TIED)}",
            f"lora_target_modules: [{', '.join(TIED)}]; leave tie_lora_a out where one layer computes all three",
        )
    return count


def _shape(layer: Any) -> tuple[int, ...]:
    return next(tuple(matrix.weight.shape) for matrix in layer.lora_A.values())


def require_alike(own: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    """Check that weights for what the model has tied are equal: of several ones the last would win.

    Args:
        own: The model's weights by name.
        found: Those to be loaded, by the same names.

    Raises:
        EventuneError: If two differ.
    """
    first: dict[int, str] = {}
    for name, tensor in own.items():
        if ".lora_A." in name:
            other = first.setdefault(tensor.data_ptr(), name)
            if not torch.equal(found[name], found[other]):
                raise EventuneError(
                    f"tie_lora_a: expected {name} and {other} to be equal, found an adapter trained without it",
                    "leave tie_lora_a out, or begin a new adapter",
                )
