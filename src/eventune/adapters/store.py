"""Trained weights on disk: adapter and heads, nothing of a frozen base."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from peft import PeftConfig, PeftModel, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from eventune.adapters.guard import plain_name
from eventune.errors import EventuneError
from eventune.results import read_json

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
ADAPTER_FILES = (ADAPTER_CONFIG, ADAPTER_WEIGHTS)
FULL_WEIGHTS = "model.safetensors"


def weights_file(folder: Path) -> Path:
    """Return where a folder's trained weights are: the adapter's file, or the whole model's."""
    return folder / (ADAPTER_WEIGHTS if (folder / ADAPTER_CONFIG).exists() else FULL_WEIGHTS)


def trained_weights(model: nn.Module) -> dict[str, Tensor]:
    """Return what training changes: adapter and heads of a `PeftModel`, every weight of another model."""
    if isinstance(model, PeftModel):
        # Else PEFT asks the hub at every checkpoint whether the vocabulary was resized; here new embeddings are heads.
        weights: dict[str, Tensor] = get_peft_model_state_dict(model, save_embedding_layers=False)
        return weights
    return model.state_dict()


def save_trained(model: nn.Module, folder: Path) -> None:
    """Write the trained weights, for an adapter in the form that `PeftModel.from_pretrained` reads.

    Args:
        model: The trained model.
        folder: An existing folder.

    Raises:
        EventuneError: If the disk is full, or the file does not hold every trainable parameter.
    """
    weights = {name: tensor.contiguous() for name, tensor in trained_weights(model).items()}
    _require_complete(model, weights)
    try:
        if isinstance(model, PeftModel):
            model.peft_config[model.active_adapter].save_pretrained(folder)
            save_file(weights, folder / ADAPTER_WEIGHTS, metadata={"format": "pt"})
        else:
            save_file(weights, folder / FULL_WEIGHTS, metadata={"format": "pt"})
    except (OSError, SafetensorError) as error:
        raise EventuneError(f"{folder}: the weights cannot be written: {error}", "free some space") from error


def load_trained(model: nn.Module, folder: Path) -> None:
    """Read trained weights into a model that was made ready in the same way.

    Args:
        model: The model, with adapter and heads attached.
        folder: The folder that `save_trained` wrote to.

    Raises:
        EventuneError: If the file is missing or cut off, or its weights are not the model's.
    """
    weights = read_weights(weights_file(folder))
    expected = trained_weights(model)
    wrong = sorted(expected.keys() ^ weights.keys())
    wrong += [name for name in expected.keys() & weights.keys() if expected[name].shape != weights[name].shape]
    if wrong:
        raise EventuneError(
            f"{weights_file(folder)}: expected this model's {len(expected)} weights, found others, e.g. {wrong[0]}",
            "the run was made with other settings or by another version",
        )
    if isinstance(model, PeftModel):
        set_peft_model_state_dict(model, weights)
    else:
        model.load_state_dict(weights)


def load_into(model: nn.Module, folder: Path) -> nn.Module:
    """Read a run's trained weights into a freshly built model: an adapter with heads through PEFT, or the whole model.

    Args:
        model: The base with untrained heads.
        folder: The folder that `save_trained` wrote to.

    Returns:
        The model, inside a `PeftModel` where the folder holds an adapter.

    Raises:
        EventuneError: If a file is missing, damaged, or of another model.
    """
    weights = weights_file(folder)
    if weights.name == FULL_WEIGHTS:
        load_trained(model, folder)
        return model
    read_json(folder / ADAPTER_CONFIG)
    try:
        config = PeftConfig.from_pretrained(folder)
        config.inference_mode = True
        adapted: nn.Module = PeftModel(model, config)
    except (RuntimeError, ValueError, KeyError, TypeError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise EventuneError(f"{folder}: the adapter does not fit the model: {reason}") from error
    # Not PEFT's own loading: it goes on with random weights where the file lacks some.
    load_trained(adapted, folder)
    return adapted


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file.

    Args:
        path: The file.

    Returns:
        Its tensors by name.

    Raises:
        EventuneError: If it is missing or damaged.
    """
    if not path.is_file():
        raise EventuneError(f"{path}: no such file", "the run directory is incomplete; train again or copy it anew")
    try:
        weights: dict[str, Tensor] = load_file(path)
    except SafetensorError as error:
        raise EventuneError(
            f"{path}: expected a complete safetensors file, found: {error}", "copy the run anew"
        ) from error
    return weights


def _require_complete(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    saved = {plain_name(name) for name in weights}
    lost = [
        name
        for name, parameter in model.named_parameters()
        if parameter.requires_grad and plain_name(name).replace(".default.", ".") not in saved
    ]
    if lost:
        raise EventuneError(f"{len(lost)} trained parameters would not be saved, e.g. {plain_name(lost[0])}")
    if not all(torch.isfinite(tensor).all() for tensor in weights.values() if tensor.is_floating_point()):
        raise EventuneError("the trained weights are not finite", "lower the learning rate")
