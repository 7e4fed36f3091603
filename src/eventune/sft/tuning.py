"""From rows of prompt and response to a run directory: fine-tuning, evaluation and prediction of a causal LM."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn
from transformers import set_seed

from eventune.adapters.anatomy import anatomy_of
from eventune.adapters.arguments import AdapterArguments
from eventune.adapters.attaching import attach, enable_gradient_checkpointing
from eventune.adapters.changed_base import changed_base
from eventune.adapters.chatglm.targets import targets_notice
from eventune.adapters.guard import examine, require_gradients
from eventune.adapters.lora import learning_rate_ratio
from eventune.adapters.store import AdapterStore, load_into, save_trained
from eventune.adapters.targets import model_type_of
from eventune.backbones.causal_lm import load_causal_lm
from eventune.errors import EventuneError
from eventune.generation.collating import Pack, RowCollator, pack
from eventune.generation.encoding import EncodedRow
from eventune.generation.loss import require_rows_apart
from eventune.generation.task import GenerationTask
from eventune.reporter import Reporter, SilentReporter
from eventune.results import RunResult
from eventune.sft.parts import RowSplits, encode_parts, read_parts
from eventune.sft.responses import Responses
from eventune.sft.saving import Finished, save_run
from eventune.sft.settings import SftArguments
from eventune.sft.source import Source
from eventune.training import processes
from eventune.training.checkpoint import last_checkpoint
from eventune.training.determinism import deterministic
from eventune.training.meter import current_memory_bytes
from eventune.training.run_directory import TRACKING, RunDirectory
from eventune.training.trainer import TaskTrainer


def fine_tune(arguments: SftArguments, *, reporter: Reporter | None = None) -> RunResult:
    """Train, evaluate and predict as the arguments say, and leave a complete run directory.

    Args:
        arguments: The settings; without `do_train`, `do_eval` and `do_predict`, what there are files for is done.
        reporter: Hears notices and shows progress; silent by default.

    Returns:
        Scores and resources, as `result.json` holds them.

    Raises:
        EventuneError: If a file, a setting or the model is not as it must be; nothing is left half-written.
    """
    reporter = reporter or SilentReporter()
    parts = read_parts(arguments, reporter.notice)
    source = Source.of(arguments.model, reporter.notice)
    run = RunDirectory(Path(str(arguments.training.output_dir)))
    if source.run is not None and source.run.resolve().is_relative_to(run.path.resolve()):
        raise EventuneError(
            f"output_dir: expected another folder than that of ptuning_checkpoint, found {run.path}",
            f"give --output_dir {run.path}-evaluation",
        )
    is_main = processes.join()
    with deterministic(arguments.training.seed):
        # An earlier run is replaced only when model, rows and settings have been found to fit together.
        tuning = _FineTuning(arguments, parts, source, run, reporter)
        if is_main:
            overwrites = arguments.training.overwrite_output_dir and not arguments.resumes
            run.prepare(arguments.to_yaml(), overwrite=overwrites, resume=arguments.resumes)
        processes.wait()
        try:
            return tuning.make()
        except BaseException:
            if is_main:
                run.abandon()
            raise


class _FineTuning:
    """One run, from the loaded model to the finished directory."""

    def __init__(
        self, arguments: SftArguments, parts: RowSplits, source: Source, run: RunDirectory, reporter: Reporter
    ) -> None:
        self.arguments, self.parts, self.source, self.run, self.reporter = arguments, parts, source, run, reporter
        self.lm = load_causal_lm(source.base, dtype=arguments.dtype)
        self.encoded = encode_parts(parts, self.lm, arguments, reporter.notice)
        self.responses = Responses(self.lm.tokenizer, self.encoded.encoder, arguments)
        self.baseline_memory_bytes = current_memory_bytes()
        data = arguments.data
        full_length = data.max_source_length + data.max_target_length if data.pad_to_max_length else 0
        self.task = GenerationTask(
            RowCollator(int(self.lm.tokenizer.pad_token_id), length=full_length),
            dev=self.encoded.dev,
            batch_size=arguments.training.per_device_eval_batch_size,
            label_smoothing=arguments.training.label_smoothing_factor,
            generated_scores=self._dev_scores if arguments.training.predict_with_generate else None,
        )
        self.finished = Finished(arguments, parts, self.encoded, source, self.lm)
        self.model = self._attached() if parts.train else self._loaded()

    def _dev_scores(self, model: nn.Module) -> Mapping[str, float]:
        return self.responses.of(model, self.parts.dev).scores

    def make(self) -> RunResult:
        """Train, evaluate, predict, save."""
        finished = self.finished
        model = self._train() if self.parts.train else self.model
        if not processes.is_main():
            processes.wait()
            return RunResult.read(self.run.path / "result.json")
        model.to(self.arguments.training.device)
        if self.parts.dev:
            finished.scores["dev"] = self.task.evaluate(model)
        if self.parts.test:
            finished.predictions = self.responses.of(model, self.parts.test)
            finished.scores["test"] = dict(finished.predictions.scores)
            if self.encoded.test:
                finished.scores["test"] |= self.task.measure(model, self.encoded.test)
        result = save_run(self.run, model, finished)
        processes.wait()
        return result

    def _loaded(self) -> nn.Module:
        return load_into(self.lm.model, self.source.run) if self.source.run else self.lm.model

    def _attached(self) -> nn.Module:
        if self.arguments.checkpoints_activations:
            enable_gradient_checkpointing(self.lm.model)
        adapter = self.arguments.model.adapter()
        self._tell_of_targets(adapter)
        anatomy = anatomy_of(self.lm.model)
        model = attach(self.lm.model, adapter, anatomy=anatomy, base_name=self.source.base.name)
        if self.source.run is not None:
            AdapterStore().load(model, self.source.run)
        report = examine(model, anatomy=anatomy)
        self.finished.counts = report.require()
        self.reporter.notice(report.summary())
        if self.arguments.data.packing:
            require_rows_apart(model, self.encoded.train, self.task.collate)
        return model

    def _tell_of_targets(self, adapter: AdapterArguments) -> None:
        notice = targets_notice(adapter.lora_target_modules, model_type_of(self.lm.model))
        if notice and adapter.method == "lora":
            self.reporter.notice(notice)

    def _train(self) -> nn.Module:
        model, training = self.model, self.arguments.training
        checkpoint = self._checkpoint()
        # What was drawn until here differs between a fresh and a resumed run; what follows must not.
        set_seed(training.seed)
        trainer = self.finished.trainer = self._trainer(model)
        self._require_gradients(model, trainer)
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        return self._on_unchanged_base(model) if changed_base(model) else model

    def _checkpoint(self) -> Path | None:
        if not self.arguments.resumes:
            return None
        wanted = str(self.arguments.training.resume_from_checkpoint)
        checkpoint = last_checkpoint(self.run.checkpoints) if wanted == "true" else Path(wanted)
        self.reporter.notice(f"resuming from {checkpoint.name}" if checkpoint else "no checkpoint yet: starting")
        return checkpoint

    def _trainer(self, model: nn.Module) -> TaskTrainer:
        adapter = self.arguments.model.adapter()
        training = self.arguments.trainer_settings(self.run.checkpoints, has_dev=bool(self.parts.dev))
        # transformers keeps them beside the checkpoints, which are gone in the end.
        os.environ.setdefault("TENSORBOARD_LOGGING_DIR", str(self.run.path / TRACKING))
        try:
            return TaskTrainer(
                model,
                self.task,
                training,
                examples=self._sequences(),
                learning_rate_of=lambda name: training.learning_rate * learning_rate_ratio(name, adapter),
                store=AdapterStore(),
                baseline_memory_bytes=self.baseline_memory_bytes,
                callbacks=self.reporter.callbacks(),
            )
        except (ValueError, RuntimeError, ImportError) as error:
            # What only the trainer finds out: trackers that are unknown or not installed, formats the machine lacks.
            raise EventuneError(f"training: {' '.join(str(error).split())}") from error

    def _sequences(self) -> Sequence[EncodedRow | Pack]:
        data = self.arguments.data
        if not data.packing:
            return self.encoded.train
        return pack(self.encoded.train, data.max_source_length + data.max_target_length)

    def _require_gradients(self, model: nn.Module, trainer: TaskTrainer) -> None:
        batch = self.task.collate(self.encoded.train[:2])
        on_device = {name: tensor.to(trainer.args.device) for name, tensor in batch.items()}
        require_gradients(model, lambda: self.task.loss(model.train(), on_device), heads=())

    def _on_unchanged_base(self, model: nn.Module) -> nn.Module:
        """Return the trained model as it is saved: scores are those of the run that others load."""
        with tempfile.TemporaryDirectory(dir=self.run.path) as folder:
            save_trained(model, Path(folder))
            fresh: Any = load_causal_lm(self.source.base, dtype=self.arguments.dtype).model
            return load_into(fresh, Path(folder))
