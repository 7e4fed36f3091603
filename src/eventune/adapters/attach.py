"""Adapters are attached to the base; the heads stay whole and are trained beside them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import cast

from peft import LoraConfig, get_peft_model
from torch import nn

from eventune.adapters.arguments import AdapterArguments
from eventune.adapters.fused import fuse_training
from eventune.adapters.targets import find_targets
from eventune.errors import EventuneError


def attach(
    model: nn.Module, arguments: AdapterArguments, *, backbone: str, heads: Sequence[str], base_name: str
) -> nn.Module:
    """Make a model ready to be trained as the arguments say.

    Args:
        model: The base with the task's heads.
        arguments: What is trained of the base.
        backbone: Name of the base inside the model.
        heads: Names of all modules that the base's checkpoint lacks; they are trained and saved whatever the method.
        base_name: What the adapter's configuration calls the base.

    Returns:
        The model itself for `full`, else a `PeftModel` around it.

    Raises:
        EventuneError: If a target matches nothing, or a head's name is the end of another module's.
    """
    if arguments.method == "full":
        return model.requires_grad_(True)
    _require_distinct(model, heads)
    # Only the base gets adapters: PEFT would also wrap a random head, freeze it, and save only A and B of it.
    new_in_base = tuple(f"{head}." for head in heads)
    targets = [
        name
        for name in (
            f"{backbone}.{target}"
            for target in find_targets(model.get_submodule(backbone), arguments.lora_target_modules)
        )
        if name not in heads and not name.startswith(new_in_base)
    ]
    # PEFT reads the name off the model and writes it to the adapter's configuration.
    model.name_or_path = base_name  # type: ignore[assignment]
    config = LoraConfig(
        # No task type: each would add a forward of its own and guess at heads by their names.
        task_type=None,
        r=arguments.lora_r,
        lora_alpha=arguments.lora_alpha,
        lora_dropout=arguments.lora_dropout,
        target_modules=_as_pattern(targets),
        modules_to_save=list(heads),
    )
    adapted = cast("nn.Module", get_peft_model(model, config))
    fuse_training(adapted)
    return adapted


def _require_distinct(model: nn.Module, heads: Sequence[str]) -> None:
    """Refuse heads that PEFT would confuse with a module of the base: it compares the ends of names only."""
    for name, _ in model.named_modules():
        for head in heads:
            if name != head and name.endswith(head):
                raise EventuneError(
                    f"the head {head!r} cannot be told from the module {name!r}, which would be trained in full too",
                    "give the head a name that no other module's name ends in",
                )


def _as_pattern(names: Sequence[str]) -> str:
    """Return one expression that matches exactly these names, with layer numbers folded where that changes nothing."""
    return "|".join(dict.fromkeys(_fold(name, names) for name in names))


def _fold(name: str, names: Sequence[str]) -> str:
    """Fold the layer number of a name into a choice of exactly the numbers that occur."""
    match = re.search(r"\.(\d+)\.", name)
    if match is None:
        return re.escape(name)
    head, tail = name[: match.start()], name[match.end() :]
    numbers = [
        other[len(head) + 1 : -len(tail) - 1]
        for other in names
        if other.startswith(f"{head}.") and other.endswith(f".{tail}")
    ]
    return rf"{re.escape(head)}\.({'|'.join(n for n in numbers if n.isdigit())})\.{re.escape(tail)}"
