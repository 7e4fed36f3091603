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
from eventune.adapters.tying import require_alike
from eventune.adapters.weight_files import read_weights
from eventune.adapters.wrapping import unwrap
from eventune.errors import EventuneError

_HINT = (
    "give the method, lora_target_modules and use_dora of that run, and its ranks (lora_r, rank_pattern) or higher "
    "ones; or, in a recipe, method: full, which goes on from base and adapter merged"
)
_FACTOR = re.compile(r"(?P<module>.+)\.lora_(?P<factor>[AB])\.weight")


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
        found = _continued(own, found, model, folder)
    fitted = _fitting(own, found, anatomy, path, fresh_heads)
    require_alike(own, fitted)
    copy_weights(model, fitted)


def _is_full(model: nn.Module) -> bool:
    return not isinstance(model, PeftModel) and all(parameter.requires_grad for parameter in model.parameters())


def _adapted(model: nn.Module, folder: Path) -> nn.Module:
    fields = read_adapter_fields(folder)
    if isinstance(fields, PrefixFields):
        raise EventuneError(
            f"{folder}: expected an adapter that can be merged, found a prefix", "start from another run"
        )
    with fitting(folder):
        adapted: nn.Module = PeftModel(model, peft_config(fields, folder))
    return adapted


def _continued(
    own: Mapping[str, Tensor], found: dict[str, Tensor], model: PeftModel, folder: Path
) -> dict[str, Tensor]:
    """Return LoRA's weights at the model's rank and scale: what `s B A` adds to the base stays the same.

    The rows that a higher rank adds to A are the model's own, which are random; B has columns of zeros for them, as at
    the start of any LoRA. Weights of other sizes, among them those of experts at another rank, are left as they are.

    Raises:
        EventuneError: If the two adapters train rows of other tokens, or start from another change of the base.
    """
    config, fields = model.peft_config[model.active_adapter], read_adapter_fields(folder)
    if not isinstance(fields, LoraFields) or not hasattr(config, "lora_alpha"):
        return found
    _require_same(config, fields, ("trainable_token_indices",), folder)
    if starts_from_base(config) or starts_from_base(fields):
        _require_same(config, fields, ("init_lora_weights", "lora_alpha", "use_rslora", "alpha_pattern"), folder)
        return found
    continued = dict(found)
    for name in own.keys() & found.keys():
        part = _FACTOR.fullmatch(name)
        if part is None:
            continue
        rank, scale = _rank_and_scale(fields, part["module"].removeprefix(PEFT_PREFIX))
        layer: Any = model.get_submodule(part["module"])
        tensor = found[name].to(own[name])
        if part["factor"] == "A":
            continued[name] = _wider(tensor, rank, own[name], axis=0)
        else:
            same = tensor * (scale / layer.scaling[model.active_adapter])
            continued[name] = _wider(same, rank, torch.zeros_like(own[name]), axis=1)
    return continued


def _rank_and_scale(fields: LoraFields, module: str) -> tuple[int, float]:
    """Return a module's rank, and what its `B A` is multiplied by: `lora_alpha / r`, or by `sqrt(r)` where so said."""
    ranks, alphas = fields.rank_pattern or {}, fields.alpha_pattern or {}
    rank = ranks.get(get_pattern_key(list(ranks), module), fields.r)
    alpha = alphas.get(get_pattern_key(list(alphas), module), fields.lora_alpha)
    return rank, alpha / (math.sqrt(rank) if fields.use_rslora else rank)


def _wider(tensor: Tensor, rank: int, start: Tensor, *, axis: int) -> Tensor:
    """Return a factor with what follows its rank in the model's start, where it has the model's sizes but for that."""
    sizes = [*start.shape]
    more, sizes[axis] = sizes[axis] - rank, rank
    if more <= 0 or [*tensor.shape] != sizes:
        return tensor
    return torch.cat([tensor, start.narrow(axis, rank, more)], dim=axis)


def _require_same(config: Any, fields: LoraFields, names: Sequence[str], folder: Path) -> None:
    """Refuse an adapter that means something else by the same weights.

    Each initialisation that changes the base takes something else out of its weights, by its scale.

    Raises:
        EventuneError: If one of the named settings differs.
    """
    for name in names:
        own, found = (_plain(getattr(each, name)) for each in (config, fields))
        if own != found:
            raise EventuneError(
                f"{folder / ADAPTER_CONFIG}: {name}: expected {own or 'none'}, found {found or 'none'}",
                f"give {name} as that file has it; or, in a recipe, method: full, which goes on from base and adapter "
                "merged",
            )


def _plain(value: Any) -> Any:
    """Return a setting as it compares: `init_lora_weights: true` is the default one, and nothing is nothing."""
    return "default" if value is True else value or None


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
        sizes = [tuple(weights[wrong[0]].shape) if wrong[0] in weights else "none" for weights in (own, found)]
        raise EventuneError(
            f"{path}: expected weights that fit this training's, found others: {wrong[0]}: expected {sizes[0]}, "
            f"found {sizes[1]}",
            _HINT,
        )
    return fitted
