"""Several adapters with their heads on one base: switched in a moment, or side by side in one batch."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from eventune.adapters.anatomy import anatomy_of
from eventune.adapters.attaching import prepare_base
from eventune.adapters.peft_library import (
    ModulesToSaveWrapper,
    PeftConfig,
    PeftModel,
    expected_warnings_ignored,
    get_peft_model_state_dict,
)
from eventune.adapters.store import (
    ADAPTER_WEIGHTS,
    heads_to_float32,
    put,
    read_adapter_config,
    require_same,
)
from eventune.adapters.weight_files import read_weights
from eventune.errors import EventuneError, did_you_mean

BASE = "__base__"
"""Name that stands for the base without an adapter in a mixed batch (PEFT's own)."""


class AdapterBank:
    """Trained adapters and heads on one base, for use.

    Attributes:
        model: The `PeftModel`; None before the first adapter is added.
    """

    def __init__(self, base: nn.Module) -> None:
        """Take a base with untrained heads of the adapters' shapes."""
        self._base = base
        self.model: PeftModel | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the adapters, in the order they were added in."""
        return tuple(self.model.peft_config) if self.model is not None else ()

    def add(self, name: str, folder: Path) -> None:
        """Load an adapter beside the others and switch to it.

        Args:
            name: What to call it.
            folder: The folder that `save_trained` wrote to.

        Raises:
            EventuneError: If the name is taken or cannot be one, or the folder does not hold an adapter for this base.
        """
        if name in self.names:
            raise EventuneError(f"adapter {name!r}: expected a new name, found one of {', '.join(self.names)}")
        # PEFT makes the name a part of module names, and of file names.
        if not name.replace("-", "_").isidentifier() or name == BASE:
            raise EventuneError(f"adapter {name!r}: expected letters, digits, '-' and '_', found another name")
        weights = read_weights(folder / ADAPTER_WEIGHTS)
        config = read_adapter_config(folder)
        if config.is_prompt_learning:
            raise EventuneError(f"{folder}: a prefix cannot share its base", "load the run by itself")
        try:
            model = self._with_place_for(name, config)
            expected = get_peft_model_state_dict(model, adapter_name=name, save_embedding_layers=False)
            require_same(expected, weights, folder / ADAPTER_WEIGHTS)
        except (RuntimeError, ValueError, KeyError, TypeError, EventuneError) as error:
            self._forget(name)
            if isinstance(error, EventuneError):
                raise
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise EventuneError(f"{folder}: the adapter does not fit the base: {reason}") from error
        put(model, weights, adapter=name)
        _mix_any_head(model)
        self.use(name)
        model.eval()

    def use(self, name: str) -> nn.Module:
        """Switch to an adapter.

        Args:
            name: Its name.

        Returns:
            The model, which now answers with this adapter and its heads.

        Raises:
            EventuneError: If there is no such adapter.
        """
        self._require(name)
        assert self.model is not None
        self.model.set_adapter(name, inference_mode=True)
        model: nn.Module = self.model
        return model

    @contextmanager
    def mixed(self, names: Sequence[str]) -> Iterator[Callable[..., Any]]:
        """Let each row of a batch be computed with an adapter of its own.

        Args:
            names: The adapter of each row, or `BASE`.

        Yields:
            A function that is called like the model, with a batch of as many rows.

        Raises:
            EventuneError: If there is no such adapter.
        """
        for name in names:
            if name != BASE:
                self._require(name)
        model = self.model
        if model is None:
            raise EventuneError("no adapter was added yet", "call add first")

        def run(*args: Any, **kwargs: Any) -> Any:
            return model(*args, adapter_names=list(names), **kwargs)

        yield run

    def _with_place_for(self, name: str, config: PeftConfig) -> PeftModel:
        with expected_warnings_ignored():
            if self.model is None:
                prepare_base(self._base, anatomy_of(self._base))
                self.model = PeftModel(self._base, config, adapter_name=name)
            else:
                self.model.add_adapter(name, config)
        heads_to_float32(self.model)
        return self.model

    def _require(self, name: str) -> None:
        if name not in self.names:
            raise EventuneError(
                f"there is no adapter {name!r}",
                did_you_mean(name, self.names) or f"there are: {', '.join(self.names) or 'none yet'}",
            )

    def _forget(self, name: str) -> None:
        if self.model is None:
            return
        if len(self.names) > 1 and name in self.names:
            self.model.delete_adapter(name)
            self.use(self.names[0])
        elif self.names == (name,):
            self._base = self.model.unload()
            self.model = None


class _AnyHead(ModulesToSaveWrapper):  # type: ignore[misc]
    """A head of several adapters whose rows may differ in theirs; PEFT's own knows a few kinds of layers only."""

    def _check_forward_args(self, *args: Any, **kwargs: Any) -> None:
        """Leave it to `_mixed_batch_forward`, which finds the rows in any argument."""

    def _mixed_batch_forward(self, *args: Any, adapter_names: list[str], **kwargs: Any) -> Any:
        parts, rows = [], []
        for name in dict.fromkeys(adapter_names):
            indices = torch.tensor([row for row, other in enumerate(adapter_names) if other == name])
            take = _taker(indices, len(adapter_names))
            head = self.modules_to_save[name] if name != BASE else self.original_module
            parts.append(head(*map(take, args), **{key: take(value) for key, value in kwargs.items()}))
            rows.append(indices)
        return _joined(parts, torch.cat(rows).argsort())


def _mix_any_head(model: nn.Module) -> None:
    for module in model.modules():
        if type(module) is ModulesToSaveWrapper:
            module.__class__ = _AnyHead


def _taker(indices: Tensor, size: int) -> Callable[[Any], Any]:
    def take(value: Any) -> Any:
        if isinstance(value, Tensor) and value.ndim and len(value) == size:
            return value[indices.to(value.device)]
        return value

    return take


def _joined(parts: Sequence[Any], order: Tensor) -> Any:
    """Join the outputs of several adapters' rows, whatever tensors are held in, and restore the rows' order."""
    first = parts[0]
    if isinstance(first, Tensor):
        return torch.cat(list(parts))[order.to(first.device)]
    if dataclasses.is_dataclass(first) and not isinstance(first, Mapping):
        names = [field.name for field in dataclasses.fields(first)]
        make: Any = type(first)
        return make(**{name: _joined([getattr(part, name) for part in parts], order) for name in names})
    if isinstance(first, Mapping):
        return type(first)(**{name: _joined([part[name] for part in parts], order) for name in first})
    if isinstance(first, tuple | list):
        return type(first)(_joined(column, order) for column in zip(*parts, strict=True))
    return first
