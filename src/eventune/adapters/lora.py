"""LoRA on the targets that were chosen, and its variants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from eventune.adapters.anatomy import Anatomy
from eventune.adapters.arguments import AdapterArguments
from eventune.adapters.changed_base import remember_initial
from eventune.adapters.fused import fuse_training
from eventune.adapters.injection import as_pattern, inject, saved_modules, targets_in
from eventune.adapters.peft_library import LoraConfig, PeftConfig, expected_warnings_ignored
from eventune.adapters.projections import Projection
from eventune.adapters.targets import find_target_parameters
from eventune.adapters.tying import tie_lora_a
from eventune.errors import EventuneError, did_you_mean


def attach_lora(model: nn.Module, arguments: AdapterArguments, anatomy: Anatomy) -> nn.Module:
    """Put LoRA (arXiv:2106.09685) on the targets.

    Raises:
        EventuneError: If a target, or a pattern of ranks, matches nothing.
    """
    with expected_warnings_ignored():
        config = _config(model, arguments, anatomy)
    adapted = inject(model, config, anatomy)
    if arguments.tie_lora_a:
        tie_lora_a(adapted)
    if arguments.changes_base:
        remember_initial(adapted)
    fuse_training(adapted)
    return adapted


def lora_size(projections: Sequence[Projection], r: int) -> tuple[int, int]:
    """Return how many numbers LoRA trains and saves: `r (inputs + outputs)` for each matrix."""
    size = sum(r * (projection.inputs + projection.outputs) * projection.experts for projection in projections)
    return size, size


def _config(model: nn.Module, arguments: AdapterArguments, anatomy: Anatomy) -> PeftConfig:
    """Return PEFT's configuration, with every target by its whole name."""
    targets = targets_in(model, arguments.lora_target_modules, anatomy)
    return LoraConfig(
        # No task type: each would add a forward of its own and guess at heads by their names.
        task_type=None,
        r=arguments.lora_r,
        lora_alpha=arguments.lora_alpha,
        lora_dropout=arguments.lora_dropout,
        target_modules=as_pattern(targets),
        target_parameters=_parameters(model, arguments, anatomy) or None,
        modules_to_save=saved_modules(anatomy),
        use_rslora=arguments.use_rslora,
        use_dora=arguments.use_dora,
        init_lora_weights=True if arguments.init_lora_weights == "default" else arguments.init_lora_weights,
        rank_pattern=_resolved(arguments.rank_pattern, targets, "rank_pattern"),
        alpha_pattern=_resolved(arguments.alpha_pattern, targets, "alpha_pattern"),
        trainable_token_indices=_token_rows(model, arguments, anatomy),
        ensure_weight_tying=_touches_tied(model, arguments, anatomy),
    )


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
