"""Two runs as one: the first finds triggers, the second their arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from eventune.backbones.placement import Placement
from eventune.errors import EventuneError
from eventune.events import Document, Ontology
from eventune.runs.opening import LoadedBase, LoadedRun, OpenRun, load_run, open_run
from eventune.tasks.protocol import AnnotatingTask
from eventune.tasks.steps import ARGUMENTS, DETECTION, Annotate, in_two_steps


@dataclass(frozen=True, slots=True)
class OpenSteps:
    """The two runs, whose weights are not loaded yet.

    Attributes:
        detection: The run that finds triggers.
        arguments: The run that finds arguments.
        margins: Settings that replace those of a run's own, by the step's name.
    """

    detection: OpenRun
    arguments: OpenRun
    margins: dict[str, Any]


@dataclass(frozen=True, slots=True)
class LoadedSteps:
    """Both runs in memory, on one base where they can share it.

    Attributes:
        detection: Finds triggers.
        arguments: Finds arguments.
    """

    detection: LoadedRun
    arguments: LoadedRun

    def for_ontology(self, ontology: Ontology) -> LoadedSteps:
        """Return both with the types and roles of another ontology."""
        return LoadedSteps(self.detection.for_ontology(ontology), self.arguments.for_ontology(ontology))

    def annotate(
        self, documents: Sequence[Document], *, on_batch: Callable[[int, int], None] | None = None
    ) -> list[Document]:
        """Find the events of documents that have none, and the arguments of all.

        Args:
            documents: The documents; events that are there already are kept, and their arguments found anew.
            on_batch: Called after each batch of a step, with how many windows or questions of how many are done.

        Returns:
            The documents in the same order.
        """

        def step(loaded: LoadedRun) -> Annotate:
            def annotate(asked: Sequence[Document]) -> list[Document]:
                with loaded.active() as model:
                    return task_of(loaded).annotate(model, asked, on_batch=on_batch)

            return annotate

        return in_two_steps(documents, step(self.detection), step(self.arguments))


def task_of(loaded: LoadedRun) -> AnnotatingTask:
    """Return the task of a run that annotates documents."""
    return cast("AnnotatingTask", loaded.task)


def open_steps(opened: OpenRun) -> OpenSteps:
    """Open the steps of a run that was made in two.

    Raises:
        EventuneError: If a step is unfinished, or lacks a file.
    """
    folder, settings = opened.directory.path, opened.settings
    margins = {DETECTION: settings.detection, ARGUMENTS: settings.arguments}
    return OpenSteps(
        open_run(folder / DETECTION),
        open_run(folder / ARGUMENTS),
        {step: found for step, found in margins.items() if found is not None},
    )


def join(arguments: OpenRun, detection: OpenRun) -> OpenSteps:
    """Join two runs that were trained apart.

    Args:
        arguments: A run that finds arguments, or the steps of which one does.
        detection: A run that finds triggers, likewise.

    Raises:
        EventuneError: If one does not do so.
    """
    second = open_steps(arguments) if arguments.entry.steps else None
    first = open_steps(detection) if detection.entry.steps else None
    if not arguments.entry.finds_arguments or not detection.entry.detects:
        wrong, does = (
            (detection, "finds triggers") if arguments.entry.finds_arguments else (arguments, "finds arguments")
        )
        raise EventuneError(
            f"{wrong.directory.path}: expected a run that {does}, found one with task: {wrong.entry.name}",
            "eventune extract ARGUMENTS --detection TRIGGERS",
        )
    margins = {}
    if second is not None and ARGUMENTS in second.margins:
        margins[ARGUMENTS] = second.margins[ARGUMENTS]
    if first is not None and DETECTION in first.margins:
        margins[DETECTION] = first.margins[DETECTION]
    return OpenSteps(first.detection if first else detection, second.arguments if second else arguments, margins)


def load_steps(
    steps: OpenSteps,
    *,
    base: LoadedBase | None = None,
    model_name_or_path: str | None = None,
    placement: Placement,
    batch_size: int,
) -> LoadedSteps:
    """Load both runs; arguments and errors are those of `load_run`."""
    options: dict[str, Any] = {"placement": placement, "batch_size": batch_size}
    first = load_run(steps.detection, base=base, model_name_or_path=model_name_or_path, **options)
    shared = base or first.base
    # A run of several loads each member on what fits.
    if base is None and shared is not None and not (steps.arguments.entry.holds_runs or shared.fits(steps.arguments)):
        shared = None
    second = load_run(steps.arguments, base=shared, model_name_or_path=model_name_or_path, **options)
    for step, loaded in ((DETECTION, first), (ARGUMENTS, second)):
        if step in steps.margins:
            task: Any = loaded.task
            task.settings = replace(task.settings, margins=steps.margins[step])
    return LoadedSteps(first, second)
