"""Bars for work that takes long: on a terminal, else a line a minute."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from eventune.cli.output import notify, status

DELAY_SECONDS = 2.0
"""What takes less shows no bar."""
SILENCE_SECONDS = 60.0
"""Without a terminal, so often a line says how far the work is."""


class Bars:
    """The bars of a command, one below the other; without a terminal, lines in their place."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._bars: Progress | None = None

    def start(
        self, label: str, *, total: int | None = None, done: int = 0, delay: float = DELAY_SECONDS, unit: str = ""
    ) -> Bar:
        """Return a bar for some work.

        Args:
            label: What is done.
            total: How many steps it has; None if that is not known yet.
            done: How many were done before.
            delay: Seconds without a bar, for work that may take less.
            unit: What is counted, where it is of interest how many are done in a second.
        """
        return Bar(self, label, total=total, done=done, delay=delay, unit=unit)

    def shown(self) -> Progress:
        """Return rich's bars, on the screen."""
        if self._bars is None:
            self._bars = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
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

    def __init__(self, bars: Bars, label: str, *, total: int | None, done: int, delay: float, unit: str = "") -> None:
        self.label, self.total, self.done, self._unit = label, total, done, unit
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
            self._task = bars.add_task(self.label, total=self.total, completed=self._before, rate="")
        bars.update(self._task, completed=self.done, total=self.total, rate=self._rate(self._bars.clock()))

    def _rate(self, now: float) -> str:
        """Return how many are done in a second, since the first were."""
        if not self._unit or self._first is None or now <= self._first[0]:
            return ""
        return f"{(self.done - self._first[1]) / (now - self._first[0]):.3g} {self._unit}/s"

    def _line(self, now: float) -> str:
        rate = self._rate(now)
        if self.total is None:
            line = f"{self.label}: {self.done:,} so far, after {duration(now - self._started)}"
            return f"{line}, {rate}" if rate else line
        line = f"{self.label}: {self.done:,} of {self.total:,}"
        line += f", {rate}" if rate else ""
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


@contextmanager
def delayed_bar(label: str, *, total: int | None, unit: str = "") -> Iterator[Bar]:
    """Show a bar for work that takes longer than two seconds.

    Args:
        label: What is being done.
        total: How many steps there are; None if unknown.
        unit: See `Bars.start`.

    Yields:
        The bar, to be advanced or updated.
    """
    bars = Bars()
    try:
        yield bars.start(label, total=total, unit=unit)
    finally:
        bars.close()
