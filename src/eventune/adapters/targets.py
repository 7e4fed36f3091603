"""Which of a base model's modules get an adapter."""

from __future__ import annotations

import re
from collections.abc import Sequence

from torch import nn

from eventune.errors import EventuneError, did_you_mean


def find_targets(base: nn.Module, wanted: str | Sequence[str]) -> list[str]:
    """Return the names, inside `base`, of the linear layers that get an adapter.

    Args:
        base: The pretrained model, without the task's heads.
        wanted: `auto`: the linear layers of its repeated blocks; `all-linear`: every linear layer; a list: the layers
            whose name, or end of name, is in it; another string: a regular expression that matches the whole name.

    Returns:
        The names, in the model's order.

    Raises:
        EventuneError: If a name or the expression matches nothing; the hint names the closest layer.
    """
    linear = [name for name, module in base.named_modules() if isinstance(module, nn.Linear)]
    if wanted == "all-linear":
        return _some(linear, wanted, linear)
    if wanted == "auto":
        blocks = [f"{name}." for name, module in base.named_modules() if isinstance(module, nn.ModuleList)]
        return _some([name for name in linear if name.startswith(tuple(blocks))], wanted, linear)
    if isinstance(wanted, str):
        return _some([name for name in linear if re.fullmatch(wanted, name)], wanted, linear)
    for name in wanted:
        _some([layer for layer in linear if _ends_with(layer, name)], name, linear)
    return [layer for layer in linear if any(_ends_with(layer, name) for name in wanted)]


def _ends_with(layer: str, name: str) -> bool:
    return layer == name or layer.endswith(f".{name}")


def _some(found: list[str], wanted: str, linear: Sequence[str]) -> list[str]:
    if not found:
        leaves = sorted({name.rpartition(".")[2] for name in linear})
        raise EventuneError(
            f"lora_target_modules: {wanted!r} matches none of the base's {len(linear)} linear layers",
            did_you_mean(wanted, leaves) or f"their names end in: {', '.join(leaves)}",
        )
    return found
