"""PEFT's adapters on layers of the base: which layers, which heads beside them, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

from torch import nn

from eventune.adapters.anatomy import Anatomy
from eventune.adapters.methods import method_of_peft
from eventune.adapters.peft_library import PeftConfig, expected_warnings_ignored, get_peft_model
from eventune.adapters.targets import find_targets
from eventune.errors import EventuneError


def inject(model: nn.Module, config: PeftConfig, anatomy: Anatomy) -> nn.Module:
    """Put adapters on layers of a model.

    Args:
        model: The model, unwrapped.
        config: PEFT's configuration of the adapter.
        anatomy: The model's backbones and heads.

    Returns:
        A `PeftModel` around the model; adapters and heads are trained, all else is frozen.

    Raises:
        EventuneError: If PEFT would confuse a head with another module, or cannot hold or would tear a new parameter.
    """
    _require_distinct(model, anatomy, config)
    _require_savable(model, anatomy)
    with expected_warnings_ignored():
        return cast("nn.Module", get_peft_model(model, config))


def saved_modules(anatomy: Anatomy) -> list[str]:
    """Return the heads' names as PEFT needs them: one that another ends in stands for both."""
    heads = anatomy.heads
    return [head for head in heads if not any(head != other and head.endswith(other) for other in heads)]


def targets_in(model: nn.Module, wanted: str | Sequence[str], anatomy: Anatomy) -> list[str]:
    """Return the targets' whole names in a model.

    Only the base gets adapters: PEFT would also wrap a random head, freeze it, and save only A and B of it.
    """
    found: list[str] = []
    refusals: list[EventuneError] = []
    parts = [wanted] if isinstance(wanted, str) else [[name] for name in wanted]
    for part in parts:
        matched = False
        for backbone in anatomy.backbones:
            try:
                targets = find_targets(model.get_submodule(backbone), part)
            except EventuneError as error:
                refusals.append(error)
                continue
            matched = True
            found += [anatomy.inside(backbone, target) for target in targets]
        if not matched:
            raise refusals[-1]
    _require_untied(model, found, anatomy)
    wished = {name for name in found if not anatomy.in_head(name)}
    names = [name for name, _ in model.named_modules() if name in wished]
    if not names:
        raise EventuneError(f"lora_target_modules: {wanted!r} matches nothing but modules that are trained in full")
    return names


def _require_untied(model: nn.Module, names: Sequence[str], anatomy: Anatomy) -> None:
    """Refuse an adapter on an output layer whose weight is also the input embedding's."""
    for backbone in anatomy.backbones:
        base: Any = model.get_submodule(backbone)
        if not getattr(getattr(base, "config", None), "tie_word_embeddings", False):
            continue
        tied = base.get_output_embeddings()
        name = next((name for name in names if tied is not None and model.get_submodule(name) is tied), None)
        if name is not None:
            raise EventuneError(
                f"lora_target_modules: {name!r} is one weight with the input embedding: merged, both would change",
                "leave it out, train it in full (modules_to_save), or untie them",
            )


def as_pattern(names: Sequence[str]) -> str:
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


def _require_distinct(model: nn.Module, anatomy: Anatomy, config: PeftConfig) -> None:
    """Refuse heads that PEFT would confuse with a module of the base: it compares the ends of names only."""
    method = method_of_peft(config.peft_type.value)
    added = ("base_layer", *(method.parts if method else ()))
    others = [
        name
        for name, module in model.named_modules()
        if not anatomy.in_head(name) and next(module.parameters(), None) is not None
    ]
    for name in (*others, *added):
        for head in anatomy.heads:
            if name.endswith(head):
                raise EventuneError(
                    f"the head {head!r} cannot be told from the module {name!r}, which would be trained in full too",
                    "give the head a name that no other module's name ends in",
                )


def _require_savable(model: nn.Module, anatomy: Anatomy) -> None:
    """Refuse new parameters that PEFT cannot hold, or would tear from what they are tied to."""
    if anatomy.loose:
        raise EventuneError(
            f"the parameter {anatomy.loose[0]!r} is not inside a module of its own, so no adapter's file can hold it",
            "put it into a small nn.Module, whose forward returns it",
        )
    names: dict[int, list[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    for tied in names.values():
        owners = {head for name in tied for head in anatomy.heads if name.startswith(f"{head}.")}
        outside = [name for name in tied if not anatomy.in_head(name)]
        within = any(anatomy.is_pretrained(name) for name in tied if anatomy.in_head(name))
        if owners and (outside or len(owners) > 1) and not within:
            raise EventuneError(
                f"{' and '.join(tied)} are one weight: PEFT would train copies of it apart",
                "take the tied module out of modules_to_save, or untie the weights",
            )
