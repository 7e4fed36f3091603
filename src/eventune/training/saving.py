"""When checkpoints are written beside those of each epoch, and what they make superfluous."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


class StepCheckpoints(TrainerCallback):
    """Asks for a checkpoint every so many steps; at an epoch's end the epoch's own is written, after its evaluation."""

    def __init__(self, save_steps: int) -> None:
        self.save_steps = save_steps

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Ask for a checkpoint."""
        steps_an_epoch = math.ceil(len(kwargs["train_dataloader"]) / args.gradient_accumulation_steps)
        if state.global_step % self.save_steps == 0 and state.global_step % steps_an_epoch:
            control.should_save = True


class RemoveOnSave(TrainerCallback):
    """Removes a folder that nothing needs any more as soon as there is a checkpoint."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Remove it."""
        if args.should_save:
            shutil.rmtree(self.folder, ignore_errors=True)
