"""From the trained weights of one run to the start of another's training."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from eventune.adapters.anatomy import Anatomy
from eventune.adapters.changed_base import starts_from_base
from eventune.adapters.configuration import LoraFields, PrefixFields, fitting, peft_config, read_adapter_fields
from eventune.adapters.merged import plain_model
from eventune.adapters.methods import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from eventune.adapters.peft_library import PeftModel, get_pattern_key
from eventune.adapters.store import PEFT_PREFIX, copy_weights, trained_weights, weights_file
from eventune.adapters.weight_files import read_weights
from eventune.adapters.wrapping import unwrap
from eventune.errors import EventuneError

_HINT_OF_STARTS = (
    "give init_lora_weights as that run has it, or method: full, which goes on from base and adapter merged"
)
_HINT = (
    "give the method, lora_target_modules and lora_r of that run, or a higher one; or method: full, which goes on from "
    "base and adapter merged"
)
_FACTOR = re.compile(r"(?P<module>.+)\.lora_(embedding_)?(?P<factor>[AB])(\.weight)?")


def start_from(model: nn.Module, folder: Path, *, anatomy: Anatomy, fresh_heads: Sequence[str] = ()) -> None:
    """Copy a run's trained weights into a model that is ready for its first step.

    The same method goes on from the same adapter; LoRA's may have a higher rank or another `lora_alpha`, and says the
    same before its first step. Full fine-tuning goes on from base and adapter merged. Heads need not have the same
    size: of a vector that differs in length, such as what each length of a span is worth, the common part is copied.

    Args:
        model: The model, with what is trained attached.
        folder: The folder of the other run's weights.
        anatomy: The plain model's backbones and heads.
        fresh_heads: Names of heads' weights that mean something else in this run and stay untrained.

    Raises:
        EventuneError: If the other run's adapter does not fit this model's.
    """
    model, path = unwrap(model), weights_file(folder)
    found = read_weights(path)
    if path.name == ADAPTER_WEIGHTS and _is_full(model):
        donor = _adapted(copy.deepcopy(model), folder)
        copy_weights(donor, _fitting(trained_weights(donor), found, anatomy, path, fresh_heads))
        model.load_state_dict(plain_model(donor).state_dict())
        return
    own = trained_weights(model)
    if isinstance(model, PeftModel) and path.name == ADAPTER_WEIGHTS:
        found = _rescaled(own, found, model, folder)
    copy_weights(model, _fitting(own, found, anatomy, path, fresh_heads))


def _is_full(model: nn.Module) -> bool:
    return not isinstance(model, PeftModel) and all(parameter.requires_grad for parameter in model.parameters())


def _adapted(model: nn.Module, folder: Path) -> nn.Module:
    fields = read_adapter_fields(folder)
    if isinstance(fields, PrefixFields):
        raise EventuneError(f"{folder}: expected an adapter that can be merged, found a prefix", _HINT)
    with fitting(folder):
        adapted: nn.Module = PeftModel(model, peft_config(fields, folder))
    return adapted


def _rescaled(
    own: Mapping[str, Tensor], found: Mapping[str, Tensor], model: PeftModel, folder: Path
) -> dict[str, Tensor]:
    """Return LoRA's weights as another rank and scale `s` want them: the product `s B A` stays the same.

    The rows that a higher rank adds to A are the model's own, which are random; B has columns of zeros for them, as at
    the start of any LoRA. What cannot be widened so is left as it is.

    Raises:
        EventuneError: If the two adapters have other starts, of which one changes the base.
    """
    config, fields, rescaled = model.peft_config[model.active_adapter], read_adapter_fields(folder), dict(found)
    if not isinstance(fields, LoraFields) or not hasattr(config, "lora_alpha"):
        return rescaled
    changes_base = starts_from_base(config) or starts_from_base(fields)
    if changes_base:
        _require_same_base(config, fields, folder)
    for name in own.keys() & found.keys():
        factor = _FACTOR.fullmatch(name)
        if factor is None:
            continue
        layer: Any = model.get_submodule(factor["module"])
        axis = 0 if factor["factor"] == "A" else 1
        tensor, more = found[name], own[name].shape[axis] - found[name].shape[axis]
        rank = layer.r[model.active_adapter] - more
        if axis == 1 and rank > 0:
            tensor = tensor * (_scale(fields, factor["module"], rank) / layer.scaling[model.active_adapter])
        if more > 0 and not changes_base and rank == found[name].shape[axis]:
            added = own[name].narrow(axis, rank, more).to(tensor)
            tensor = torch.cat([tensor, torch.zeros_like(added) if axis == 1 else added], dim=axis)
        rescaled[name] = tensor
    return rescaled


def _scale(fields: LoraFields, module: str, rank: int) -> float:
    """Return what a run's `B A` is multiplied by: `lora_alpha / r`, rank-stabilised by the root of r."""
    patterns = fields.alpha_pattern or {}
    alpha = patterns.get(get_pattern_key(list(patterns), module), fields.lora_alpha)
    return alpha / math.sqrt(rank) if fields.use_rslora else alpha / rank


def _require_same_base(config: Any, fields: LoraFields, folder: Path) -> None:
    """Refuse A and B of another base: each initialisation of this kind takes something else out of the base's weights.

    Raises:
        EventuneError: If the two initialisations differ.
    """
    own, found = ("default" if kind is True else kind for kind in (config.init_lora_weights, fields.init_lora_weights))
    if own != found:
        raise EventuneError(
            f"{folder / ADAPTER_CONFIG}: init_lora_weights: expected {own}, found {found}", _HINT_OF_STARTS
        )


def _fitting(
    own: Mapping[str, Tensor], found: Mapping[str, Tensor], anatomy: Anatomy, path: Path, fresh_heads: Sequence[str]
) -> dict[str, Tensor]:
    """Return the model's weights with all that it takes over.

    Raises:
        EventuneError: If a weight that is no head's differs in name or shape.
    """
    fitted, wrong = dict(own), []
    for name in sorted(own.keys() | found.keys()):
        plain = name.removeprefix(PEFT_PREFIX)
        is_head = anatomy.in_head(plain)
        if is_head and plain.startswith(tuple(fresh_heads)):
            continue
        if name in own and name in found and own[name].shape == found[name].shape:
            fitted[name] = found[name]
        elif not is_head:
            wrong.append(name)
        elif name in own and name in found and own[name].dim() == found[name].dim() == 1:
            fitted[name] = torch.cat([found[name][: len(own[name])], own[name][len(found[name]) :]])
    if wrong:
        raise EventuneError(f"{path}: expected weights that fit this training's, found others, e.g. {wrong[0]}", _HINT)
    return fitted
