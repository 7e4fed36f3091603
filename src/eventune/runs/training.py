"""`eventune train`: from a recipe to a run directory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast

from transformers import TrainingArguments

from eventune.backbones.placement import Placement
from eventune.backbones.resolve import BaseModel, resolve
from eventune.errors import EventuneError
from eventune.recipe import Recipe
from eventune.reporter import Reporter, SilentReporter
from eventune.results import RunResult
from eventune.runs.pipeline import RunSettings, claimed, make_run
from eventune.runs.splits import read_splits
from eventune.runs.starting import require_outside, starting_weights
from eventune.runs.steps import make_steps
from eventune.runs.teaching import require_teachers, teacher_of
from eventune.tasks.protocol import RecipeTask, RunTask, TaughtTask
from eventune.tasks.splits import DocumentSplits
from eventune.training.epochwise import training_arguments


def train(recipe: Recipe, *, reporter: Reporter | None = None) -> RunResult:
    """Train what a recipe asks for and leave a complete run directory.

    Args:
        recipe: What to train, on what, and how.
        reporter: Hears notices and shows progress; silent by default.

    Returns:
        Scores and resources, as `result.json` holds them.

    Raises:
        LockedError: If another process is making a run in the same folder.
        EventuneError: If a file, a setting or the model is not as it must be; nothing is left half-written.
    """
    with claimed(Path(recipe.optimisation.output_dir)):
        return _trained(recipe, reporter or SilentReporter())


def _trained(recipe: Recipe, reporter: Reporter) -> RunResult:
    require_outside(recipe)
    require_teachers(recipe)
    documents = read_splits(recipe.data, reporter.notice)
    if recipe.steps:
        return make_steps(recipe, documents, reporter, partial(_train, documents, reporter))
    return _train(documents, reporter, recipe)


def _train(
    documents: DocumentSplits, reporter: Reporter, recipe: Recipe, claim: Callable[[], None] = lambda: None
) -> RunResult:
    placement = Placement.of(recipe.model.device, recipe.model.dtype)
    base = resolve(recipe.model.model_name_or_path, revision=recipe.model.model_revision)

    def load_task() -> RunTask:
        task_class = cast("type[RecipeTask]", recipe.task.load())
        task = task_class.from_recipe(recipe, documents, base, placement)
        if recipe.optimisation.num_train_epochs and not task.examples:
            raise EventuneError("train_file: nothing in it can be trained on")
        if recipe.optimisation.teacher:
            size = recipe.optimisation.per_device_eval_batch_size
            teacher = teacher_of(
                recipe.optimisation.teacher, device=recipe.model.device, batch_size=size, reporter=reporter
            )
            cast("TaughtTask", task).learn_from(teacher)
        return task

    return make_run(_settings_of(recipe, base, placement), load_task, reporter, claim)


def _settings_of(recipe: Recipe, base: BaseModel, placement: Placement) -> RunSettings:
    optimisation = recipe.optimisation

    def training(checkpoints: Path, has_dev: bool, epochs: int | None) -> TrainingArguments:
        chosen = optimisation if epochs is None else replace(optimisation, num_train_epochs=epochs)
        return training_arguments(chosen, checkpoints, has_dev=has_dev, device=placement.device)

    return RunSettings(
        values=recipe.to_dict(),
        text=recipe.to_yaml(),
        command=recipe.task.command,
        output_dir=Path(optimisation.output_dir),
        overwrite=optimisation.overwrite_output_dir,
        resume=optimisation.resume_from_checkpoint,
        seed=optimisation.seed,
        adapter=recipe.adapter,
        device=placement.device,
        training=training,
        learning_rate=optimisation.learning_rate,
        head_learning_rate=optimisation.head_learning_rate,
        ema_decay=optimisation.ema_decay,
        activation_memory=optimisation.activation_memory if "heads" in recipe.task.traits else 0.0,
        early_stopping_patience=optimisation.early_stopping_patience,
        save_steps=optimisation.save_steps,
        gradient_checkpointing=optimisation.gradient_checkpointing,
        start_from=_start_of(recipe, base),
    )


def _start_of(recipe: Recipe, base: BaseModel) -> Path | None:
    source = recipe.optimisation.init_from
    return starting_weights(source, task=recipe.task.name, base=base) if source else None
