"""What the trainer asks of a task; tasks match it by shape, not by inheritance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from torch import Tensor, nn


class Task(Protocol):
    """A task that a model is trained for."""

    def length(self, example: Any) -> int:
        """Return an example's length in tokens; batches are built of like lengths."""
        ...

    def collate(self, examples: Sequence[Any]) -> dict[str, Tensor]:
        """Pad examples to a batch; `attention_mask` in it is 1 for every token that is no padding."""
        ...

    def loss(self, model: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the loss of a batch, a scalar."""
        ...

    def num_items(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return how many terms the loss of a batch is the mean of, a scalar."""
        ...

    def evaluate(self, model: nn.Module, *, on_batch: Callable[[int, int], None] | None = None) -> Mapping[str, float]:
        """Return the dev part's metrics as fractions, `f1` among them; `on_batch` hears what is done, of how much."""
        ...
