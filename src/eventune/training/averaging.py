"""An exponential moving average of the trained weights: what is evaluated and saved in place of the last step's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


class WeightAverage(TrainerCallback):
    """Follows a model's trainable parameters: `θ̄ ← d θ̄ + (1 - d) θ` after each step.

    In the first steps the decay is smaller, `min(d, (1 + n) / (10 + n))` at step n, so that the random start is soon
    forgotten (the warm-up of TensorFlow's `ExponentialMovingAverage`).
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.steps = 0
        self._parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self.weights = {name: parameter.detach().clone() for name, parameter in self._parameters.items()}

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Take the step's weights in."""
        self.update()

    @torch.no_grad()
    def update(self) -> None:
        """Take the current weights in."""
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        self.steps += 1
        current = [parameter.detach() for parameter in self._parameters.values()]
        torch._foreach_lerp_(list(self.weights.values()), current, 1.0 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the average into the model for the length of the block."""
        current = {name: parameter.detach().clone() for name, parameter in self._parameters.items()}
        self._write(self.weights)
        try:
            yield
        finally:
            self._write(current)

    def apply(self) -> None:
        """Put the average into the model for good."""
        self._write(self.weights)

    def state(self) -> dict[str, Tensor]:
        """Return the average and its step count as tensors."""
        return {**self.weights, "steps": torch.tensor(self.steps)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` returned."""
        self.steps = int(state["steps"])
        for name, weight in self.weights.items():
            weight.copy_(state[name])

    @torch.no_grad()
    def _write(self, weights: Mapping[str, Tensor]) -> None:
        for name, parameter in self._parameters.items():
            parameter.copy_(weights[name])
