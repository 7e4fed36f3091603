"""The run that a training learns from beside the annotation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from eventune.backbones.placement import Placement
from eventune.corpora.arguments import DataArguments
from eventune.errors import EventuneError
from eventune.events import Document, Ontology
from eventune.extraction.decoding import Readings
from eventune.extraction.teaching import Teacher
from eventune.recipe import Recipe
from eventune.reporter import Reporter
from eventune.runs.opening import OpenRun, load_run, member_folders, open_run_with
from eventune.runs.splits import SPLIT_BY
from eventune.storage.paths import is_file
from eventune.tasks.registry import READINGS, TEACHING
from eventune.training import run_directory as names


def require_teachers(recipe: Recipe) -> None:
    """Refuse a teacher that cannot teach what is trained, or that has seen what it is scored on.

    Args:
        recipe: The run's recipe; of one with steps, each step's teacher is looked at.

    Raises:
        EventuneError: If there is no such run, it scores no spans, it was trained on another split of the same
            documents, or the recipe has what no teacher reads.
    """
    for own in recipe.steps.values() or [recipe]:
        if not own.optimisation.teacher:
            continue
        reading = own.own["extraction"]
        if reading.extractor != "joint" or own.data.further_corpora:
            found = "further_corpora" if own.data.further_corpora else f"extractor: {reading.extractor}"
            raise EventuneError(
                f"teacher: expected extractor: joint and no further_corpora, found {found}",
                "a teacher reads the first corpus alone, and asks for all roles at once; leave one of the two out",
            )
        opened = open_run_with(Path(own.optimisation.teacher), TEACHING)
        for folder in _trained_in(opened):
            if is_file(folder / names.RECIPE):
                _require_same_split(own.data, Recipe.read(folder / names.RECIPE).data, own.optimisation.teacher)


def _trained_in(opened: OpenRun) -> list[Path]:
    return [opened.directory.path] if READINGS in opened.entry.traits else member_folders(opened)


def _require_same_split(own: DataArguments, of_teacher: DataArguments, teacher: str) -> None:
    hint = "train the teacher with the settings that split this run's documents, so that it has not seen what is scored"
    if of_teacher.train_file and of_teacher.train_file in {own.dev_file, own.test_file}:
        raise EventuneError(f"teacher: {teacher} was trained on {of_teacher.train_file}, which is scored here", hint)
    if of_teacher.train_file == own.train_file:
        for name in SPLIT_BY:
            expected, found = getattr(own, name), getattr(of_teacher, name)
            if expected != found:
                raise EventuneError(
                    f"teacher: expected {teacher} to be trained on this split, with {name}: {expected!r}, found "
                    f"{found!r}",
                    hint,
                )


def teacher_of(run: str, *, device: str, batch_size: int, reporter: Reporter) -> Teacher:
    """Return what reads documents as a finished run does; it draws no random numbers that the training would.

    Args:
        run: Its folder, or a name that comes with the package; of one with steps, that which finds arguments is meant.
        device: Where its model goes, in its own type; it is loaded to read, and freed.
        batch_size: Events a batch.
        reporter: Shows how much has been read.
    """
    opened = open_run_with(Path(run), TEACHING)

    def read(documents: Sequence[Document], ontology: Ontology) -> Readings:
        with torch.random.fork_rng(devices=()):  # heads are drawn on the CPU
            loaded = load_run(opened, placement=Placement.of(device), batch_size=batch_size)
            task: Any = loaded.for_ontology(ontology).task
            with loaded.active() as model, reporter.progress("reading by the teacher") as on_batch:
                readings: Readings = task.readings(model, documents, on_batch=on_batch)
        return readings

    return read
