"""Who hears of a run's course."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from transformers import TrainerCallback


class Reporter(Protocol):
    """Hears what happens during a run; the command line shows it."""

    def notice(self, message: str) -> None:
        """Hear something that the user should know."""
        ...

    def callbacks(self) -> Sequence[TrainerCallback]:
        """Return callbacks that show the training's progress."""
        ...


class SilentReporter:
    """Shows nothing."""

    def notice(self, message: str) -> None:
        """Drop the message."""

    def callbacks(self) -> Sequence[TrainerCallback]:
        """Return no callbacks."""
        return ()
