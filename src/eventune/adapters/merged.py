"""One plain model out of a base and its adapter."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from eventune.adapters.methods import names_of
from eventune.adapters.peft_library import ModulesToSaveWrapper, PeftModel
from eventune.adapters.precision import stop_autocast
from eventune.adapters.quantisation import is_quantised
from eventune.adapters.wrapping import unwrap
from eventune.errors import EventuneError, first_line

MERGEABLE = names_of(lambda method: method.merges)
TOLERANCE = 1e-3
"""Greatest difference, relative to the outputs' size, that sums in another order in float32 can explain."""


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged model and what merging changed.

    Attributes:
        model: The plain model.
        difference: Greatest difference of the outputs from those of base and adapter, both in float32.
        difference_after_cast: The same in the type that the model was cast to.
    """

    model: nn.Module
    difference: float
    difference_after_cast: float


def merge(
    model: nn.Module,
    outputs: Callable[[nn.Module], Tensor],
    *,
    dtype: torch.dtype = torch.float32,
    keep: bool = True,
) -> Merged:
    """Add an adapter to the weights of its base, in float32, and compare the outputs before casting.

    Args:
        model: A `PeftModel`, wrapped or not.
        outputs: Computes outputs of a model on a batch of the caller's choice.
        dtype: Type of the merged weights.
        keep: Whether to leave the model as it is; else it is merged itself, and its memory is not needed twice.

    Returns:
        The plain model, in evaluation mode, with the trained heads in place.

    Raises:
        EventuneError: If the model has no adapter that can be merged, its base is quantised, its weights are not
            finite, or the outputs differ.
    """
    adapted = unwrap(model)
    if not isinstance(adapted, PeftModel):
        raise EventuneError(
            f"expected a model with an adapter that can be merged ({MERGEABLE}), found {type(adapted).__name__}",
            "what was trained in full is merged already; a prefix cannot be",
        )
    if is_quantised(adapted):
        raise EventuneError(
            "the base is quantised: merged and rounded again, it would lose what the adapter learned",
            "load the adapter on the dequantised base and merge there",
        )
    working: Any = (copy.deepcopy(adapted) if keep else adapted).float().eval()
    stop_autocast(working.get_base_model())
    with torch.inference_mode():
        expected = outputs(working).clone()
    plain = plain_model(working).eval().requires_grad_(False)
    with torch.inference_mode():
        difference = _greatest(outputs(plain), expected)
        size = max(1.0, float(expected[expected.isfinite()].abs().max()))
        if difference > TOLERANCE * size:
            raise EventuneError(
                f"the merged model's outputs differ from those of base and adapter by {difference:.2g}",
                "please report this: it is a defect of eventune",
            )
        plain.to(dtype)
        after = difference if dtype == torch.float32 else _greatest(outputs(plain), expected)
    return Merged(plain, difference, after)


def plain_model(model: Any) -> nn.Module:
    """Merge a `PeftModel` into its base, which is changed, with the trained heads in place.

    Raises:
        EventuneError: If its adapter cannot be merged, or its weights are not finite.
    """
    _unwrap_heads(model)
    try:
        plain: nn.Module = model.merge_and_unload(safe_merge=True)
    except ValueError as error:
        raise EventuneError(f"the adapter cannot be merged: {first_line(error)}", "copy the run anew") from error
    return plain


def _unwrap_heads(model: Any) -> None:
    """Put the trained heads in the place of PEFT's copies: of a head that is no single layer (IA)3 asks the weight."""
    for name, module in list(model.named_modules()):
        if isinstance(module, ModulesToSaveWrapper):
            parent, _, leaf = name.rpartition(".")
            setattr(model.get_submodule(parent), leaf, module.modules_to_save[module.active_adapters[0]])


def _greatest(found: Tensor, expected: Tensor) -> float:
    both = found.isfinite() & expected.isfinite()
    if not torch.equal(found.isfinite(), expected.isfinite()):
        return float("inf")
    return float((found[both].float() - expected[both].float()).abs().max()) if both.any() else 0.0
