"""Who hears of a run's course."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from transformers import TrainerCallback

OnBatch = Callable[[int, int], None]
"""Hears, batch by batch, how much is done, and of how much."""


class Reporter(Protocol):
    """Hears what happens during a run; the command line shows it."""

    def notice(self, message: str) -> None:
        """Hear something that the user should know."""
        ...

    def callbacks(self) -> Sequence[TrainerCallback]:
        """Return callbacks that show the training's progress.

        While the dev part is evaluated, `on_prediction_step` hears how much of it is `done`, and of what `total`.
        """
        ...

    def progress(self, label: str) -> AbstractContextManager[OnBatch | None]:
        """Return a block in which work of that name is done, and what hears of it."""
        ...


class SilentReporter:
    """Shows nothing."""

    def notice(self, message: str) -> None:
        """Drop the message."""

    def callbacks(self) -> Sequence[TrainerCallback]:
        """Return no callbacks."""
        return ()

    def progress(self, label: str) -> AbstractContextManager[None]:  # noqa: ARG002
        """Return a block in which nobody hears anything."""
        return nullcontext()
