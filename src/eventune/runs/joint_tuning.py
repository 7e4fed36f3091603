"""Tunes the margins of both steps together, for what they find together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eventune.events import Document, Event
from eventune.runs.joining import LoadedSteps, task_of
from eventune.scoring import score


@dataclass(frozen=True, slots=True)
class Tuned:
    """The settings with the best score.

    Attributes:
        detection: The first step's.
        arguments: The second step's.
        found: The documents with the events that both steps find with them; None where nothing was looked for, as there
            was nothing to choose from.
    """

    detection: Any
    arguments: Any
    found: Sequence[Document] | None = None


def tune_together(
    steps: LoadedSteps,
    documents: Sequence[Document],
    *,
    measure: str,
    on_batch: Callable[[int, int], None] | None = None,
) -> Tuned:
    """Try all pairs of margins on annotated documents.

    Triggers are found once with the most generous margins, and arguments once for all of them; what stricter margins
    leave of both is a matter of selection.

    Args:
        steps: The two runs.
        documents: The dev part.
        measure: The measure that counts, one of TextEE's.
        on_batch: Called after each batch of a step, with how many windows or questions of how many are done.

    Returns:
        The settings whose F1, averaged over their neighbours, is best.
    """
    first, second = task_of(steps.detection), task_of(steps.arguments)
    detections, extractions = first.alternatives(), second.alternatives()
    if len(detections) == len(extractions) == 1:
        return Tuned(detections[0], extractions[0])
    bare = [document.with_events(()) for document in documents]
    with steps.detection.active() as model:
        triggers = first.candidates(model, bare, on_batch=on_batch)
    generous = first.chosen(triggers, detections[0])
    with steps.arguments.active() as model:
        fillers = second.candidates(model, generous, on_batch=on_batch)
    kept = [[_triggers(document) for document in first.chosen(triggers, settings)] for settings in detections]
    found = [second.chosen(fillers, settings) for settings in extractions]
    f1 = np.zeros((len(detections), len(extractions)))
    for row, triggers_of in enumerate(kept):
        for column, filled in enumerate(found):
            f1[row, column] = f1_of(documents, _with_triggers(filled, triggers_of), measure)
    row, column = divmod(int(_smoothed(f1).argmax()), len(extractions))
    return Tuned(detections[row], extractions[column], _with_triggers(found[column], kept[row]))


def f1_of(gold: Sequence[Document], predicted: Sequence[Document], measure: str) -> float:
    """Return one of TextEE's end-to-end measures."""
    measures: Mapping[str, Any] = score(gold, predicted, scorer="textee", triggers="predicted").tables["measures"]
    return float(measures[measure]["metrics"]["f1"])


def _with_triggers(documents: Sequence[Document], triggers: Sequence[set[tuple[Any, str]]]) -> list[Document]:
    """Return documents without the events whose triggers are not among those of each."""
    return [
        document.with_events(event for event in document.events if _key(event) in keys)
        for document, keys in zip(documents, triggers, strict=True)
    ]


def _key(event: Event) -> tuple[Any, str]:
    return event.trigger, event.type


def _triggers(document: Document) -> set[tuple[Any, str]]:
    return {_key(event) for event in document.events}


def _smoothed(values: np.ndarray) -> np.ndarray:
    """Average each value with its direct neighbours, the border repeated."""
    padded = np.pad(values, 1, mode="edge")
    smoothed: np.ndarray = np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).mean(axis=(-2, -1))
    return smoothed
