"""The run whose weights a training starts from."""

from __future__ import annotations

from pathlib import Path

from eventune.adapters.methods import METHODS
from eventune.backbones.resolve import BaseModel
from eventune.errors import EventuneError
from eventune.runs.opening import RecordedBase, open_run


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
            f"method {opened.settings.method}"
        )
    recorded = RecordedBase.read(folder)
    hint = f"give model_name_or_path: {recorded.name_or_path}, or train on a pretrain_file"
    recorded.require(base, f"init_from: {folder}", hint)
    return folder
