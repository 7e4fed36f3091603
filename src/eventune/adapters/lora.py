"""PEFT's configurations of LoRA and (IA)3 for the targets that were chosen."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from eventune.adapters.anatomy import Anatomy
from eventune.adapters.arguments import AdapterArguments
from eventune.adapters.peft_library import IA3Config, LoraConfig, PeftConfig, expected_warnings_ignored
from eventune.adapters.projections import Projection, ProjectionKind, find_projections
from eventune.adapters.targets import find_target_parameters, find_targets
from eventune.errors import EventuneError, did_you_mean

_IA3_KINDS = (ProjectionKind.KEY, ProjectionKind.VALUE, ProjectionKind.QKV)


def lora_config(model: nn.Module, arguments: AdapterArguments, anatomy: Anatomy) -> PeftConfig:
    """Return the configuration of LoRA for a model.

    Args:
        model: The model, unwrapped.
        arguments: Rank, targets, variants.
        anatomy: Its backbones, which get adapters, and its heads, which are trained in full.

    Returns:
        The configuration, with every target by its whole name.

    Raises:
        EventuneError: If a target, or a pattern of ranks, matches nothing.
    """
    targets = targets_in(model, arguments.lora_target_modules, anatomy)
    with expected_warnings_ignored():
        return _lora_config(model, arguments, anatomy, targets)


def _lora_config(model: nn.Module, arguments: AdapterArguments, anatomy: Anatomy, targets: Sequence[str]) -> PeftConfig:
    return LoraConfig(
        # No task type: each would add a forward of its own and guess at heads by their names.
        task_type=None,
        r=arguments.lora_r,
        lora_alpha=arguments.lora_alpha,
        lora_dropout=arguments.lora_dropout,
        target_modules=as_pattern(targets),
        target_parameters=_parameters(model, arguments, anatomy) or None,
        modules_to_save=_saved(anatomy),
        use_rslora=arguments.use_rslora,
        use_dora=arguments.use_dora,
        init_lora_weights=True if arguments.init_lora_weights == "default" else arguments.init_lora_weights,
        rank_pattern=_resolved(arguments.rank_pattern, targets, "rank_pattern"),
        alpha_pattern=_resolved(arguments.alpha_pattern, targets, "alpha_pattern"),
        trainable_token_indices=_token_rows(model, arguments, anatomy),
        ensure_weight_tying=_touches_tied(model, arguments, anatomy),
    )


def ia3_config(model: nn.Module, arguments: AdapterArguments, anatomy: Anatomy) -> PeftConfig:
    """Return the configuration of (IA)3 (arXiv:2205.05638): scales on keys, values and the feed-forward input."""
    chosen = set(targets_in(model, arguments.lora_target_modules, anatomy))
    kinds = {anatomy.inside(b, p.name): p.kind for b in anatomy.backbones for p in _projections(model, b)}
    scaled = [name for name in kinds if name in chosen and kinds[name] in _IA3_KINDS]
    feedforward = [name for name in kinds if name in chosen and kinds[name] is ProjectionKind.DOWN]
    if not scaled and not feedforward:
        raise EventuneError(
            "method: ia3 scales keys, values and the feed-forward part; none of the targets is known as one of them",
            "use method: lora, or another lora_target_modules",
        )
    return IA3Config(
        task_type=None,
        target_modules=as_pattern([*scaled, *feedforward]),
        feedforward_modules=as_pattern(feedforward) if feedforward else [],
        modules_to_save=_saved(anatomy),
    )


def _saved(anatomy: Anatomy) -> list[str]:
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


def _projections(model: nn.Module, backbone: str) -> list[Projection]:
    return find_projections(model.get_submodule(backbone))


def _parameters(model: nn.Module, arguments: AdapterArguments, anatomy: Anatomy) -> list[str]:
    wanted = arguments.lora_target_parameters
    if not wanted:
        return []
    return [
        anatomy.inside(backbone, name)
        for backbone in anatomy.backbones
        for name in find_target_parameters(model.get_submodule(backbone), wanted)
    ]


def _resolved(pattern: Mapping[str, int], targets: Sequence[str], setting: str) -> dict[str, int]:
    """Return a pattern by whole names; a key matches whole parts of a name, such as `layer.11` or `query`."""
    resolved: dict[str, int] = {}
    for key, value in pattern.items():
        matched = [name for name in targets if f".{key}." in f".{name}."]
        if not matched:
            parts = sorted({part for name in targets for part in name.split(".") if not part.isdigit()})
            raise EventuneError(
                f"{setting}: {key!r} matches none of the {len(targets)} targets",
                did_you_mean(key, parts) or f"their names are made of: {', '.join(parts)}",
            )
        resolved[as_pattern(matched)] = value
    return resolved


def _token_rows(model: nn.Module, arguments: AdapterArguments, anatomy: Anatomy) -> dict[str, list[int]] | None:
    if not arguments.trainable_token_indices:
        return None
    embedding: Any = model.get_submodule(anatomy.backbones[0])
    layer = embedding.get_input_embeddings()
    indices = arguments.trainable_token_indices
    if max(indices) >= layer.num_embeddings:
        raise EventuneError(
            f"trainable_token_indices: expected ids < {layer.num_embeddings}, found {max(indices)}",
            "enlarge the embedding first: model.resize_token_embeddings(len(tokenizer))",
        )
    name = next(name for name, module in model.named_modules() if module is layer)
    return {name: sorted(set(indices))}


def _touches_tied(model: nn.Module, arguments: AdapterArguments, anatomy: Anatomy) -> bool:
    """Tell whether one of two tied matrices is trained, or rows of it: the other must stay the same matrix."""
    for backbone in anatomy.backbones:
        base: Any = model.get_submodule(backbone)
        if not getattr(getattr(base, "config", None), "tie_word_embeddings", False):
            continue
        tied = [base.get_input_embeddings(), base.get_output_embeddings()]
        trained = arguments.trainable_token_indices or any(model.get_submodule(head) in tied for head in anatomy.heads)
        if None not in tied and trained:
            return True
    return False


def learning_rate_ratio(name: str, arguments: AdapterArguments) -> float:
    """Return LoRA+'s ratio for B (arXiv:2402.12354), 1 for every other parameter."""
    return arguments.loraplus_lr_ratio if "lora_B" in name else 1.0
