"""Makes a model ready to be trained: adapters on the base, the heads whole, everything else frozen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from eventune.adapters.anatomy import Anatomy, anatomy_of, checkpoints_activations
from eventune.adapters.arguments import AdapterArguments
from eventune.adapters.methods import METHODS
from eventune.adapters.peft_library import BaseTunerLayer
from eventune.adapters.precision import autocast_forward, half_type_of, to_float32
from eventune.adapters.prefix import PREFIX
from eventune.adapters.quantisation import mark_quantised, quantise, quantised_bits
from eventune.adapters.wrapping import unwrap_with_wrapper
from eventune.errors import EventuneError, did_you_mean


def attach(
    model: nn.Module, arguments: AdapterArguments, *, anatomy: Anatomy | None = None, base_name: str = ""
) -> nn.Module:
    """Make a model ready to be trained as the arguments say.

    Args:
        model: Any module, also one in `DataParallel`, `DistributedDataParallel` or `torch.compile`.
        arguments: What is trained of the base.
        anatomy: Its backbones and heads; found by default. The heads are trained and saved whatever the method.
        base_name: What the adapter's configuration calls the base; by default the name that it was loaded by.

    Returns:
        The model, inside a `PeftModel` where its layers got adapters of PEFT's; wrapped as it was before.

    Raises:
        EventuneError: If a setting matches nothing in the model, or the method does not suit it.
    """
    problem = next(arguments.problems(), None)
    if problem is not None:
        raise problem
    method = METHODS[arguments.method]
    plain, wrap = unwrap_with_wrapper(model)
    require_fresh(plain)
    anatomy = with_saved_modules(plain, anatomy or anatomy_of(plain), arguments.modules_to_save)
    if base_name or not hasattr(plain, "name_or_path"):
        # An adapter's configuration gets the name from the model.
        plain.name_or_path = base_name  # type: ignore[assignment]
    if method.freezes_base:
        prepare_base(plain, anatomy, arguments.quantization_bit)
    adapted = method.attach(plain, arguments, anatomy)
    if arguments.freeze_heads:
        for head in anatomy.heads:
            plain.get_submodule(head).requires_grad_(False)
    if method.freezes_base and half_type_of(plain) is not None:
        to_float32(adapted)
    return wrap(adapted)


def require_fresh(model: nn.Module) -> None:
    """Refuse a model that has an adapter already: a second one would be attached inside the first.

    Raises:
        EventuneError: If it has one.
    """
    if hasattr(model, PREFIX) or any(isinstance(module, BaseTunerLayer) for module in model.modules()):
        raise EventuneError(
            f"{type(model).__name__} has an adapter already",
            "build it anew; load_trained puts saved weights into it, AdapterBank holds several adapters",
        )


def prepare_base(model: nn.Module, anatomy: Anatomy, quantization_bit: int = 0) -> None:
    """Bring a model into the state in which adapters are attached to it or loaded into it, in place.

    Args:
        model: The model, unwrapped and without adapters.
        anatomy: Its backbones and heads.
        quantization_bit: 4 or 8 for a quantised base, 0 for one as it is.

    Raises:
        EventuneError: If it is to be quantised and has no layer that can be.
    """
    half = half_type_of(model)
    if half is not None:
        autocast_forward(model, half)
    if quantization_bit and not quantised_bits(model):
        count = sum(
            quantise(
                model.get_submodule(backbone),
                quantization_bit,
                keep=anatomy.heads_inside(backbone),
            )
            for backbone in anatomy.backbones
        )
        if not count:
            raise EventuneError(
                "quantization_bit: no linear layer in the base's blocks can be quantised",
                "leave it out; GPT-2's layers, for one, are of another kind",
            )
    mark_quantised(model)
    if any(isinstance(module, nn.TransformerEncoderLayer) for module in model.modules()):
        # In evaluation torch's fast path reads the weights and passes over adapters without a word.
        torch.backends.mha.set_fastpath_enabled(False)
    _let_checkpointing_reach_adapters(model, anatomy)


def enable_gradient_checkpointing(model: nn.Module) -> None:
    """Recompute the blocks' activations in the backward pass; call it before `attach`.

    Args:
        model: The model, or the backbone in it.

    Raises:
        EventuneError: If no part of it can.
    """
    anatomy = anatomy_of(model)
    backbones: list[Any] = [model.get_submodule(name) for name in anatomy.backbones]
    if not all(getattr(backbone, "supports_gradient_checkpointing", False) for backbone in backbones):
        raise EventuneError("gradient_checkpointing: the base cannot recompute its activations", "leave it off")
    for backbone in backbones:
        backbone.gradient_checkpointing_enable({"use_reentrant": False})
    _let_checkpointing_reach_adapters(model, anatomy)


def _let_checkpointing_reach_adapters(model: nn.Module, anatomy: Anatomy) -> None:
    """Let the embeddings' output require a gradient: else checkpointed blocks with frozen inputs get none."""
    for name in anatomy.backbones:
        backbone: Any = model.get_submodule(name)
        if checkpoints_activations(backbone):
            backbone.enable_input_require_grads()


def with_saved_modules(model: nn.Module, anatomy: Anatomy, names: Sequence[str]) -> Anatomy:
    """Return the anatomy with further modules that are trained in full.

    Args:
        model: The model, unwrapped.
        anatomy: Its parts.
        names: Names, or ends of names, of modules.

    Returns:
        The anatomy with these modules among the heads.

    Raises:
        EventuneError: If a name matches no module with parameters; PEFT would pass over it in silence.
    """
    known = [name for name, module in model.named_modules() if name and next(module.parameters(), None) is not None]
    added: list[str] = []
    for wanted in names:
        matched = [name for name in known if name == wanted or name.endswith(f".{wanted}")]
        if not matched:
            leaves = sorted({name.rpartition(".")[2] for name in known} | set(known))
            raise EventuneError(
                f"modules_to_save: {wanted!r} matches no module with parameters", did_you_mean(wanted, leaves)
            )
        added += [name for name in matched if not anatomy.in_head(name)]
    return replace(anatomy, heads=tuple(dict.fromkeys([*anatomy.heads, *added])))
