"""Trained weights on disk: adapter and heads, nothing of a frozen base."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from eventune.adapters.anatomy import Anatomy, anatomy_of
from eventune.adapters.attaching import prepare_base, require_fresh
from eventune.adapters.changed_base import changed_base, for_unchanged_base
from eventune.adapters.configuration import (
    PrefixFields,
    fitting,
    peft_config,
    read_adapter_fields,
)
from eventune.adapters.guard import plain_name
from eventune.adapters.methods import ADAPTER_CONFIG, ADAPTER_WEIGHTS, FULL_WEIGHTS, PART_WEIGHTS
from eventune.adapters.peft_library import (
    PeftConfig,
    PeftModel,
    get_peft_model_state_dict,
    set_peft_model_state_dict,
)
from eventune.adapters.precision import half_type_of, unmix_norms
from eventune.adapters.prefix import PREFIX, add_prefix, prefix_config
from eventune.adapters.quantisation import quantised_bits
from eventune.adapters.tying import require_alike
from eventune.adapters.weight_files import read_weights, write_weights
from eventune.adapters.wrapping import unwrap
from eventune.errors import EventuneError
from eventune.storage.paths import exists
from eventune.storage.validation import read_settings

QUANTISATION = "quantisation.json"
"""Says in how many bits the base was, where it was quantised."""
PEFT_PREFIX = "base_model.model."
PROMPT = "prompt_embeddings"
"""What PEFT calls the keys and values of a prefix."""


@dataclass(frozen=True, slots=True)
class _Quantisation:
    quantization_bit: Literal[4, 8]


@dataclass(frozen=True, slots=True)
class Saved:
    """What was written.

    Attributes:
        path: The file of weights.
        tensors: Number of tensors in it.
        parameters: Number of parameters in it.
        bytes: Its size.
    """

    path: Path
    tensors: int
    parameters: int
    bytes: int


def weights_file(folder: Path) -> Path:
    """Return where a folder's trained weights are: the adapter's file, the trained part's, or the whole model's."""
    names = {ADAPTER_CONFIG: ADAPTER_WEIGHTS, PART_WEIGHTS: PART_WEIGHTS}
    return folder / next((weights for sign, weights in names.items() if exists(folder / sign)), FULL_WEIGHTS)


def trained_weights(model: nn.Module) -> dict[str, Tensor]:
    """Return what training changes.

    Args:
        model: The model, wrapped or not.

    Returns:
        By name: adapter and heads of a `PeftModel`; prefix and heads of a model with a prefix; the trainable weights of
        a model with frozen ones; every weight of another.
    """
    model = unwrap(model)
    if isinstance(model, PeftModel):
        # Else PEFT asks the hub at every checkpoint whether the vocabulary was resized; here new embeddings are heads.
        try:
            weights: dict[str, Tensor] = get_peft_model_state_dict(
                model, adapter_name=model.active_adapter, save_embedding_layers=False
            )
        except KeyError as error:
            raise EventuneError(
                f"trained parameters would not be saved: the model's state lacks {error}",
                "its state_dict was replaced, as many training scripts do before they save; leave it as it is",
            ) from error
        return weights
    parameters = dict(model.named_parameters())
    # Tied weights are named once among parameters, and by each name in the state.
    buffers = {n: t for n, t in model.state_dict(keep_vars=True).items() if not isinstance(t, nn.Parameter)}
    if hasattr(model, PREFIX):
        trained = {name: p for name, p in parameters.items() if p.requires_grad}
        own = {f"{PEFT_PREFIX}{name}": tensor for name, tensor in {**trained, **buffers}.items()}
        # PEFT reads the first; the network that computes it is needed to go on training.
        return {PROMPT: model.get_submodule(PREFIX).flattened(), **own}  # type: ignore[operator]
    kept = {name: p for name, p in parameters.items() if p.requires_grad}
    is_part = 0 < len(kept) < len(parameters)
    return {**(kept if is_part else parameters), **buffers}


def save_trained(model: nn.Module, folder: Path) -> Saved:
    """Write the trained weights for use, an adapter in the form that `PeftModel.from_pretrained` reads.

    An adapter whose initialisation changed the base (PiSSA, OLoRA) is written as one of the base as it was loaded.

    Args:
        model: The trained model, wrapped or not.
        folder: An existing folder.

    Returns:
        What was written.

    Raises:
        EventuneError: If the disk is full, or the file does not hold every trainable parameter.
    """
    plain: Any = unwrap(model)
    if not changed_base(plain):
        return save_checkpoint(plain, folder)
    weights = trained_weights(plain)
    _require_complete(plain, weights)
    converted, config = for_unchanged_base(plain, weights, plain.peft_config[plain.active_adapter])
    return write_adapter(folder, converted, config)


def save_checkpoint(model: nn.Module, folder: Path) -> Saved:
    """Write the trained weights to go on training from: `load_trained` reads them into a model made ready alike.

    Args:
        model: The model in training, wrapped or not.
        folder: An existing folder.

    Returns:
        What was written.

    Raises:
        EventuneError: If the disk is full, or the file does not hold every trainable parameter.
    """
    model = unwrap(model)
    weights = trained_weights(model)
    _require_complete(model, weights)
    name = ADAPTER_WEIGHTS
    config: Any = None
    if isinstance(model, PeftModel):
        config = model.peft_config[model.active_adapter]
    elif hasattr(model, PREFIX):
        config = prefix_config(model)
    else:
        partly = any(not parameter.requires_grad for parameter in model.parameters())
        name = PART_WEIGHTS if partly and any(p.requires_grad for p in model.parameters()) else FULL_WEIGHTS
    saved = _write(folder, name, weights, config)
    bits = quantised_bits(model)
    if bits:
        (folder / QUANTISATION).write_text(json.dumps({"quantization_bit": bits}) + "\n", encoding="ascii")
    return saved


def recorded_bits(folder: Path) -> int:
    """Return the bits of the base that a folder's adapter was trained on; 0 for one that was not quantised."""
    path = folder / QUANTISATION
    return read_settings(path, _Quantisation).quantization_bit if exists(path) else 0


