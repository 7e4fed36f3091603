"""Adapters that start from a part of the base's weights (PiSSA, OLoRA) as adapters of the unchanged base.

Such an initialisation takes `s B₀ A₀` out of each weight. A file with A and B alone would fit only a base from which
the same was taken, by the same decomposition on the same machine. Against the unchanged base the trained change is

    s (B A - B₀ A₀) = s [B, -B₀] [A; A₀],

an ordinary LoRA adapter of twice the rank (as in PEFT's `path_initial_model_for_weight_conversion`).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from eventune.adapters.peft_library import LoraConfig, get_peft_model_state_dict

_INITIAL = "initial_adapter"


def remember_initial(model: nn.Module) -> None:
    """Keep a copy of the adapter as it is before the first step."""
    weights = get_peft_model_state_dict(model, save_embedding_layers=False)
    model.__dict__[_INITIAL] = {name: tensor.clone() for name, tensor in weights.items() if ".lora_" in name}


def starts_from_base(config: Any) -> bool:
    """Tell whether an adapter's initialisation takes its start out of the base's weights."""
    kind = str(getattr(config, "init_lora_weights", ""))
    return kind.startswith(("pissa", "olora", "corda", "loftq"))


def changed_base(model: nn.Module) -> bool:
    """Tell whether the model's base is not the one that it was loaded as."""
    return _INITIAL in model.__dict__


def for_unchanged_base(model: nn.Module, weights: Mapping[str, Tensor], config: Any) -> tuple[dict[str, Tensor], Any]:
    """Return an adapter's weights and configuration as they fit the base as it was loaded.

    Args:
        model: The trained `PeftModel`.
        weights: Its trained weights.
        config: Its LoRA configuration.

    Returns:
        Weights of twice the rank, and the configuration that goes with them.
    """
    converted = dict(weights)
    for name, initial in model.__dict__[_INITIAL].items():
        if ".lora_A." in name:
            converted[name] = torch.cat([weights[name], initial.to(weights[name])], dim=0)
        else:
            converted[name] = torch.cat([weights[name], -initial.to(weights[name])], dim=1)
    doubled: LoraConfig = copy.deepcopy(config)
    doubled.init_lora_weights = True
    doubled.r, doubled.rank_pattern = 2 * config.r, {name: 2 * r for name, r in config.rank_pattern.items()}
    # lora_alpha / r must stay what it was, or lora_alpha / sqrt(r) with rank-stabilised scaling.
    growth = math.sqrt(2) if config.use_rslora else 2
    doubled.lora_alpha = config.lora_alpha * growth
    doubled.alpha_pattern = {name: alpha * growth for name, alpha in config.alpha_pattern.items()}
    return converted, doubled
