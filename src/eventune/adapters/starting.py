"""From the trained weights of one run to the start of another's training."""

from __future__ import annotations

import copy
import math
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
    "give the method, lora_target_modules and use_dora of that run, and the lora_r where experts are trained; or, in a "
    "recipe, method: full, which goes on from base and adapter merged"
)


def start_from(model: nn.Module, folder: Path, *, anatomy: Anatomy, fresh_heads: Sequence[str] = ()) -> None:
    """Copy a run's trained weights into a model that is ready for its first step.

    The same method goes on from the same adapter; LoRA's may have another rank or `lora_alpha`, and says the same
    before its first step, or what is closest at a lower rank. Full fine-tuning goes on from base and adapter merged.
    Heads need not have the same size: of a vector that differs in length, such as what each length of a span is worth,
    the common part is copied.

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

    At a lower rank it is the closest of that rank. Weights of other sizes, among them those of experts at another rank,
    are left as they are.

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
    for name_a in own.keys() & found.keys():
        module, is_a, _ = name_a.partition(".lora_A.weight")
        name_b = f"{module}.lora_B.weight"
        if not is_a or name_b not in own or name_b not in found:
            continue
        rank, scale = _rank_and_scale(fields, module.removeprefix(PEFT_PREFIX))
        layer: Any = model.get_submodule(module)
        a, b = found[name_a].to(own[name_a]), found[name_b].to(own[name_b])
        b = b * (scale / layer.scaling[model.active_adapter])
        if a.shape == (rank, *own[name_a].shape[1:]) and b.shape == (own[name_b].shape[0], rank):
            a, b = _at_rank(a, b, own[name_a])
        continued[name_a], continued[name_b] = a, b
    return continued


def _at_rank(a: Tensor, b: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
    """Return two factors with the rank of another A.

    Args:
        a: Shape (r, inputs).
        b: Shape (outputs, r).
        start: The A of the model, random, *shape* (rank, inputs).

    Returns:
        At a higher rank, more rows of A as they start, and for them columns of zeros in B, as at the start of any LoRA.
        At a lower one the closest product by the sum of squares (Eckart and Young, 1936), with rows of A as long as
        they are in the mean.
    """
    rank, more = len(start), len(start) - len(a)
    if more >= 0:
        return torch.cat([a, start[len(a) :]]), torch.cat([b, b.new_zeros(len(b), more)], dim=1)
    left, of_b = torch.linalg.qr(b.float())
    right, of_a = torch.linalg.qr(a.T.float())
    u, sizes, v = torch.linalg.svd(of_b @ of_a.T)
    length = a.norm() / math.sqrt(len(a))
    return (length * v[:rank] @ right.T).to(a), (left @ (u[:, :rank] * sizes[:rank]) / length).to(b)


def _rank_and_scale(fields: LoraFields, module: str) -> tuple[int, float]:
    """Return a module's rank, and what its `B A` is multiplied by: `lora_alpha / r`, or by `sqrt(r)` where so said."""
    ranks, alphas = fields.rank_pattern or {}, fields.alpha_pattern or {}
    rank = ranks.get(get_pattern_key(list(ranks), module), fields.r)
    alpha = alphas.get(get_pattern_key(list(alphas), module), fields.lora_alpha)
    return rank, alpha / (math.sqrt(rank) if fields.use_rslora else rank)


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
