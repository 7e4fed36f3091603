"""States below the lowest trained block of a base, computed once for all epochs.

Where only the top blocks of a stack are trained, what lies below gives the same states in every epoch, as long as
nothing there changes: no dropout, no masked words, no trained marks. They are kept in half precision (in bfloat16
where the base computes in it), in memory or, where there are many, in a mapped file; a training step then costs the top
blocks alone (AutoFreeze, Liu et al. 2021, arXiv:2102.01386, caches in this way).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import accumulate
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from eventune.errors import EventuneError

IN_MEMORY = 2**31
"""Bytes of states beyond which they are kept in a file."""
_ROWS = 32
"""Examples that are read at once."""


class _ReachedError(Exception):
    """The states are there; what lies above need not be computed."""


class LowerStates:
    """What goes into the lowest trained block for each example.

    Attributes:
        after_epochs: Epochs before in which all blocks are trained.
    """

    def __init__(self, blocks: Sequence[nn.Module], trained: int, *, folder: Path, after_epochs: int = 0) -> None:
        """Choose the place of the cut.

        Args:
            blocks: The base's blocks, the lowest first.
            trained: How many of them are trained, counted from the top.
            folder: Where a file of states may be put while the training goes on.
            after_epochs: Epochs before in which all blocks are trained.
        """
        self.after_epochs = after_epochs
        self._below, self._lowest = list(blocks)[: len(blocks) - trained], blocks[len(blocks) - trained]
        self._folder = folder
        self._file: Any = None
        self._ends: list[int] = []
        self._states = torch.empty(0)
        # What the blocks return behind the states, such as attention weights; None where it is the states alone.
        self._beside: int | None = None

    @property
    def computed(self) -> bool:
        """Whether the states are there."""
        return bool(self._ends)

    @property
    def untrained(self) -> int:
        """Parameters that would be trained if it were not for the cut."""
        return sum(p.numel() for block in self._below for p in block.parameters() if p.requires_grad)

    @torch.no_grad()
    def compute(self, lengths: Sequence[int], read: Callable[[Sequence[int]], None]) -> None:
        """Compute the states of all examples.

        Args:
            lengths: Tokens of each example.
            read: Runs the model on some of the examples, by their indices; padding stands behind.

        Raises:
            EventuneError: If a state is beyond the range of half precision.
        """
        self._ends = list(accumulate(lengths))
        order = sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)
        found: list[Tensor] = []

        def keep(module: nn.Module, args: tuple[Any, ...]) -> None:  # noqa: ARG001
            found.append(args[0])
            raise _ReachedError

        def remember_form(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:  # noqa: ARG001
            self._beside = len(output) - 1 if isinstance(output, tuple) else None

        hooks = [self._lowest.register_forward_pre_hook(keep), self._below[-1].register_forward_hook(remember_form)]
        try:
            for start in range(0, len(order), _ROWS):
                chosen = order[start : start + _ROWS]
                found.clear()
                with suppress(_ReachedError):
                    read(chosen)
                if not start:
                    self._states = self._storage(found[0])
                for row, index in enumerate(chosen):
                    self._of(index).copy_(found[0][row, : lengths[index]])
                    if not self._of(index).isfinite().all():
                        raise EventuneError(
                            "trained_layers: expected states within the range of half precision, found greater ones "
                            "below the lowest trained block",
                            "cut elsewhere, or train all layers: trained_layers: 0",
                        )
        finally:
            for hook in hooks:
                hook.remove()

    @contextmanager
    def in_place(self, chosen: Sequence[int], width: int) -> Iterator[None]:
        """Let the model read kept states in place of computing them, once, in the block.

        Args:
            chosen: The examples of the batch.
            width: Tokens that the batch is padded to.
        """
        device = next(self._lowest.parameters()).device
        states = torch.zeros(len(chosen), width, self._states.shape[-1], dtype=self._states.dtype)
        for row, index in enumerate(chosen):
            own = self._of(index)
            states[row, : len(own)] = own
        states = states.to(device)

        def kept(given: Tensor, *args: Any, **kwargs: Any) -> Tensor | tuple[Tensor | None, ...]:  # noqa: ARG001
            return self._pass_on(states.to(given.dtype))

        # Blocks that are computed again in the backward pass would be so when they are no longer stood for.
        recomputed: list[Any] = [block for block in self._below if getattr(block, "gradient_checkpointing", False)]
        for block in self._below:
            block.forward = self._pass_on
        self._below[-1].forward = kept
        for block in recomputed:
            block.gradient_checkpointing = False
        try:
            yield
        finally:
            for block in self._below:
                del block.forward
            for block in recomputed:
                block.gradient_checkpointing = True

    def _pass_on(self, states: Tensor, *args: Any, **kwargs: Any) -> Tensor | tuple[Tensor | None, ...]:  # noqa: ARG002
        """Stand for a block that need not be computed, in the form of what it returns."""
        return states if self._beside is None else (states, *[None] * self._beside)

    def _of(self, index: int) -> Tensor:
        return self._states[self._ends[index - 1] if index else 0 : self._ends[index]]

    def _storage(self, like: Tensor) -> Tensor:
        dtype = torch.bfloat16 if like.dtype == torch.bfloat16 else torch.float16
        shape = (self._ends[-1], size := like.shape[-1])
        if 2 * shape[0] * size <= IN_MEMORY:
            return torch.empty(shape, dtype=dtype)
        # It lives as long as the states do.
        self._file = tempfile.NamedTemporaryFile(dir=self._folder, suffix=".states")  # noqa: SIM115
        return torch.from_file(self._file.name, shared=True, size=shape[0] * size, dtype=dtype).view(shape)
