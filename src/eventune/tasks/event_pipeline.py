"""`task: events`: what a run of two steps holds beside the steps' own run directories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from eventune.extraction.decoding import Choice
from eventune.extraction.detection.decoding import TriggerMargins
from eventune.training import run_directory as names


@dataclass(frozen=True, kw_only=True)
class PipelineSettings:
    """What a run's `events.json` holds.

    Attributes:
        task: Name of the task.
        method: What was trained.
        measure: What the margins were tuned for together.
        detection: The first step's margins in the pipeline; its own run directory has those of the step alone. None
            where they are its own: a causal LM's are not tuned again.
        arguments: The second step's, likewise.
        ontology_bytes: Size of the ontology's file.
    """

    task: Literal["events"] = "events"
    method: str
    measure: str
    detection: TriggerMargins | None
    arguments: Choice | None = None
    ontology_bytes: int = 0


class EventPipeline:
    """Names what opens a run of two steps."""

    Settings: ClassVar[type[Any]] = PipelineSettings

    @classmethod
    def files(cls, settings: PipelineSettings) -> Sequence[str]:  # noqa: ARG003
        """Return the files, beside the settings, without which a run cannot be opened."""
        return (names.ONTOLOGY,)
