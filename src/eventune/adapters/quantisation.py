"""A frozen base in 4 or 8 bits, as QLoRA has it (arXiv:2305.14314), and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from eventune.adapters.peft_library import import_bitsandbytes
from eventune.adapters.projections import block_prefixes
from eventune.errors import EventuneError

if TYPE_CHECKING:
    from types import ModuleType

LOADED = {4: "is_loaded_in_4bit", 8: "is_loaded_in_8bit"}
"""What PEFT asks a model to choose layers that fit."""
LAYERS = {4: "Linear4bit", 8: "Linear8bitLt"}
"""The quantised layers' classes."""


def quantise(base: nn.Module, bits: int, *, keep: Sequence[str] = ()) -> int:
    """Replace the linear layers of a base's blocks by quantised ones, in place.

    Embeddings, norms and everything outside of the blocks keep their precision: they are small, and what is new among
    them is trained.

    Args:
        base: The pretrained model; its weights must be there, in float32, float16 or bfloat16.
        bits: 4 (NF4 with doubly quantised constants) or 8 (LLM.int8).
        keep: Modules that keep their precision because they are trained in full.

    Returns:
        The number of layers that were replaced.

    Raises:
        EventuneError: If bitsandbytes is not installed.
    """
    bitsandbytes = _bitsandbytes()
    blocks = block_prefixes(base)
    kept = tuple(f"{name}." for name in keep)
    names = [
        name
        for name, module in base.named_modules()
        if type(module) is nn.Linear and name.startswith(blocks) and not f"{name}.".startswith(kept)
    ]
    for name in names:
        layer = base.get_submodule(name)
        parent, _, leaf = name.rpartition(".")
        setattr(base.get_submodule(parent), leaf, _quantised(bitsandbytes, layer, bits))
    return len(names)


def dequantise(base: nn.Module) -> int:
    """Replace quantised layers by plain ones in float32 with the values that the quantised ones stand for, in place.

    Args:
        base: A model with layers of bitsandbytes.

    Returns:
        The number of layers that were replaced.
    """
    quantised = {n: m for n, m in base.named_modules() if type(m).__name__ in {"Linear4bit", "Linear8bitLt"}}
    for name, module in quantised.items():
        layer: Any = module
        plain = nn.Linear(layer.in_features, layer.out_features, bias=layer.bias is not None)
        plain.weight = nn.Parameter(dequantised_weight(layer), requires_grad=False)
        plain.bias = layer.bias
        parent, _, leaf = name.rpartition(".")
        setattr(base.get_submodule(parent), leaf, plain)
    return len(quantised)


def dequantised_weight(layer: Any) -> Tensor:
    """Return the weight that a quantised layer stands for, *shape* (outputs, inputs), in float32."""
    weight = layer.weight
    if type(layer).__name__ == "Linear4bit":
        restored: Tensor = _bitsandbytes().functional.dequantize_4bit(weight.data, weight.quant_state)
        return restored.float()
    scale: Tensor = weight.SCB if weight.SCB is not None else layer.state.SCB
    codes: Tensor = weight.data
    return codes.float() * (scale.float()[:, None] / 127)


def _quantised(bitsandbytes: ModuleType, layer: Any, bits: int) -> nn.Module:
    modules = bitsandbytes.nn
    options = {"bias": layer.bias is not None, "device": "meta"}
    weight = layer.weight.detach()
    if bits == 4:
        # Copied: on the CPU the constants would otherwise share storage with the weight that is given up.
        quantised = modules.Linear4bit(
            layer.in_features, layer.out_features, compute_dtype=weight.dtype, quant_type="nf4", **options
        )
        # On some CPUs evaluation would pack the weights anew and round their scales: training could not go on after it.
        quantised.support_avx512bf16_for_cpu = False
        quantised.weight = modules.Params4bit(
            weight.clone(), requires_grad=False, quant_type="nf4", compress_statistics=True
        )
    else:
        quantised = _moved_as_a_whole(modules.Linear8bitLt)(
            layer.in_features, layer.out_features, has_fp16_weights=False, **options
        )
        quantised.weight = modules.Int8Params(weight.clone(), requires_grad=False, has_fp16_weights=False)
    if layer.bias is not None:
        quantised.bias = nn.Parameter(layer.bias.detach().clone(), requires_grad=False)
    # Weights are quantised when they are moved.
    placed: nn.Module = quantised.to(weight.device)
    return placed


class _MovedAsAWhole(nn.Module):
    """Takes an 8-bit layer's codes and scales along: torch moves a weight's own numbers alone, from layer to layer."""

    def holders(self) -> tuple[Any, ...]:
        """Return what holds codes and scales: the weight until they are used first, then the layer's state."""
        return self.weight, self.state

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> nn.Module:
        moved: nn.Module = super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        for holder in self.holders():
            for name in ("CB", "SCB"):
                if isinstance(value := getattr(holder, name, None), Tensor):
                    setattr(holder, name, value.to(fn(value).device))
        return moved


@cache
def _moved_as_a_whole(kind: type[nn.Module]) -> Any:
    """Return the class of such layers, by whose name they are told from others."""
    return type(kind.__name__, (_MovedAsAWhole, kind), {})


def _bitsandbytes() -> ModuleType:
    module = import_bitsandbytes()
    if module is None:
        raise EventuneError(
            "quantization_bit: expected bitsandbytes, which is not installed or cannot be imported",
            "pip install 'eventune[llm]', then eventune doctor",
        )
    return module


def is_quantised(base: nn.Module) -> bool:
    """Tell whether a model has quantised layers."""
    return quantised_bits(base) != 0


def quantised_bits(base: nn.Module) -> int:
    """Return in how many bits a model's quantised layers are; 0 where it has none."""
    kinds = {type(module).__name__ for module in base.modules()}
    return next((bits for bits, kind in LAYERS.items() if kind in kinds), 0)


def mark_quantised(model: nn.Module) -> None:
    """Tell PEFT what kind of layers a model has: it asks the whole model, whichever part of it is quantised."""
    bits = quantised_bits(model)
    if bits:
        import_bitsandbytes()
        setattr(model, LOADED[bits], True)


def size_of(parameter: nn.Parameter) -> int:
    """Return how many numbers a parameter stands for; bitsandbytes packs two into a byte."""
    packed = 2 if type(parameter).__name__ == "Params4bit" and parameter.dtype == torch.uint8 else 1
    return parameter.numel() * packed
