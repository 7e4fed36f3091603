"""A model's `config.json`, which may be a stranger's: checked before transformers obeys it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import SafetensorError, safe_open
from transformers import CONFIG_MAPPING, AutoConfig, PreTrainedConfig

from eventune.backbones.quiet import quiet
from eventune.errors import EventuneError, did_you_mean, first_line
from eventune.storage.json_files import read_json
from eventune.storage.paths import check_is_file

CONFIG = "config.json"
IMPLEMENTATIONS = (None, "eager", "sdpa", "grouped_mm", "batched_mm")
"""PyTorch's own; every other name makes transformers look for a kernel, on the hub if it is not here."""
QUANTISATIONS = ("bitsandbytes",)
"""Those that need nothing but a package that is installed."""
_QUANTISED = re.compile(r"\.(quant_state\.|absmax$|SCB$)")
"""Tensors that bitsandbytes keeps beside quantised weights."""
_REFUSED = {
    "configuration_files": "it leads to another configuration",
    "transformers_weights": "it leads to other weights",
}
_COUNTS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "encoder_layers", "decoder_layers")
_MOST_LAYERS = 2_000
_MOST_EXPERTS = 10_000
_MOST_INTEGER = 2**53
_SLACK = 2**26
"""Numbers that a model may have beyond four times those of its file: small models with large new heads."""


def read_config(folder: Path) -> PreTrainedConfig:
    """Read a model's configuration.

    Args:
        folder: The model's folder.

    Returns:
        The configuration, of an architecture that transformers has.

    Raises:
        EventuneError: If it is missing, damaged, of an unknown architecture, or asks for what is never done: code,
            kernels or weights from elsewhere.
    """
    path = folder / CONFIG
    values = read_json(path)
    model_type = values.get("model_type", "")
    if not isinstance(model_type, str) or model_type not in CONFIG_MAPPING:
        code = "; the folder wants its own code to be run, which eventune never does" * ("auto_map" in values)
        raise EventuneError(
            f"{path}: expected a model_type of transformers {transformers.__version__}, found "
            f"{str(model_type)[:100]!r}{code}",
            did_you_mean(str(model_type), CONFIG_MAPPING.keys())
            or "one that is newer than the installed transformers needs: pip install --upgrade transformers",
        )
    for name, value in _fields(values):
        if problem := _problem(name, value):
            raise EventuneError(f"{path}: {name}: {problem}", "choose a model that needs no such thing")
    try:
        with quiet():
            config: PreTrainedConfig = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:  # configurations check themselves in many ways; a cause says more than the error
        raise EventuneError(f"{path}: {' '.join(str(error.__cause__ or error).split())[:300]}") from error
    return config


def _fields(values: Any) -> Iterator[tuple[str, Any]]:
    """Yield all fields, those of configurations inside the configuration too."""
    if isinstance(values, Mapping):
        for name, value in values.items():
            yield str(name), value
            yield from _fields(value)
    elif isinstance(values, list):
        for value in values:
            yield from _fields(value)


def _problem(name: str, value: Any) -> str:
    """Return what is wrong with a field; nothing where all is well."""
    if name in _REFUSED and value:
        return f"expected no such field, found {str(value)[:100]!r}: {_REFUSED[name]}"
    if name.endswith(("attn_implementation", "experts_implementation", "attn_implementation_internal")):
        choices = value.values() if isinstance(value, dict) else [value]
        if any(not isinstance(choice, str | None) or choice not in IMPLEMENTATIONS for choice in choices):
            return f"expected eager or sdpa, found {str(value)[:100]!r}, which may be code from elsewhere"
    if name == "quantization_config" and value:
        method = value.get("quant_method", QUANTISATIONS[0]) if isinstance(value, dict) else value
        if method not in QUANTISATIONS:
            return f"expected weights in bitsandbytes' formats or plain ones, found {str(method)[:100]!r}"
    is_count = isinstance(value, int) and not isinstance(value, bool)
    if is_count and (
        (name in _COUNTS and value > _MOST_LAYERS)
        or ("experts" in name and value > _MOST_EXPERTS)
        or abs(value) > _MOST_INTEGER
    ):
        return f"expected a number that a model can have, found {value}"
    return ""


def require_weights_for(model_class: Any, config: PreTrainedConfig, folder: Path) -> None:
    """Refuse a configuration of a far larger model than the weights are of: it would be filled with random numbers.

    Args:
        model_class: The auto class that loads it.
        config: Its configuration.
        folder: Its folder.

    Raises:
        EventuneError: If no such model can be built, its weights cannot be read, or they are much fewer.
    """
    try:
        with quiet(), torch.device("meta"):
            model = model_class.from_config(config)
    except Exception as error:  # each architecture refuses what it cannot be in its own way
        raise EventuneError(f"{folder / CONFIG}: no model can be built: {first_line(error)}") from error
    wanted = sum(parameter.numel() for parameter in model.parameters())
    tensors = [_shapes_of(path) for path in sorted(folder.glob("*.safetensors"))]
    found = sum(prod(shape) for shapes in tensors for shape in shapes.values())
    if wanted > 4 * found + _SLACK:
        raise EventuneError(
            f"{folder}: {CONFIG} describes a model of {wanted:,} parameters, the weights are {found:,}",
            "copy the whole folder anew",
        )
    names = [name for shapes in tensors for name in shapes]
    if getattr(config, "quantization_config", None) and not any(map(_QUANTISED.search, names)):
        raise EventuneError(
            f"{folder}: {CONFIG}: quantization_config describes quantised weights, the weights are plain ones",
            "take quantization_config out of it, or copy the whole folder anew",
        )


def _shapes_of(path: Path) -> dict[str, Sequence[int]]:
    """Return the shape of each tensor in a file of weights, by its head alone."""
    check_is_file(path)
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise EventuneError(
            f"{path.parent}: the model could not be loaded: {path.name}: {first_line(error)}", "copy it anew"
        ) from error
