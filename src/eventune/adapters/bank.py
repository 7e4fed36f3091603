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
from eventune.adapters.configuration import fitting
from eventune.adapters.methods import method_of_peft
from eventune.adapters.peft_library import (
    ModulesToSaveWrapper,
    PeftConfig,
    PeftModel,
)
from eventune.adapters.sharing import fill, read_shareable
from eventune.adapters.store import heads_to_float32
from eventune.errors import EventuneError, did_you_mean

BASE = "__base__"
"""Name that stands for the base without an adapter in a mixed batch (PEFT's own)."""


class AdapterBank:
    """Trained adapters and heads on one base, for use.

    Attributes:
        model: The `PeftModel`; None before the first adapter is added.
    """

    def __init__(self, base: nn.Module, *, quantization_bit: int = 0) -> None:
        """Take a base with untrained heads of the adapters' shapes; 4 or 8 bits for adapters of a quantised one."""
        self._base = base
        self._bits = quantization_bit
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
        config, weights = read_shareable(folder, self._bits)
        try:
            with fitting(folder):
                model = self._with_place_for(name, config)
            fill(model, weights, folder, adapter=name)
        except EventuneError:
            self._forget(name)
            raise
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
            EventuneError: If there is no such adapter, it is of a kind whose layers cannot be mixed, or a head's output
                has no row for each example.
        """
        model = self.model
        if model is None:
            raise EventuneError("no adapter was added yet", "call add first")
        for name in dict.fromkeys(names):
            if name != BASE:
                self._require(name)
                _require_mixable(name, model.peft_config[name])

        def run(*args: Any, **kwargs: Any) -> Any:
            try:
                return model(*args, adapter_names=list(names), **kwargs)
            except (ValueError, TypeError) as error:
                raise EventuneError(
                    f"this batch cannot be mixed: {error}", "use one adapter after the other"
                ) from error

        yield run

    def _with_place_for(self, name: str, config: PeftConfig) -> PeftModel:
        if self.model is None:
            prepare_base(self._base, anatomy_of(self._base), self._bits)
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


def _require_mixable(name: str, config: Any) -> None:
    """Refuse kinds whose layers pass over the adapters' names, or fail on them."""
    kind = config.peft_type.value
    method = method_of_peft(kind)
    reasons = {
        kind: method is None or not method.mixes,
        "DoRA": getattr(config, "use_dora", False),
        "experts' adapters": getattr(config, "target_parameters", None),
    }
    what = next((reason for reason, holds in reasons.items() if holds), "")
    if what:
        raise EventuneError(f"adapter {name!r}: {what} cannot be mixed in a batch", "use one adapter after the other")


class _AnyHead(ModulesToSaveWrapper):  # type: ignore[misc]
    """A head of several adapters whose rows may differ in theirs; PEFT's own knows a few kinds of layers only."""

    def _check_forward_args(self, *args: Any, **kwargs: Any) -> None:
        """Leave it to `_mixed_batch_forward`, which looks at the outputs."""

    def _mixed_batch_forward(self, *args: Any, adapter_names: list[str], **kwargs: Any) -> Any:
        # Each head reads the whole batch: which of its inputs have a row for each example only the head knows.
        outputs = {name: self._head_of(name)(*args, **kwargs) for name in dict.fromkeys(adapter_names)}
        return _chosen(list(outputs.values()), list(outputs), adapter_names)

    def _head_of(self, name: str) -> nn.Module:
        if name in self.modules_to_save:
            return self.modules_to_save[name]  # type: ignore[no-any-return]
        return self.original_module  # type: ignore[no-any-return]


def _mix_any_head(model: nn.Module) -> None:
    for module in model.modules():
        if type(module) is ModulesToSaveWrapper:
            module.__class__ = _AnyHead


def _chosen(outputs: Sequence[Any], names: Sequence[str], rows: Sequence[str]) -> Any:
    """Take each row of a batch from the output of its adapter's head, whatever tensors are held in."""
    first = outputs[0]
    if isinstance(first, Tensor):
        return _chosen_rows(outputs, names, rows)
    if dataclasses.is_dataclass(first) and not isinstance(first, Mapping):
        fields = [field.name for field in dataclasses.fields(first)]
        make: Any = type(first)
        return make(**{name: _chosen([getattr(one, name) for one in outputs], names, rows) for name in fields})
    if isinstance(first, Mapping):
        return type(first)(**{name: _chosen([one[name] for one in outputs], names, rows) for name in first})
    if isinstance(first, tuple | list):
        return type(first)(_chosen(column, names, rows) for column in zip(*outputs, strict=True))
    return first


def _chosen_rows(outputs: Sequence[Tensor], names: Sequence[str], rows: Sequence[str]) -> Tensor:
    size = len(outputs[0]) if outputs[0].ndim else 0
    if size == 0 or size % len(rows):
        raise EventuneError(
            f"expected a head's output with a row, or equally many rows, for each of {len(rows)} examples, found shape "
            f"{tuple(outputs[0].shape)}",
            "such a head cannot be mixed: use one adapter after the other",
        )
    each = size // len(rows)
    mixed = outputs[0].clone()
    for name, output in zip(names, outputs, strict=True):
        mine = torch.tensor([row == name for row in rows], device=output.device).repeat_interleave(each)
        mixed[mine] = output[mine]
    return mixed
