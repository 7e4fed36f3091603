"""A run that is made in two steps, each a complete run in its folder, and tuned and scored as one."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from eventune.backbones.placement import Placement
from eventune.backbones.resolve import resolve
from eventune.corpora import write_corpus, write_ontology
from eventune.corpora.statistics import sizes_of
from eventune.errors import EventuneError
from eventune.events import Document
from eventune.recipe import Recipe
from eventune.reporter import Reporter
from eventune.results import RunResult, Score
from eventune.runs.joining import OpenSteps, load_steps, task_of
from eventune.runs.joint_tuning import tune_together
from eventune.runs.opening import open_run
from eventune.scoring import score
from eventune.storage.atomic import atomic_folder
from eventune.storage.validation import write_settings
from eventune.tasks.card import pipeline_card
from eventune.tasks.event_pipeline import PipelineSettings
from eventune.tasks.splits import DocumentSplits
from eventune.tasks.steps import ARGUMENTS, DETECTION
from eventune.training import run_directory as names
from eventune.training.meter import hardware, library_versions
from eventune.training.run_directory import RunDirectory


def make_steps(
    recipe: Recipe,
    documents: DocumentSplits,
    reporter: Reporter,
    train_step: Callable[[Recipe, Callable[[], None]], RunResult],
) -> RunResult:
    """Train both steps, tune them together, score and save.

    Args:
        recipe: The run's recipe, with its steps'.
        documents: The documents of the run.
        reporter: Hears notices.
        train_step: Trains a step; calls its second argument when the step's model is found to fit, and before anything
            is written.

    Returns:
        Scores of both steps together, and what they cost.

    Raises:
        EventuneError: If a setting or a model is not as it must be; a step that is finished is kept to go on from, and
            an earlier run that is to be overwritten is removed only when the first step can begin.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise EventuneError(
            f"task: {recipe.task.name}: expected one process, found {os.environ['WORLD_SIZE']}",
            "train the steps apart (task: detection, then task: extraction), and join them with --detection",
        )
    optimisation, text = recipe.optimisation, recipe.to_yaml()
    run = RunDirectory(Path(optimisation.output_dir))
    options = {"overwrite": optimisation.overwrite_output_dir, "resume": bool(optimisation.resume_from_checkpoint)}
    run.check(text, **options)
    for own in recipe.steps.values():
        resolve(own.model.model_name_or_path, revision=own.model.model_revision)
    is_claimed = False

    def claim() -> None:
        nonlocal is_claimed
        if not is_claimed:
            run.prepare(text, command=recipe.task.command, **options)
            is_claimed = True

    try:
        for step, own in recipe.steps.items():
            if RunDirectory(run.path / step).is_complete() and not optimisation.overwrite_output_dir:
                reporter.notice(f"{step}: finished already")
            else:
                reporter.notice(f"step {step}")
                train_step(own, claim)
        claim()
        return _joined(recipe, documents, run, reporter)
    except BaseException:
        if is_claimed:
            run.abandon()
        raise


def _joined(recipe: Recipe, documents: DocumentSplits, run: RunDirectory, reporter: Reporter) -> RunResult:
    opened = OpenSteps(open_run(run.path / DETECTION), open_run(run.path / ARGUMENTS), {})
    placement = Placement.of(recipe.model.device, recipe.model.dtype)
    steps = load_steps(opened, placement=placement, batch_size=recipe.optimisation.per_device_eval_batch_size)
    measure = recipe.own["steps"].measure
    splits = documents.by_name()
    predicted: dict[str, Sequence[Document]] = {}
    if "dev" in splits:
        reporter.notice(f"tuning the margins of both steps for {measure}")
        with reporter.progress("tuning") as on_batch:
            tuned = tune_together(steps, splits["dev"], measure=measure, on_batch=on_batch)
        for loaded, settings in ((steps.detection, tuned.detection), (steps.arguments, tuned.arguments)):
            task: Any = loaded.task
            task.settings = settings
        if tuned.found is not None:
            predicted["dev"] = tuned.found
    for name in ("dev", "test"):
        if name in splits and name not in predicted:
            with reporter.progress(f"predicting {name}") as on_batch:
                bare = [document.with_events(()) for document in splits[name]]
                predicted[name] = steps.annotate(bare, on_batch=on_batch)
    results = {step: RunResult.read(run.path / step / names.RESULT) for step in recipe.steps}
    result = RunResult(
        scores={name: end_to_end(splits[name], found, measure).to_dict() for name, found in predicted.items()},
        resources=resources_of(results),
        data={name: sizes_of(part) for name, part in splits.items()},
        versions=library_versions(),
        hardware=hardware(placement.device),
        seed=recipe.optimisation.seed,
        steps={step: dict(own.scores) for step, own in results.items()},
    )
    with atomic_folder(run.path / "final") as staging:
        write_ontology(documents.ontology, staging / names.ONTOLOGY)
        settings = PipelineSettings(
            method=recipe.adapter.method,
            measure=measure,
            detection=getattr(task_of(steps.detection).settings, "margins", None),
            arguments=getattr(task_of(steps.arguments).settings, "margins", None),
            ontology_bytes=(staging / names.ONTOLOGY).stat().st_size,
        )
        write_settings(staging / names.EVENTS, settings)
        if recipe.optimisation.save_predictions and "test" in predicted:
            write_corpus(predicted["test"], staging / names.PREDICTIONS)
        if history := _history(run.path, recipe.steps):
            (staging / names.HISTORY).write_text(history, encoding="utf-8")
        card = pipeline_card(recipe.to_dict(), result.to_dict())
        (staging / names.CARD).write_text(card, encoding="utf-8")
    run.finish(run.path / "final", result.to_dict())
    return result


def end_to_end(gold: Sequence[Document], predicted: Sequence[Document], measure: str) -> Score:
    """Score predicted events by TextEE's definition, with one of its measures as the headline.

    Args:
        gold: Annotated documents.
        predicted: The same documents with predicted events.
        measure: The measure that stands for all.

    Returns:
        The score.
    """
    result = score(gold, predicted, scorer="textee", triggers="predicted")
    counts = result.tables["measures"][measure]["counts"]
    return dataclasses.replace(result, **counts, tables={**result.tables, "measure": measure})


def resources_of(results: Mapping[str, RunResult]) -> dict[str, Any]:
    """Add up what the steps cost; of memory the greatest counts.

    Documents a second are those of both steps, one after the other. Other figures, such as other rates or what a base
    forgot, say something of one step alone, whose own result has them.
    """
    total: dict[str, Any] = {}
    for result in results.values():
        for name, value in result.resources.items():
            if name in _SUMS:
                total[name] = total.get(name, 0) + value
            elif name.endswith("_bytes"):
                total[name] = max(total.get(name, value), value)
    rates = [result.resources.get("documents_per_second") for result in results.values()]
    if all(rates):
        total["documents_per_second"] = 1 / sum(1 / rate for rate in rates if rate)
    return total


_SUMS = frozenset(
    {"train_seconds", "pretrain_seconds", "epochs", "seconds_per_epoch", "steps", "energy_joules", "gpu_energy_joules"}
    | {"trainable_parameters", "head_parameters", "total_parameters", "saved_bytes"}
)
"""What of the steps' resources adds up: each step has a model of its own."""


def _history(run: Path, steps: Mapping[str, Recipe]) -> str:
    """Return the histories of the steps that were trained, one behind the other; each line says its step."""
    lines = []
    for step in steps:
        path = run / step / names.HISTORY
        for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
            lines.append(json.dumps({"step": step, **json.loads(line)}) + "\n")
    return "".join(lines)
