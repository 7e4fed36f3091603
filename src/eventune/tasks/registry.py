"""The table of tasks: what a recipe can ask for, and what a run directory can hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from eventune.errors import EventuneError, did_you_mean
from eventune.extraction.arguments import ExtractionArguments
from eventune.extraction.detection.arguments import DetectionArguments
from eventune.generation.extracting.arguments import GenerativeExtractionArguments
from eventune.scoring.textee import ALONE, GOLD, PREDICTED
from eventune.tasks.steps import ARGUMENTS, DETECTION, StepsArguments
from eventune.training.run_directory import ENSEMBLE, EVENTS, EXTRACTOR, GENERATOR

if TYPE_CHECKING:
    from eventune.tasks.protocol import RunTask

READINGS = "readings"
"""Trait of a task that tells what each reading of an event says of spans."""
TEACHING = "teaching"
"""Trait of a task whose runs can teach that to others."""


@dataclass(frozen=True, slots=True)
class TaskEntry:
    """A row of the table; nothing in it needs torch.

    Attributes:
        name: What recipes and settings files call the task.
        summary: What it does, in a few words.
        implementation: `module:Class` of its `RunTask`, imported when it is used.
        traits: What its settings may be about: a setting whose metadata has `read_by` belongs to the tasks with one of
            these traits. `heads`: it has new modules, which are random at first; `arguments`: it is scored by the
            arguments that it finds; `READINGS`: its runs can be members of an ensemble, `TEACHING`: they
            can be teachers; `encoder`, `pretraining`, ….
        sections: Settings of its own, dataclasses by the name of their group.
        command: The command that makes its runs.
        settings_file: The file in a run directory that says how the run is opened.
        detects: Whether its runs find events in documents that have none marked.
        finds_arguments: Whether its runs find events' arguments in documents.
        steps: Where a run is made in several steps, each a run of its own in the run directory: task by step.
        scorer: Name of the definition that its runs are scored by; empty where the recipe's setting says it.
        triggers: Where the triggers come from whose arguments are scored, one of `scoring.textee.TRIGGERS`.
        runtime: `module:Class` of what reads an export of its runs without torch; empty where none can be made.
    """

    name: str
    summary: str
    implementation: str
    traits: frozenset[str] = frozenset()
    sections: Mapping[str, type] = field(default_factory=dict)
    command: str = "train"
    settings_file: str = EXTRACTOR
    detects: bool = False
    finds_arguments: bool = True
    steps: Mapping[str, str] = field(default_factory=dict)
    scorer: str = ""
    triggers: str = GOLD
    runtime: str = ""

    @property
    def holds_runs(self) -> bool:
        """Whether its runs are made of others, whose bases and weights are theirs."""
        return bool(self.steps) or self.settings_file == ENSEMBLE

    @property
    def annotates(self) -> bool:
        """Whether its runs annotate documents."""
        return self.detects or self.finds_arguments

    def load(self) -> type[RunTask]:
        """Import the task."""
        module, _, name = self.implementation.partition(":")
        task: Any = getattr(import_module(module), name)
        return task  # type: ignore[no-any-return]

    def reads(self, metadata: Mapping[str, Any]) -> bool:
        """Tell whether the task reads a setting.

        Args:
            metadata: The setting's, whose `read_by` is a trait or several; a setting without is every task's.
        """
        wanted = metadata.get("read_by", ())
        wanted = {wanted} if isinstance(wanted, str) else set(wanted)
        return not wanted or bool(wanted & {self.name, *self.traits})

    def tasks_for(self, step: str) -> list[str]:
        """Return the names of the tasks that a step can have: those that do in one step what its usual one does."""
        usual = TASKS[self.steps[step]]
        return [
            entry.name
            for entry in tasks_of(self.command)
            if not entry.steps and (entry.detects, entry.finds_arguments) == (usual.detects, usual.finds_arguments)
        ]

    def step_tasks(self, settings: Any) -> dict[str, TaskEntry]:
        """Return the task of each step of a run; none where it is made in one.

        Args:
            settings: The settings of each step; a `task` among them takes the place of the usual one, if it can be the
                step's.
        """
        own = {step: getattr(settings, step).get("task") for step in self.steps}
        return {
            step: TASKS[own[step] if own[step] in self.tasks_for(step) else usual] for step, usual in self.steps.items()
        }


TASKS: dict[str, TaskEntry] = {}
"""Task by name."""


def register_task(entry: TaskEntry) -> None:
    """Make a task known to recipes and run directories.

    Raises:
        EventuneError: If the name is taken.
    """
    if entry.name in TASKS:
        raise EventuneError(f"task {entry.name!r}: expected a new name, found one of {', '.join(TASKS)}")
    TASKS[entry.name] = entry


def tasks_of(command: str) -> list[TaskEntry]:
    """Return the tasks whose runs a command makes."""
    return [entry for entry in TASKS.values() if entry.command == command]


def task_named(name: str, settings_file: str) -> TaskEntry:
    """Return the task that a settings file belongs to.

    Args:
        name: What the file calls it; runs of earlier versions call the responses `generation`.
        settings_file: The file's name.

    Raises:
        EventuneError: If there is none.
    """
    entries = {entry.name: entry for entry in TASKS.values() if entry.settings_file == settings_file}
    if name not in entries and len(entries) == 1:
        return next(iter(entries.values()))
    if name not in entries:
        raise EventuneError(
            f"{settings_file}: expected the task {' or '.join(entries)}, found {name!r}", did_you_mean(name, entries)
        )
    return entries[name]


register_task(
    TaskEntry(
        name="extraction",
        summary="an encoder scores spans",
        implementation="eventune.tasks.span_extraction:SpanExtraction",
        traits=frozenset({"arguments", "encoder", "heads", "pretraining", READINGS, TEACHING}),
        sections={"extraction": ExtractionArguments},
        runtime="eventune.runtime.finders:ArgumentFinder",
    )
)
register_task(
    TaskEntry(
        name="detection",
        summary="an encoder finds triggers",
        implementation="eventune.tasks.trigger_detection:TriggerDetection",
        traits=frozenset({"encoder", "heads", "pretraining"}),
        sections={"extraction": ExtractionArguments, "detection": DetectionArguments},
        detects=True,
        finds_arguments=False,
        scorer="textee",
        triggers=ALONE,
        runtime="eventune.runtime.finders:TriggerFinder",
    )
)
register_task(
    TaskEntry(
        name="generation",
        summary="a causal LM writes arguments as JSON",
        implementation="eventune.tasks.generative_extraction:GenerativeExtraction",
        traits=frozenset({"arguments"}),
        sections={"extraction": ExtractionArguments, "generation": GenerativeExtractionArguments},
    )
)
register_task(
    TaskEntry(
        name="generative-detection",
        summary="a causal LM writes triggers as JSON",
        implementation="eventune.tasks.generative_detection:GenerativeDetection",
        sections={
            "extraction": ExtractionArguments,
            "detection": DetectionArguments,
            "generation": GenerativeExtractionArguments,
        },
        detects=True,
        finds_arguments=False,
        scorer="textee",
        triggers=ALONE,
    )
)
register_task(
    TaskEntry(
        name="events",
        summary="triggers, then their arguments, each found by an encoder or a causal LM",
        implementation="eventune.tasks.event_pipeline:EventPipeline",
        traits=frozenset({"encoder", "heads", "pretraining", "extraction", "detection"}),
        sections={"extraction": ExtractionArguments, "detection": DetectionArguments, "steps": StepsArguments},
        settings_file=EVENTS,
        detects=True,
        steps={DETECTION: "detection", ARGUMENTS: "extraction"},
        scorer="textee",
        triggers=PREDICTED,
        runtime="eventune.runtime.finders:EventFinder",
    )
)
register_task(
    TaskEntry(
        name="ensemble",
        summary="several runs with task: extraction, whose log-odds are averaged",
        implementation="eventune.tasks.ensemble:Ensemble",
        traits=frozenset({"arguments", "encoder", TEACHING}),
        command="ensemble",
        settings_file=ENSEMBLE,
    )
)
register_task(
    TaskEntry(
        name="responses",
        summary="a causal LM responds to prompts",
        implementation="eventune.tasks.responses:Responses",
        command="sft",
        settings_file=GENERATOR,
        finds_arguments=False,
    )
)
