"""Checks before the first step that what must be trained is trained.

A random head that stays frozen trains to nothing without a word: that is what these checks are for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from eventune.errors import EventuneError


@dataclass(frozen=True, slots=True)
class ParameterCounts:
    """How many parameters there are, and how many of them are trained.

    Attributes:
        total: All parameters of the model that is used, copies that PEFT keeps of replaced heads left out.
        trainable: Those that get gradients.
        heads: Those of the heads.
    """

    total: int
    trainable: int
    heads: int


def plain_name(name: str) -> str:
    """Return a parameter's name in the model before PEFT wrapped it."""
    name = name.removeprefix("base_model.model.").replace(".modules_to_save.default", "")
    return name.replace(".base_layer", "")


def require_trainable(model: nn.Module, *, heads: Sequence[str]) -> ParameterCounts:
    """Check that every new module is trained in full.

    Args:
        model: The model as it will be trained.
        heads: Names of the modules that the base's checkpoint lacks.

    Returns:
        The parameter counts.

    Raises:
        EventuneError: If nothing is trainable, a head is frozen or a head's name matches nothing.
    """
    total = trainable = in_heads = 0
    found = dict.fromkeys(heads, 0)
    frozen: list[str] = []
    for name, parameter in model.named_parameters():
        if ".original_module." in name:
            continue
        plain = plain_name(name)
        total += parameter.numel()
        trainable += parameter.numel() * parameter.requires_grad
        head = next((head for head in heads if plain == head or plain.startswith(f"{head}.")), None)
        if head is not None:
            found[head] += 1
            in_heads += parameter.numel()
            if not parameter.requires_grad:
                frozen.append(plain)
    if trainable == 0:
        raise EventuneError("no parameter is trainable", "give lora_target_modules that match, or method: full")
    missing = [head for head, count in found.items() if count == 0]
    if missing:
        raise EventuneError(f"modules_to_save: {missing[0]!r} matches no module with parameters")
    if frozen:
        raise EventuneError(
            f"{len(frozen)} new parameters are random and frozen, e.g. {frozen[0]}",
            "every module that the base's checkpoint lacks must stand in modules_to_save",
        )
    return ParameterCounts(total, trainable, in_heads)


def require_gradients(model: nn.Module, loss: Callable[[], Tensor]) -> None:
    """Check on one batch that each trainable parameter gets a finite gradient.

    Gradients are cleared afterwards and the random state is restored, so training goes on as if nothing had happened.

    Args:
        model: The model as it will be trained.
        loss: Computes the loss of one batch.

    Raises:
        EventuneError: If the loss is not finite, or a trainable parameter gets no gradient, or one that is not finite.
    """
    with torch.random.fork_rng():
        value = loss()
        if not torch.isfinite(value):
            raise EventuneError(f"the loss of the first batch is {value.item()}", "check the data, or train in float32")
        torch.autograd.backward(value)
    names = [(plain_name(name), parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    without = [name for name, parameter in names if parameter.grad is None]
    infinite = [name for name, parameter in names if parameter.grad is not None and not parameter.grad.isfinite().all()]
    model.zero_grad(set_to_none=True)
    if without:
        raise EventuneError(
            f"{len(without)} trainable parameters have no part in the loss, e.g. {without[0]}",
            "leave the modules that the task does not use out of the adapter's targets",
        )
    if infinite:
        raise EventuneError(
            f"the gradient of {infinite[0]} is not finite", "lower the learning rate, or train in float32"
        )
