"""Shows a training run as it goes: a bar on terminals, one row an epoch everywhere."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from eventune.cli.output import notify, status

DELAY_SECONDS = 2.0
"""What takes less shows no bar."""


class TrainingBar(TrainerCallback):
    """Shows a bar while the steps go by."""

    def __init__(self) -> None:
        self._bar: Progress | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Start the bar."""
        if status.is_terminal:
            self._bar = _bar()
            self._bar.add_task("training", total=state.max_steps, completed=state.global_step)
            self._bar.start()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=state.global_step)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Take the bar away."""
        self.close()

    def close(self) -> None:
        """Take the bar away, if there is one, and give the cursor back."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


class EpochRows(TrainingBar):
    """Prints epoch, seconds, loss, and precision, recall and F1 in percent as each epoch ends."""

    def __init__(self) -> None:
        super().__init__()
        self._row: dict[str, Any] = {}
        self._header_is_out = False

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Gather an epoch's figures, and print the row once they are complete."""
        logs = logs or {}
        if "loss" in logs:
            self._row = dict(logs)
        self._row |= {name: value for name, value in logs.items() if name.startswith("eval_")}
        waits_for_dev = args.eval_strategy != "no" and "eval_f1" not in self._row
        if "loss" in self._row and not waits_for_dev:
            self._print(round(state.epoch or 0))
            self._row = {}

    def _print(self, epoch: int) -> None:
        if not self._header_is_out:
            # 40 columns, the width of half a terminal.
            status.print(f"{'epoch':>5} {'sec':>6} {'loss':>6} {'P':>6} {'R':>6} {'F1':>6}", style="bold")
            self._header_is_out = True
        row, dev = self._row, [self._row.get(f"eval_{name}") for name in ("precision", "recall", "f1")]
        figures = " ".join(f"{100 * value:6.2f}" if value is not None else f"{'-':>6}" for value in dev)
        status.print(f"{epoch:5d} {row['train_seconds']:6.1f} {row['loss']:6.3f} {figures}")


class StepRows(TrainingBar):
    """Prints step, epoch and loss whenever they are logged, and what an evaluation gives."""

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Print the figures."""
        shown = {
            name: value
            for name, value in (logs or {}).items()
            if name in {"loss", "learning_rate"} or name.startswith("eval_")
        }
        if shown:
            figures = "  ".join(f"{name.removeprefix('eval_')} {value:.4g}" for name, value in shown.items())
            label = "dev" if any(name.startswith("eval_") for name in shown) else ""
            status.print(f"{state.global_step:6d}/{state.max_steps} {label} {figures}")


class TerminalReporter:
    """Prints notices to stderr and shows the training; close it, however the training ends."""

    def __init__(self, rows: type[TrainingBar] = EpochRows) -> None:
        self._kind = rows
        self._rows: list[TrainingBar] = []

    def notice(self, message: str) -> None:
        """Print a notice."""
        notify(message)

    def callbacks(self) -> Sequence[TrainerCallback]:
        """Return the rows that show the training."""
        self._rows.append(self._kind())
        return self._rows[-1:]

    def close(self) -> None:
        """Take away the bar of a training that was broken off."""
        for rows in self._rows:
            rows.close()


class DelayedBar:
    """A bar that appears only when the work takes longer than two seconds."""

    def __init__(self, progress: Progress, total: int | None, label: str) -> None:
        self._progress = progress
        self._started = time.monotonic()
        self._task = progress.add_task(label, total=total)
        self._is_shown = False

    def advance(self, steps: int = 1) -> None:
        """Move the bar."""
        self._progress.advance(self._task, steps)
        if status.is_terminal and not self._is_shown and time.monotonic() - self._started > DELAY_SECONDS:
            self._progress.start()
            self._is_shown = True

    def stop(self) -> None:
        """Take the bar away; one that was never shown would leave an empty line."""
        if self._is_shown:
            self._progress.stop()


@contextmanager
def delayed_bar(label: str, *, total: int | None) -> Iterator[DelayedBar]:
    """Show a bar for work that takes longer than two seconds.

    Args:
        label: What is being done.
        total: How many steps there are; None if unknown.

    Yields:
        The bar, to be advanced.
    """
    bar = DelayedBar(_bar(), total, label)
    try:
        yield bar
    finally:
        bar.stop()


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=status,
        transient=True,
    )
