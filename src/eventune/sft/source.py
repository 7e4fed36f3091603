"""What a run starts from: a base model, and the run or checkpoint whose adapter it goes on with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from eventune.adapters.chatglm.prefix import prefix_file
from eventune.adapters.store import weights_file
from eventune.backbones.resolve import BaseModel, resolve
from eventune.errors import EventuneError
from eventune.runs.opening import RecordedBase
from eventune.sft.sections import SftModelArguments
from eventune.storage.paths import exists, is_file, is_folder
from eventune.storage.validation import read_settings
from eventune.tasks.responses import ResponseSettings
from eventune.training.run_directory import BASE, GENERATOR, RunDirectory


@dataclass(frozen=True, slots=True)
class Source:
    """What a run starts from.

    Attributes:
        base: The base model.
        run: Folder of trained weights to load on it, or None.
    """

    base: BaseModel
    run: Path | None = None

    def method(self) -> str:
        """Return how the run's weights were trained; empty where a checkpoint does not say."""
        path = self.run / GENERATOR if self.run else None
        return read_settings(path, ResponseSettings).method if path and exists(path) else ""

    @classmethod
    def of(cls, model: SftModelArguments, notice: Callable[[str], None]) -> Source:
        """Find the base, and what `ptuning_checkpoint` means.

        Args:
            model: The settings.
            notice: Hears what a user should know.

        Raises:
            EventuneError: If one is not there, or the weights are another base's.
        """
        revision = "" if model.model_revision == "main" else model.model_revision
        base = resolve(model.model_name_or_path, revision=revision)
        if not model.ptuning_checkpoint:
            return cls(base)
        return cls(base, _trained(Path(model.ptuning_checkpoint), base, notice))


def _trained(folder: Path, base: BaseModel, notice: Callable[[str], None]) -> Path:
    """Return the folder of trained weights; of a finished run, whose checkpoints are gone, the run itself."""
    if not is_folder(folder) and folder.name.startswith("checkpoint-") and RunDirectory(folder.parent).is_complete():
        notice(f"{folder} is gone, since its run is finished: the finished run is taken")
        folder = folder.parent
    elif not is_folder(folder) and is_folder(folder.parent / "checkpoints" / folder.name):
        folder = folder.parent / "checkpoints" / folder.name
    if not is_file(weights_file(folder)):
        raise EventuneError(
            f"ptuning_checkpoint: expected a finished run or a checkpoint, found no trained weights in {folder}",
            f"eventune convert chatglm2-adapter {folder} NEW --base {base.name}; then --ptuning_checkpoint NEW"
            if prefix_file(folder)
            else "",
        )
    if exists(folder / BASE):
        recorded = RecordedBase.read(folder)
        hint = f"give --model_name_or_path {recorded.name_or_path}"
        recorded.require(base, f"ptuning_checkpoint: {folder}", hint)
    return folder
