"""One backbone in memory that carries the adapters of several models, each with heads of its own shapes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from torch import nn

from eventune.adapters.anatomy import Anatomy, anatomy_of
from eventune.adapters.attaching import prepare_base
from eventune.adapters.changed_base import starts_from_base
from eventune.adapters.configuration import (
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    fitting,
    read_adapter_config,
    read_adapter_fields,
)
from eventune.adapters.peft_library import PeftModel, get_peft_model_state_dict
from eventune.adapters.store import copy_weights, heads_to_float32, recorded_bits, require_same
from eventune.adapters.weight_files import read_weights
from eventune.errors import EventuneError
from eventune.storage.paths import exists

SHARING = ("LORA", "IA3")
"""PEFT's adapters that lie beside the base's own layers; what changes the base itself cannot share it."""


def can_share(folder: Path) -> bool:
    """Tell whether a folder's trained weights leave the base as it is, so that others can be computed on it, too."""
    if not exists(folder / ADAPTER_CONFIG):
        return False
    fields = read_adapter_fields(folder)
    # Biases that are trained are the base's own.
    return fields.peft_type in SHARING and getattr(fields, "bias", "none") == "none"


class SharedBase:
    """A backbone with the adapters of the models that were built around it."""

    def __init__(self, backbone: nn.Module, *, quantization_bit: int = 0) -> None:
        """Take a backbone without adapters; 4 or 8 bits for adapters of a quantised one."""
        self._backbone, self._bits = backbone, quantization_bit
        self._names: dict[nn.Module, str] = {}
        self._active: nn.Module | None = None

    def load(self, model: nn.Module, folder: Path, *, anatomy: Anatomy | None = None) -> nn.Module:
        """Read an adapter and heads into a model on the backbone, beside those that are there.

        Args:
            model: The plain model, which contains the backbone or is it.
            folder: The folder that `save_trained` wrote to.
            anatomy: The model's backbones and heads; found by default.

        Returns:
            The model with its adapter.

        Raises:
            EventuneError: If a file is missing, damaged or of another model, or its adapter cannot share a base.
        """
        if not can_share(folder) or recorded_bits(folder) != self._bits:
            raise EventuneError(
                f"{folder}: expected LoRA or (IA)3 on a base in {self._bits or 32} bits, found other trained weights",
                "load the run by itself",
            )
        config = read_adapter_config(folder)
        if starts_from_base(config):
            raise EventuneError(f"{folder}: its initialisation changes the base", "load the run by itself")
        weights = read_weights(folder / ADAPTER_WEIGHTS)
        if not self._names:
            prepare_base(model, anatomy or anatomy_of(model), self._bits)
        name = f"shared-run-{len(self._names)}"
        with fitting(folder):
            adapted: nn.Module = PeftModel(model, config, adapter_name=name)
        heads_to_float32(adapted)
        own = get_peft_model_state_dict(adapted, adapter_name=name, save_embedding_layers=False)
        # PEFT knows the adapters that were attached through this model, not those beside them.
        others = set(self._names.values())
        own = {key: tensor for key, tensor in own.items() if others.isdisjoint(key.split("."))}
        require_same(own, weights, folder / ADAPTER_WEIGHTS)
        copy_weights(adapted, weights, adapter=name)
        self._names[adapted] = name
        self._active = None
        return adapted

    @contextmanager
    def use(self, model: nn.Module) -> Iterator[None]:
        """Let the backbone compute with a model's adapter while the block lasts; nothing is done where it does so."""
        if self._active is not model:
            adapted: PeftModel = model
            adapted.set_adapter(self._names[model], inference_mode=True)
            self._active = model
        yield
