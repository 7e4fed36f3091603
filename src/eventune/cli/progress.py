"""Shows how a training goes on: a bar for the steps, and one row an epoch everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from eventune.cli.bars import Bar, Bars, duration
from eventune.cli.output import notify, status

FORECAST_STEPS, FORECAST_SECONDS = 4, 20.0
"""After so many steps, or as soon as they took so long, it is said how long all will take."""
LONG_SECONDS = 60.0
"""What takes less needs no forecast."""


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