def write_adapter(folder: Path, weights: Mapping[str, Tensor], config: PeftConfig) -> Saved:
    """Write an adapter as PEFT does: its configuration and its weights.

    Raises:
        EventuneError: If the disk is full.
    """
    return _write(folder, ADAPTER_WEIGHTS, weights, config)


def _write(folder: Path, name: str, weights: Mapping[str, Tensor], config: Any) -> Saved:
    if config is not None:
        try:
            config.save_pretrained(folder)
        except OSError as error:
            raise EventuneError(f"{folder}: the weights cannot be written: {error}", "free some space") from error
    path = folder / name
    write_weights(weights, path)
    return Saved(path, len(weights), sum(tensor.numel() for tensor in weights.values()), path.stat().st_size)


def load_trained(model: nn.Module, folder: Path) -> None:
    """Read trained weights into a model that was made ready in the same way.

    Args:
        model: The model, with adapter and heads attached.
        folder: The folder that `save_trained` wrote to.

    Raises:
        EventuneError: If the file is missing or cut off, or its weights are not the model's.
    """
    model = unwrap(model)
    weights = read_weights(weights_file(folder))
    own = trained_weights(model)
    require_same(own, weights, weights_file(folder))
    require_alike(own, weights)
    copy_weights(model, weights)


def copy_weights(model: nn.Module, weights: Mapping[str, Tensor], *, adapter: str = "default") -> None:
    """Copy trained weights into a model that has places for them."""
    if isinstance(model, PeftModel):
        set_peft_model_state_dict(model, dict(weights), adapter_name=adapter)
        return
    plain = {name.removeprefix(PEFT_PREFIX): tensor for name, tensor in weights.items() if name != PROMPT}
    model.load_state_dict(plain, strict=False)


def require_same(expected: Mapping[str, Tensor], found: Mapping[str, Tensor], path: Path) -> None:
    """Check that two sets of weights have the same names and shapes.

    Raises:
        EventuneError: If they differ; it names one that does.
    """
    wrong = sorted(expected.keys() ^ found.keys())
    wrong += [name for name in expected.keys() & found.keys() if expected[name].shape != found[name].shape]
    if wrong:
        raise EventuneError(
            f"{path}: expected this model's {len(expected)} weights, found others, e.g. {wrong[0]}",
            "the run was made with other settings or by another version",
        )


