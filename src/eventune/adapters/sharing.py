"""One backbone in memory that carries the adapters of several models, each with heads of its own shapes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from torch import Tensor, nn

from eventune.adapters.anatomy import Anatomy, anatomy_of
from eventune.adapters.attaching import prepare_base
from eventune.adapters.changed_base import starts_from_base
from eventune.adapters.configuration import fitting, read_adapter_config, read_adapter_fields
from eventune.adapters.methods import ADAPTER_CONFIG, ADAPTER_WEIGHTS, method_of_peft, names_of
from eventune.adapters.peft_library import (
    BaseTunerLayer,
    PeftConfig,
    PeftModel,
    expected_warnings_ignored,
    get_peft_model_state_dict,
)
from eventune.adapters.store import copy_weights, heads_to_float32, recorded_bits, require_same
from eventune.adapters.weight_files import read_weights
from eventune.errors import EventuneError
from eventune.storage.paths import exists

SHARING = names_of(lambda method: method.shares_base)
"""What lies beside the base's own layers; what changes the base itself cannot share it."""


def can_share(folder: Path) -> bool:
    """Tell whether a folder's trained weights leave the base as it is, so that others can be computed on it, too."""
    if not exists(folder / ADAPTER_CONFIG):
        return False
    fields = read_adapter_fields(folder)
    method = method_of_peft(fields.peft_type)
    # Biases that are trained are the base's own.
    return method is not None and method.shares_base and getattr(fields, "bias", "none") == "none"


def read_shareable(folder: Path, bits: int) -> tuple[PeftConfig, dict[str, Tensor]]:
    """Read an adapter that can lie on a base beside others.

    Args:
        folder: The folder that `save_trained` wrote to.
        bits: In how many bits the base is; 0 for one that is not quantised.

    Returns:
        Its configuration and its weights.

    Raises:
        EventuneError: If a file is missing or damaged, or the adapter cannot share such a base.
    """
    weights, config = read_weights(folder / ADAPTER_WEIGHTS), read_adapter_config(folder)
    found = recorded_bits(folder)
    if not can_share(folder):
        raise EventuneError(
            f"{folder}: expected {SHARING}, found {config.peft_type.value}, which cannot share its base",
            "load the run by itself",
        )
    if starts_from_base(config):
        raise EventuneError(
            f"{folder}: its initialisation ({config.init_lora_weights}) changes the base that the others share",
            "save it with eventune's save_trained, which makes an ordinary adapter of it",
        )
    if found != bits:
        raise EventuneError(
            f"{folder}: expected an adapter of a base in {bits or 32} bits, found one of {found or 32} bits",
            "load it by itself, or on a base with the same quantization_bit",
        )
    return config, weights


def fill(
    model: PeftModel, weights: Mapping[str, Tensor], folder: Path, *, adapter: str, others: Collection[str] = ()
) -> None:
    """Put the weights of a folder's adapter into a model that has a place for them.

    Args:
        model: The model.
        weights: The folder's weights.
        folder: The folder.
        adapter: What the adapter is called in the model.
        others: Adapters of other models on the same layers.

    Raises:
        EventuneError: If they are another model's.
    """
    own = get_peft_model_state_dict(model, adapter_name=adapter, save_embedding_layers=False)
    own = {name: tensor for name, tensor in own.items() if set(others).isdisjoint(name.split("."))}
    require_same(own, weights, folder / ADAPTER_WEIGHTS)
    copy_weights(model, weights, adapter=adapter)


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
        config, weights = read_shareable(folder, self._bits)
        if not self._names:
            prepare_base(model, anatomy or anatomy_of(model), self._bits)
        name = f"shared-run-{len(self._names)}"
        adapted: nn.Module | None = None
        try:
            with fitting(folder):
                adapted = PeftModel(model, config, adapter_name=name)
            heads_to_float32(adapted)
            # PEFT knows the adapters that were attached through this model, not those beside them.
            fill(adapted, weights, folder, adapter=name, others=self._names.values())
        except EventuneError:
            self._forget(name, adapted)
            raise
        self._names[adapted] = name
        self._active = None
        return adapted

    def _forget(self, name: str, adapted: nn.Module | None) -> None:
        """Take an adapter that could not be loaded off the base: the next one gets its name."""
        self._active = None
        peft: PeftModel = adapted
        with expected_warnings_ignored():
            if adapted is not None and not self._names:
                peft.unload()
            elif adapted is not None:
                peft.delete_adapter(name)
            else:
                # PEFT stopped at a layer that it cannot adapt; those before it have the adapter.
                for layer in self._backbone.modules():
                    if isinstance(layer, BaseTunerLayer):
                        layer.delete_adapter(name)

    @contextmanager
    def use(self, model: nn.Module) -> Iterator[None]:
        """Let the backbone compute with a model's adapter while the block lasts; nothing is done where it does so."""
        if self._active is not model:
            adapted: PeftModel = model
            adapted.set_adapter(self._names[model], inference_mode=True)
            self._active = model
        yield
