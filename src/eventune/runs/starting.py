"""The runs that a training reads: that whose weights it starts from, and where no run may lie that is read."""

from __future__ import annotations

from pathlib import Path

from eventune.adapters.methods import METHODS
from eventune.backbones.resolve import BaseModel
from eventune.errors import EventuneError
from eventune.recipe import Recipe
from eventune.runs.opening import RecordedBase, open_run
from eventune.runs.shipped import located
from eventune.storage.paths import exists
from eventune.training.run_directory import STEPS


def require_outside(recipe: Recipe) -> None:
    """Refuse to read a run that lies where the new one goes: it is removed, or overwritten, while it is needed.

    Args:
        recipe: The run's recipe, with its steps'; a step may start from a run of its own, and reads it last.

    Raises:
        EventuneError: If `init_from` or `teacher`, of the run or of a step, is the new folder or lies inside it.
    """
    output_dir = Path(recipe.optimisation.output_dir)
    for own in (recipe, *recipe.steps.values()):
        for name in ("init_from", "teacher"):
            run = getattr(own.optimisation, name)
            source = located(Path(run))
            meant = [folder for folder in (source, *(source / step for step in STEPS)) if run and exists(folder)]
            if any(folder.resolve().is_relative_to(output_dir.resolve()) for folder in meant):
                raise EventuneError(
                    f"{name}: expected a run outside of output_dir ({output_dir}), found {run}",
                    "choose another output_dir: the new run would take the place of the one that it reads, and could "
                    "not go on after it was killed",
                )


def starting_weights(init_from: str, *, task: str, base: BaseModel) -> Path:
    """Find the weights that a training starts from.

    Args:
        init_from: A finished run, or the name of one that comes with the package; of a run that was made in steps, the
            step with the same task is meant.
        task: Name of the task that is trained.
        base: The model that it is trained on.

    Returns:
        The folder of the weights.

    Raises:
        EventuneError: If the run is unfinished, does something else, was trained on another base, or holds no weights.
    """
    opened = open_run(Path(init_from))
    if opened.entry.steps:
        steps = [open_run(opened.directory.path / step) for step in opened.entry.steps]
        opened = next((step for step in steps if step.entry.name == task), opened)
    folder = opened.directory.path
    if opened.entry.name != task or opened.settings.method not in METHODS:
        raise EventuneError(
            f"init_from: expected a trained run with task: {task}, found {folder} with task: {opened.entry.name}, "
            f"method {opened.settings.method}",
            f"start from a trained run with task: {task}, or with steps of which one is",
        )
    recorded = RecordedBase.read(folder)
    hint = f"give model_name_or_path: {recorded.name_or_path}, or a pretrain_file with init_from: ''"
    recorded.require(base, f"init_from: {folder}", hint)
    return folder
