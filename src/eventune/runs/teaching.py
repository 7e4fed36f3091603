"""The run that a training learns from beside the annotation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eventune.backbones.placement import Placement
from eventune.errors import EventuneError
from eventune.events import Document, Ontology
from eventune.extraction.decoding import Readings
from eventune.extraction.teaching import Teacher
from eventune.reporter import Reporter
from eventune.runs.opening import load_run, open_run
from eventune.tasks.steps import ARGUMENTS


def teacher_of(run: str, *, placement: Placement, batch_size: int, reporter: Reporter) -> Teacher:
    """Return what reads documents as a finished run does.

    Args:
        run: Its folder, or a name that comes with the package; of one with steps, that which finds arguments is meant.
        placement: Where its model goes; it is loaded to read, and freed.
        batch_size: Events a batch.
        reporter: Shows how much has been read.

    Raises:
        EventuneError: If there is no such run, or it does not score the spans of a text.
    """
    opened = open_run(Path(run))
    if opened.entry.steps:
        opened = open_run(opened.directory.path / ARGUMENTS)
    if not hasattr(opened.entry.load(), "readings"):
        raise EventuneError(
            f"teacher: expected a run that scores the spans of a text, found {run} with task: {opened.entry.name}",
            "take a run with task: extraction, with task: events on an encoder, or an ensemble",
        )

    def read(documents: Sequence[Document], ontology: Ontology) -> Readings:
        loaded = load_run(opened, placement=placement, batch_size=batch_size)
        task: Any = loaded.for_ontology(ontology).task
        with loaded.active() as model, reporter.progress("reading by the teacher") as on_batch:
            readings: Readings = task.readings(model, documents, on_batch=on_batch)
        return readings

    return read
