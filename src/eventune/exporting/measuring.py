"""F1 and speed of a run and of its export, on the same documents."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eventune.events import Document
from eventune.inference.extractor import Extractor
from eventune.scoring.definitions import DEFAULT_SCORER, Scoring, score_model
from eventune.tasks.registry import TaskEntry
from eventune.training.run_directory import RunDirectory


@dataclass(frozen=True, slots=True)
class Measured:
    """What an extractor gave.

    Attributes:
        f1: F1 by the run's own definition.
        documents_per_second: How quick it was.
    """

    f1: float
    documents_per_second: float


@dataclass(frozen=True, slots=True)
class Measuring:
    """Annotated documents, and how a run is scored on them.

    Attributes:
        documents: The documents.
        scoring: The definition.
        detects: Whether the extractors find the events themselves.
    """

    documents: Sequence[Document]
    scoring: Scoring
    detects: bool

    @classmethod
    def of(cls, run: Path, entry: TaskEntry, documents: Sequence[Document]) -> Measuring:
        """Return how a run is measured: as it was when it was trained."""
        scorer = entry.scorer or RunDirectory(run).setting("scorer") or DEFAULT_SCORER
        return cls(documents, Scoring(scorer, entry.triggers), entry.detects)

    def measure(
        self,
        extractor: Extractor,
        on_batch: Callable[[int, int], None] | None = None,
        *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> Measured:
        """Extract from the documents, and score what was found; `clock` tells the seconds."""
        asked = [document.with_events(()) for document in self.documents] if self.detects else self.documents
        started = clock()
        found = extractor.extract_all(asked, on_batch=on_batch)
        seconds = clock() - started
        score: Any = score_model(self.documents, found, self.scoring.scorer, triggers=self.scoring.triggers)
        return Measured(score.f1, len(self.documents) / seconds)