def load_into(
    model: nn.Module, folder: Path, *, anatomy: Anatomy | None = None, quantization_bit: int | None = None
) -> nn.Module:
    """Read a run's trained weights into a freshly built model.

    Args:
        model: The base with untrained heads, unwrapped and without adapters.
        folder: The folder that `save_trained` wrote to.
        anatomy: The model's backbones and heads; found by default.
        quantization_bit: In how many bits the base is to be; by default as the folder says.

    Returns:
        The model, inside a `PeftModel` where the folder holds an adapter of PEFT's.

    Raises:
        EventuneError: If a file is missing, damaged, or of another model; or the model has an adapter already.
    """
    require_fresh(model)
    path = weights_file(folder)
    anatomy = anatomy or anatomy_of(model)
    if path.name == FULL_WEIGHTS:
        load_trained(model, folder)
        return model
    prepare_base(model, anatomy, recorded_bits(folder) if quantization_bit is None else quantization_bit)
    if path.name == PART_WEIGHTS:
        _overlay(model, read_weights(path), anatomy, path)
        return model
    fields = read_adapter_fields(folder)
    if isinstance(fields, PrefixFields):
        _load_prefix(model, folder, anatomy, fields)
        return model
    config = peft_config(fields, folder)
    with fitting(folder):
        adapted: nn.Module = PeftModel(model, config)
    heads_to_float32(adapted)
    # Not PEFT's own loading: it goes on with random weights where the file lacks some.
    load_trained(adapted, folder)
    return adapted


def heads_to_float32(model: nn.Module) -> None:
    """Give PEFT's copies of the heads the type that they were trained in, on a base in half precision too."""
    if half_type_of(model) is None:
        return
    for name, module in model.named_modules():
        if name.endswith(".modules_to_save"):
            module.float()


def _load_prefix(model: nn.Module, folder: Path, anatomy: Anatomy, fields: PrefixFields) -> None:
    path = folder / ADAPTER_WEIGHTS
    weights = read_weights(path)
    if PROMPT not in weights:
        raise EventuneError(f"{path}: expected {PROMPT!r}, found {', '.join(list(weights)[:3])}", "copy the run anew")
    flat = weights.pop(PROMPT)
    tokens = fields.num_virtual_tokens
    if flat.shape[:1] != (tokens,):
        raise EventuneError(
            f"{folder / ADAPTER_CONFIG}: num_virtual_tokens: expected as many as its weights, whose shape is "
            f"{tuple(flat.shape)}, found {tokens}"
        )
    backbone = model.get_submodule(anatomy.backbones[0])
    prefix = add_prefix(model, backbone, num_virtual_tokens=tokens, projection=False)
    require_same({PROMPT: prefix.flattened()}, {PROMPT: flat}, path)
    prefix.load_flattened(flat)
    own = {name.removeprefix(PEFT_PREFIX): tensor for name, tensor in weights.items()}
    _overlay(model, {n: t for n, t in own.items() if not n.startswith(f"{PREFIX}.")}, anatomy, path)


def _overlay(model: nn.Module, weights: Mapping[str, Tensor], anatomy: Anatomy, path: Path) -> None:
    """Put the trained part of a model's weights into it; every weight of its heads must be among them."""
    state = model.state_dict()
    wrong = [name for name in weights if name not in state or state[name].shape != weights[name].shape]
    wrong += [name for name in state if anatomy.in_head(name) and name not in weights]
    if wrong:
        raise EventuneError(
            f"{path}: expected weights of this model and all of its heads', found others, or not all: {wrong[0]}",
            "the run was made with other settings or by another version",
        )
    for name, parameter in model.named_parameters():
        if name in weights:
            parameter.data = parameter.data.to(weights[name].dtype)
    unmix_norms(model)
    model.load_state_dict(weights, strict=False)


def _require_complete(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    # PEFT leaves out the adapter's name, and here and there the last part with it.
    saved = {plain_name(name) for name in weights} | {f"{plain_name(name)}.weight" for name in weights}
    lost = [
        name
        for name, parameter in model.named_parameters()
        if parameter.requires_grad and re.sub(r"\.default(?=\.|$)", "", plain_name(name)) not in saved
    ]
    if lost:
        raise EventuneError(f"{len(lost)} trained parameters would not be saved, e.g. {plain_name(lost[0])}")
    if not all(torch.isfinite(tensor).all() for tensor in weights.values() if tensor.is_floating_point()):
        raise EventuneError("the trained weights are not finite", "lower the learning rate")


class AdapterStore:
    """What is trained of a model, saved and restored in the shape that a trainer asks for."""

    def save(self, model: nn.Module, folder: Path) -> None:
        """Write the trained weights to an existing folder, to go on from."""
        save_checkpoint(model, folder)

    def load(self, model: nn.Module, folder: Path) -> None:
        """Read them back."""
        load_trained(model, folder)
