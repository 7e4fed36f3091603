"""Shows how a command goes on: bars on a terminal, a line a minute elsewhere, and one row an epoch everywhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from eventune.cli.output import notify, status

DELAY_SECONDS = 2.0
"""What takes less shows no bar."""
SILENCE_SECONDS = 60.0
"""Without a terminal, so often a line says how far the work is."""
FORECAST_STEPS, FORECAST_SECONDS = 4, 20.0
"""After so many steps, or as soon as they took so long, it is said how long all will take."""
LONG_SECONDS = 60.0
"""What takes less needs no forecast."""


class Bars:
    """The bars of a command, one below the other; without a terminal, lines in their place."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._bars: Progress | None = None

    def start(self, label: str, *, total: int | None = None, done: int = 0, delay: float = DELAY_SECONDS) -> Bar:
        """Return a bar for some work.

        Args:
            label: What is done.
            total: How many steps it has; None if that is not known yet.
            done: How many were done before.
            delay: Seconds without a bar, for work that may take less.
        """
        return Bar(self, label, total=total, done=done, delay=delay)

    def shown(self) -> Progress:
        """Return rich's bars, on the screen."""
        if self._bars is None:
            self._bars = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                # A batch may take minutes.
                TimeRemainingColumn(),
                console=status,
                transient=True,
                speed_estimate_period=3600,
            )
            self._bars.start()
        return self._bars

    def close(self) -> None:
        """Take all bars away and give the cursor back."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None


class Bar:
    """How far some work is: a bar on a terminal, else a line a minute."""

    def __init__(self, bars: Bars, label: str, *, total: int | None, done: int, delay: float) -> None:
        self.label, self.total, self.done = label, total, done
        self._bars, self._delay, self._before = bars, delay, done
        self._started = self._said = bars.clock()
        self._first: tuple[float, int] | None = None
        self._task: Any = None
        if not delay:
            self.update(done)

    def advance(self, steps: int = 1) -> None:
        """Hear that some steps were done."""
        self.update(self.done + steps)

    def update(self, done: int, total: int | None = None) -> None:
        """Hear how much is done, and of how much if that has changed."""
        self.done, self.total = done, self.total if total is None else total
        now = self._bars.clock()
        if self._first is None and done > self._before:
            # The longest batches come first: what they took says little of the rest.
            self._first = now, done
        if status.is_terminal:
            if now - self._started >= self._delay:
                self._show()
        elif now - self._said >= SILENCE_SECONDS:
            self._said = now
            notify(self._line(now))

    def close(self) -> None:
        """Take the bar away."""
        if self._task is not None:
            self._bars.shown().remove_task(self._task)
            self._task = None
            if not self._bars.shown().tasks:
                self._bars.close()

    def _show(self) -> None:
        bars = self._bars.shown()
        if self._task is None:
            self._task = bars.add_task(self.label, total=self.total, completed=self._before)
        bars.update(self._task, completed=self.done, total=self.total)

    def _line(self, now: float) -> str:
        if self.total is None:
            return f"{self.label}: {self.done:,} so far, after {duration(now - self._started)}"
        line = f"{self.label}: {self.done:,} of {self.total:,}"
        if self._first is not None and self._first[1] < self.done < self.total:
            since, before = self._first
            line += f", about {duration((now - since) / (self.done - before) * (self.total - self.done))} left"
        return line


def duration(seconds: float) -> str:
    """Return a time in words, as exactly as an estimate may be given."""
    minutes = round(seconds / 60)
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 24 else f"{hours // 24} d {hours % 24} h"


class Forecast:
    """Tells after the first steps of a training how long all of them will take, without evaluation."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._begun = 0.0
        self._seconds: list[float] = []
        self._is_told = False

    def begin_step(self) -> None:
        """Hear that a step begins."""
        self._begun = self._clock()

    def end_step(self, label: str, *, left: int, steps: float, epochs: float) -> None:
        """Hear that it ended, and tell the forecast as soon as there is one.

        Args:
            label: What is done.
            left: Steps that are left.
            steps: Steps of the whole training.
            epochs: Its epochs.
        """
        if self._is_told:
            return
        self._seconds.append(self._clock() - self._begun)
        # The first step has the longest batch, and warms up.
        counted = self._seconds[1:]
        if counted and (len(counted) >= FORECAST_STEPS or sum(counted) >= FORECAST_SECONDS):
            self._is_told = True
            step = sum(counted) / len(counted)
            if step * left >= LONG_SECONDS:
                epoch = f"{duration(step * steps / epochs)} an epoch, " if epochs > 1 else ""
                notify(f"{label}: about {epoch}{duration(step * left)} in all, evaluation not counted")


class TrainingBar(TrainerCallback):
    """Shows a bar while the steps go by, and another one while the dev part is evaluated."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._forecast = Forecast(bars.clock)
        self._training: Bar | None = None
        self._evaluation: Bar | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Start the bar."""
        label = args.run_name or "training"
        self._training = self._bars.start(label, total=state.max_steps, done=state.global_step, delay=0.0)

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Start the clock."""
        self._forecast.begin_step()

    def on_substep_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Give a sign of life within a step of many batches."""
        if self._training is not None:
            self._training.update(state.global_step)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Move the bar."""
        if self._training is not None:
            left = state.max_steps - state.global_step
            self._forecast.end_step(
                self._training.label, left=left, steps=state.max_steps, epochs=state.num_train_epochs
            )
            self._training.update(state.global_step)

    def on_prediction_step(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        *,
        done: int = 0,
        total: int = 0,
        **kwargs: Any,
    ) -> None:
        """Move the bar of the evaluation."""
        if self._evaluation is None:
            self._evaluation = self._bars.start("evaluating", total=total)
        self._evaluation.update(done, total)

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Take the bar of the evaluation away."""
        if self._evaluation is not None:
            self._evaluation.close()
            self._evaluation = None

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Take the bar away."""
        if self._training is not None:
            self._training.close()
            self._training = None


class EpochRows(TrainingBar):
    """Prints epoch, seconds, loss, and precision, recall and F1 in percent as each epoch ends."""

    def __init__(self, bars: Bars) -> None:
        super().__init__(bars)
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
        self._bars = Bars()

    def notice(self, message: str) -> None:
        """Print a notice."""
        notify(message)

    def callbacks(self) -> Sequence[TrainerCallback]:
        """Return the rows that show the training."""
        return (self._kind(self._bars),)

    @contextmanager
    def progress(self, label: str) -> Iterator[Callable[[int, int], None]]:
        """Show a bar for some work of a run."""
        bar = self._bars.start(label)
        try:
            yield bar.update
        finally:
            bar.close()

    def close(self) -> None:
        """Take away the bars of a run that was broken off."""
        self._bars.close()


@contextmanager
def delayed_bar(label: str, *, total: int | None) -> Iterator[Bar]:
    """Show a bar for work that takes longer than two seconds.

    Args:
        label: What is being done.
        total: How many steps there are; None if unknown.

    Yields:
        The bar, to be advanced or updated.
    """
    bars = Bars()
    try:
        yield bars.start(label, total=total)
    finally:
        bars.close()
