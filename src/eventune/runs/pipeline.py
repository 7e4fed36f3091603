"""The one order of steps from settings to a finished run, whatever the task."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import EarlyStoppingCallback, TrainerCallback, TrainingArguments, set_seed

from eventune.adapters.arguments import AdapterArguments
from eventune.adapters.attaching import attach, enable_gradient_checkpointing, with_saved_modules
from eventune.adapters.changed_base import changed_base
from eventune.adapters.chatglm.targets import targets_notice
from eventune.adapters.guard import examine, plain_name, require_gradients
from eventune.adapters.lora import learning_rate_ratio
from eventune.adapters.methods import METHODS, rate_advice
from eventune.adapters.starting import start_from
from eventune.adapters.store import AdapterStore, load_into, save_trained, weights_file
from eventune.adapters.targets import model_type_of
from eventune.errors import EventuneError
from eventune.reporter import Reporter
from eventune.results import RunResult
from eventune.runs.top_layers import lower_states
from eventune.runs.verifying import require_same_outputs
from eventune.storage.atomic import atomic_folder
from eventune.storage.json_files import write_json
from eventune.storage.validation import read_settings, write_settings
from eventune.tasks.costs import training_costs
from eventune.tasks.protocol import Outcome, Pretraining, RunTask
from eventune.training import processes
from eventune.training import run_directory as names
from eventune.training.checkpoint import last_checkpoint
from eventune.training.determinism import deterministic
from eventune.training.lower_states import LowerStates
from eventune.training.meter import current_memory_bytes, hardware, library_versions
from eventune.training.parts import batch_parts
from eventune.training.run_directory import RunDirectory
from eventune.training.saving import RemoveOnSave, StepCheckpoints
from eventune.training.task import Task
from eventune.training.trainer import TaskTrainer, epoch_summary

PRETRAINING = "pretraining.json"
"""What the pretraining cost, beside the checkpoints until the run is complete."""


@dataclass(frozen=True, slots=True)
class _PretrainingCost:
    pretrain_seconds: float
    peak_memory_bytes: int


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """What the steps of a run need to know, from the settings of any command.

    Attributes:
        values: The settings that were given, flat, for the model card.
        text: The settings as the run directory keeps them.
        command: The command that makes the run.
        output_dir: The run directory.
        overwrite: Remove an earlier run in it.
        resume: Go on with an unfinished run: from its last checkpoint if True, or from this one.
        seed: Seed of all that is random.
        adapter: What is trained.
        device: Where a model that is not trained is evaluated.
        training: Gives the trainer's settings for a number of epochs (None for the run's own) with checkpoints in a
            folder, and with or without a dev split.
        learning_rate: Peak learning rate of the base or its adapter.
        head_learning_rate: That of the new heads.
        ema_decay: Decay of the weights' moving average; 0 for none.
        early_stopping_patience: Epochs without a better dev score before the training stops; 0 for never.
        save_steps: Steps between checkpoints beside those that `training` asks for; 0 for none.
        activation_memory: GB that a batch's activations may take before it is computed in parts; see `batch_parts`.
        gradient_checkpointing: Whether activations are computed anew in the backward pass.
        start_from: A folder of trained weights to go on from.
    """

    values: dict[str, Any]
    text: str
    command: str
    output_dir: Path
    overwrite: bool
    resume: bool | Path
    seed: int
    adapter: AdapterArguments
    device: torch.device
    training: Callable[[Path, bool, int | None], TrainingArguments]
    learning_rate: float
    head_learning_rate: float
    ema_decay: float = 0.0
    early_stopping_patience: int = 0
    save_steps: int = 0
    activation_memory: float | None = 0.0
    gradient_checkpointing: bool = False
    start_from: Path | None = None


@contextmanager
def claimed(output_dir: Path) -> Iterator[None]:
    """Hold a run directory against other processes, from before anything is read until the run is complete.

    Of several processes of one run, the one that writes holds it.

    Args:
        output_dir: The run directory; it need not exist.

    Raises:
        LockedError: If another process is making a run in it.
        EventuneError: If its place cannot be written to.
    """
    with RunDirectory(output_dir).locked() if processes.join() else nullcontext():
        yield


def make_run(
    settings: RunSettings,
    load_task: Callable[[], RunTask],
    reporter: Reporter,
    claim: Callable[[], None] = lambda: None,
) -> RunResult:
    """Train, tune, score, save and verify, in a folder that is `claimed`.

    Args:
        settings: What decides the steps.
        load_task: Loads the base and makes the task on it.
        reporter: Hears notices and shows progress.
        claim: Called before the folder is claimed, to claim one around it.

    Returns:
        Scores and resources, as `result.json` holds them.

    Raises:
        EventuneError: If a setting or the model is not as it must be; nothing is left half-written, and an earlier run
            that is to be overwritten is removed only when model, data and settings have been found to fit together.
    """
    run = RunDirectory(settings.output_dir)
    is_main = processes.is_main()
    if is_main:
        run.check(settings.text, overwrite=settings.overwrite, resume=bool(settings.resume))
    with deterministic(settings.seed):
        making = _Run(settings, load_task(), run, reporter)
        if is_main:
            claim()
            run.prepare(
                settings.text,
                command=settings.command,
                overwrite=settings.overwrite,
                resume=bool(settings.resume),
            )
        processes.wait()
        try:
            return making.make()
        except BaseException:
            if is_main:
                run.abandon()
            raise


class _Run:
    """One run, from the loaded backbone to the finished directory."""

    def __init__(self, settings: RunSettings, task: RunTask, run: RunDirectory, reporter: Reporter) -> None:
        self.settings, self.task, self.run, self.reporter = settings, task, run, reporter
        self.baseline_memory_bytes = current_memory_bytes()
        self.outcome = Outcome()
        for notice in task.notices():
            reporter.notice(notice)
        self.heads: Sequence[str] = ()
        self.model = self._attached() if task.examples else self._loaded()

    def make(self) -> RunResult:
        """Train, tune on the dev split, score, save, and verify what was saved."""
        if self.task.examples:
            self.outcome.trainer = self._trained()
        if not processes.is_main():
            processes.wait()
            return RunResult.read(self.run.path / names.RESULT)
        model = self._on_unchanged_base() if changed_base(self.model) else self.model
        trainer = self.outcome.trainer
        model.to(trainer.args.device if trainer else self.settings.device)
        for split in self.task.splits:
            with self.reporter.progress(f"predicting {split}") as on_batch:
                predicted = self.task.predict(model, split, on_batch=on_batch)
            if split == "dev":
                self.task.tune(predicted)
            self.outcome.scores[split] = self.task.score(split, predicted)
            self.outcome.predictions[split] = predicted
        self.outcome.resources = self._costs()
        if trainer:
            trainer.release()
        return self._save(model)

    def _loaded(self) -> nn.Module:
        """Return a model that is only evaluated: the base, with what `start_from` holds."""
        model, anatomy = self.task.build_model(self.task.backbone)
        if self.settings.start_from is None:
            return model
        return load_into(model, self.settings.start_from, anatomy=anatomy)

    def _attached(self) -> nn.Module:
        """Return the model with what is trained attached, and examined."""
        adapter = self.settings.adapter
        plain, anatomy = self.task.build_model(self.task.backbone)
        if self.settings.gradient_checkpointing:
            enable_gradient_checkpointing(plain)
        anatomy = with_saved_modules(plain, anatomy, adapter.modules_to_save)
        notice = targets_notice(adapter.lora_target_modules, model_type_of(self.task.backbone.model))
        if notice and METHODS[adapter.method].has_targets:
            self.reporter.notice(notice)
        if advice := rate_advice(adapter.method, self.settings.learning_rate):
            self.reporter.notice(advice)
        model = attach(plain, adapter, anatomy=anatomy, base_name=self.task.backbone.base.name)
        if self.settings.start_from is not None:
            start_from(
                model,
                self.settings.start_from,
                anatomy=anatomy,
                fresh_heads=self.task.fresh_heads(self.settings.start_from),
            )
        report = examine(model, anatomy=anatomy)
        self.outcome.counts = report.require(allow_frozen_heads=adapter.freeze_heads)
        self.reporter.notice(report.summary())
        for problem in (*report.errors, *report.warnings):
            self.reporter.notice(f"warning: {problem.message} ({problem.fix})")
        self.task.check(model)
        self.heads = anatomy.heads
        return model

    def _trained(self) -> TaskTrainer:
        checkpoint = self._checkpoint()
        if checkpoint is None and self.task.pretraining is not None:
            self._pretrain(self.task.pretraining)
        # What was drawn until here differs between a fresh and a resumed run; what follows must not.
        set_seed(self.settings.seed)
        lower, has_dev = self._lower_states(), "dev" in self.task.splits
        trainer = self._trainer(self.task.loop, self.task.examples, self.run.checkpoints, has_dev=has_dev, lower=lower)
        self._require_gradients(trainer)
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        return trainer

    @property
    def _pretraining_folder(self) -> Path:
        return self.run.checkpoints / "pretraining"

    def _checkpoint(self) -> Path | None:
        if not (resume := self.settings.resume):
            return None
        checkpoint = resume if isinstance(resume, Path) else last_checkpoint(self.run.checkpoints)
        self.reporter.notice(f"resuming from {checkpoint.name}" if checkpoint else "no checkpoint yet: starting")
        return checkpoint

    def _pretrain(self, first: Pretraining) -> None:
        """Train on the corpus that comes first; only the weights are kept of it.

        Its last checkpoint lies beside the run's own ones until the first of these is written.
        """
        self.reporter.notice(f"{first.epochs} epochs on {first.source} first")
        checkpoint = last_checkpoint(self._pretraining_folder) if self.settings.resume else None
        if checkpoint:
            self.reporter.notice(f"resuming from {checkpoint.name} of the pretraining")
        trainer = self._trainer(
            first.task, first.examples, self._pretraining_folder, has_dev=False, epochs=first.epochs
        )
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        trainer.release()
        processes.wait()
        if processes.is_main():
            summary = epoch_summary(trainer.epochs())
            cost = _PretrainingCost(summary["train_seconds"], int(summary["peak_memory_bytes"]))
            write_settings(self.run.checkpoints / PRETRAINING, cost)

    def _lower_states(self) -> LowerStates | None:
        """Return where the states below the trained layers are kept; None where all layers are trained."""
        adapter, counts = self.settings.adapter, self.outcome.counts
        if not adapter.trained_layers or counts is None:
            return None
        lower = lower_states(self.task.backbone.model, adapter, self.run.checkpoints)
        self.reporter.notice(
            f"after {adapter.all_layers_epochs} epochs the last {adapter.trained_layers} layers alone are trained, "
            f"{lower.untrained:,} parameters fewer; what lies below is computed once"
        )
        if not adapter.all_layers_epochs:
            self.outcome.counts = replace(counts, trainable=counts.trainable - lower.untrained)
        return lower

    def _trainer(
        self,
        task: Task,
        examples: Sequence[Any],
        checkpoints: Path,
        *,
        has_dev: bool,
        epochs: int | None = None,
        lower: LowerStates | None = None,
    ) -> TaskTrainer:
        callbacks = [*self.reporter.callbacks(), *self._saving(checkpoints)]
        if has_dev and self.settings.early_stopping_patience:
            callbacks.insert(0, EarlyStoppingCallback(self.settings.early_stopping_patience))
        try:
            arguments = self.settings.training(checkpoints, has_dev, epochs)
            if checkpoints == self._pretraining_folder:
                arguments.run_name = "pretraining"
            return TaskTrainer(
                self.model,
                task,
                arguments,
                examples=examples,
                learning_rate_of=self._learning_rate,
                store=AdapterStore(),
                ema_decay=self.settings.ema_decay,
                baseline_memory_bytes=self.baseline_memory_bytes,
                callbacks=callbacks,
                lower=lower,
                parts=batch_parts(self.task.backbone.model, arguments, self.settings.activation_memory),
            )
        except (ValueError, RuntimeError, ImportError) as error:
            # What only the trainer finds out: trackers that are unknown or not installed, formats the machine lacks.
            raise EventuneError(f"training: {' '.join(str(error).split())}") from error

    def _saving(self, checkpoints: Path) -> Iterator[TrainerCallback]:
        if self.settings.save_steps:
            yield StepCheckpoints(self.settings.save_steps)
        if checkpoints != self._pretraining_folder:
            yield RemoveOnSave(self._pretraining_folder)

    def _learning_rate(self, name: str) -> float:
        is_head = plain_name(name).startswith(tuple(f"{head}." for head in self.heads))
        rate = self.settings.head_learning_rate if is_head else self.settings.learning_rate
        return rate * learning_rate_ratio(name, self.settings.adapter)

    def _require_gradients(self, trainer: TaskTrainer) -> None:
        batch = self.task.loop.collate(trainer.first_part(self.task.gradient_examples))
        batch = {name: tensor.to(trainer.args.device) for name, tensor in batch.items()}
        require_gradients(self.model, lambda: self.task.loop.loss(self.model.train(), batch), heads=self.heads)

    def _on_unchanged_base(self) -> nn.Module:
        """Return the trained model as it is saved: scores are those of the run that others load."""
        # Among the checkpoints, which are removed in the end, also after a kill.
        with tempfile.TemporaryDirectory(dir=self.run.checkpoints) as folder:
            save_trained(self.model, Path(folder))
            return self._reloaded(Path(folder))

    def _reloaded(self, folder: Path) -> nn.Module:
        backbone = self.task.load_backbone(self.task.backbone.base, self.task.settings)
        model, anatomy = self.task.build_model(backbone)
        return load_into(model, folder, anatomy=anatomy)

    def _costs(self) -> dict[str, Any]:
        """Return time and memory of training and pretraining, which may have been another process's, and the task's."""
        if self.outcome.trainer is None:
            return {}
        cost = epoch_summary(self.outcome.trainer.epochs())
        path = self.run.checkpoints / PRETRAINING
        if path.is_file():
            before = read_settings(path, _PretrainingCost)
            cost["pretrain_seconds"] = before.pretrain_seconds
            cost["peak_memory_bytes"] = max(cost["peak_memory_bytes"], before.peak_memory_bytes)
            cost["peak_memory_above_baseline_bytes"] = cost["peak_memory_bytes"] - cost["baseline_memory_bytes"]
        return {
            **cost,
            **training_costs(self.outcome, cost, self.task, method=self.settings.adapter.method),
            **self.task.costs(self.outcome, cost),
        }

    def _save(self, model: nn.Module) -> RunResult:
        outcome = self.outcome
        with atomic_folder(self.run.path / "final") as staging:
            if outcome.trainer is not None:
                save_trained(model, staging)
                outcome.resources["saved_bytes"] = weights_file(staging).stat().st_size
                history = "".join(json.dumps(line) + "\n" for line in self.task.history(outcome.trainer))
                (staging / names.HISTORY).write_text(history, encoding="utf-8")
                require_same_outputs((model, self.model), lambda: self._reloaded(staging), self.task.outputs)
            self.task.save(staging, outcome)
            write_json(staging / names.BASE, self.task.backbone.base.to_dict())
            result = RunResult(
                scores=outcome.scores,
                resources=outcome.resources,
                data=self.task.data(),
                versions=library_versions(),
                hardware=hardware(self.settings.device),
                seed=self.settings.seed,
            )
            card = self.task.card(self.settings.values, result.to_dict())
            (staging / names.CARD).write_text(card, encoding="utf-8")
        self.run.finish(self.run.path / "final", result.to_dict())
        processes.wait()
        return result
