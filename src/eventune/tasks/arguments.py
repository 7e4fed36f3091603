"""What the model is trained for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from eventune.errors import InvalidValueError, did_you_mean
from eventune.tasks.registry import tasks_of


@dataclass(kw_only=True)
class TaskArguments:
    """The task."""

    task: str = field(
        default="extraction",
        metadata={"help": "; ".join(f"{entry.name}: {entry.summary}" for entry in tasks_of("train"))},
    )

    def problems(self) -> Iterator[InvalidValueError]:
        """Yield an error if there is no such task."""
        names = [entry.name for entry in tasks_of("train")]
        if self.task not in names:
            yield InvalidValueError("task", " or ".join(names), repr(self.task), did_you_mean(self.task, names))
