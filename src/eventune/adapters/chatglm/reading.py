"""A PEFT adapter's files as they are converted: what cannot be is refused here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from eventune.adapters.chatglm.layers import MAGNITUDE, A, Layer
from eventune.adapters.checkpoints import read_state
from eventune.adapters.configuration import read_adapter_fields
from eventune.adapters.methods import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from eventune.adapters.peft_library import LoraConfig, get_pattern_key
from eventune.adapters.store import PEFT_PREFIX
from eventune.errors import EventuneError
from eventune.storage.json_files import read_json

_PART = re.compile(rf"(.+)\.(lora_[AB]\.weight|lora_embedding_[AB]|{MAGNITUDE})(?:\.weight)?")
CARRIED = (
    "task_type",
    "lora_dropout",
    "bias",
    "use_rslora",
    "use_dora",
    "init_lora_weights",
    "revision",
    "inference_mode",
)
"""Settings that mean the same in both models."""
_TRANSLATED = (
    *("r", "lora_alpha", "rank_pattern", "alpha_pattern", "target_modules", "exclude_modules", "modules_to_save"),
    *("layers_to_transform", "layers_pattern", "base_model_name_or_path", "peft_type"),
)


@dataclass(frozen=True, slots=True)
class LoraFiles:
    """An adapter as it was read.

    Attributes:
        settings: Its configuration.
        layers: The adapted layers by module.
        saved: What else is saved, by name: whole modules and biases.
    """

    settings: Mapping[str, Any]
    layers: Mapping[str, Layer]
    saved: Mapping[str, Tensor]

    @property
    def use_rslora(self) -> bool:
        """Whether alpha is divided by the rank's root."""
        return bool(self.settings.get("use_rslora"))


def read_lora(folder: Path) -> LoraFiles:
    """Read a LoRA adapter whose layers can be split and joined.

    Args:
        folder: Folder with `adapter_config.json` and `adapter_model.safetensors` or `.bin`.

    Returns:
        The adapter.

    Raises:
        EventuneError: If a file is missing or damaged, or the adapter is of a kind that is not known to stay the same.
    """
    method = read_json(folder / ADAPTER_CONFIG).get("peft_type")
    if method != "LORA":
        raise EventuneError(f"{folder / ADAPTER_CONFIG}: expected peft_type LORA, found {method!r}")
    fields = read_adapter_fields(folder)
    settings = {name: value for name, value in asdict(fields).items() if value is not None}
    _require_convertible(settings, folder / ADAPTER_CONFIG)
    layers, saved = _read(folder, settings)
    return LoraFiles(settings, layers, saved)


def _require_convertible(settings: Mapping[str, Any], path: Path) -> None:
    """Refuse what is not known to stay the same function on a layer's parts."""
    start = settings.get("init_lora_weights")
    if isinstance(start, str) and start.startswith(("pissa", "olora", "corda", "loftq", "lora_ga")):
        raise EventuneError(
            f"{path}: init_lora_weights {start!r} makes it an adapter of a changed base",
            "save it as one of the unchanged base first: PEFT's path_initial_model_for_weight_conversion",
        )
    known = {*CARRIED, *_TRANSLATED}
    usual = LoraConfig().to_dict()
    for name, value in settings.items():
        if name not in known and value and value != usual.get(name):
            raise EventuneError(
                f"{path}: {name} is {value!r}, which is not known to stay the same on the parts of a layer",
                "merge the adapter into its base, and convert the base",
            )


def _read(source: Path, settings: Mapping[str, Any]) -> tuple[dict[str, Layer], dict[str, Tensor]]:
    """Read the adapted layers by module, and what else is saved: whole modules and biases."""
    path = source / ADAPTER_WEIGHTS
    state = read_state(path if path.exists() else source / "adapter_model.bin")
    parts: dict[str, dict[str, Tensor]] = {}
    saved: dict[str, Tensor] = {}
    for name, tensor in state.items():
        plain = name.removeprefix(PEFT_PREFIX)
        match = _PART.fullmatch(plain)
        if match is None and ".lora_" in plain:
            raise EventuneError(f"{source}: {name!r} is no part of an adapter that can be converted")
        if match is None:
            saved[plain] = tensor
        else:
            parts.setdefault(match[1], {})[match[2]] = tensor
    if not parts:
        raise EventuneError(f"{source}: expected a LoRA adapter, found {len(saved)} other tensors")
    return {module: _layer(module, own, settings) for module, own in parts.items()}, saved


def _layer(module: str, tensors: Mapping[str, Tensor], settings: Mapping[str, Any]) -> Layer:
    first = next((key for key in (A, "lora_embedding_A") if key in tensors), "")
    if not first or first.replace("A", "B") not in tensors:
        raise EventuneError(f"{module}: expected both A and B of its adapter, found {', '.join(tensors)}")
    ranks, alphas = settings.get("rank_pattern") or {}, settings.get("alpha_pattern") or {}
    rank = ranks.get(get_pattern_key(ranks, module), settings.get("r"))
    alpha = alphas.get(get_pattern_key(alphas, module), settings.get("lora_alpha"))
    if not isinstance(alpha, int | float):
        raise EventuneError(f"{ADAPTER_CONFIG}: lora_alpha: expected a number, found {alpha!r}")
    if tensors[first].shape[0] != rank:
        raise EventuneError(
            f"{module}: expected an adapter of rank {rank}, as {ADAPTER_CONFIG} says, found {tensors[first].shape[0]}",
            "the files are of different adapters",
        )
    return Layer(tensors, int(rank), alpha)
