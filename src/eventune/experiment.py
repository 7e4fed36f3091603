"""From a recipe to a trained run directory: the only place where data, model, adapter and trainer meet."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import EarlyStoppingCallback, set_seed

from eventune.adapters.anatomy import Anatomy
from eventune.adapters.attaching import attach, enable_gradient_checkpointing, with_saved_modules
from eventune.adapters.changed_base import changed_base
from eventune.adapters.chatglm.targets import targets_notice
from eventune.adapters.guard import ParameterCounts, examine, plain_name, require_gradients
from eventune.adapters.lora import learning_rate_ratio
from eventune.adapters.store import AdapterStore, save_trained, weights_file
from eventune.adapters.targets import model_type_of
from eventune.backbones.load import Backbone, load_encoder
from eventune.backbones.resolve import resolve
from eventune.corpora import write_corpus, write_ontology
from eventune.errors import EventuneError
from eventune.events import Document, Ontology
from eventune.extraction.decoding import Margins
from eventune.extraction.kinds import VARIANTS
from eventune.extraction.task import EncodedPart, ExtractionTask
from eventune.extractor import anatomy_of_extractor, build_model
from eventune.generative_experiment import GenerativeExperiment
from eventune.model_card import model_card
from eventune.parts import DocumentSplits, read_parts
from eventune.recipe import Recipe
from eventune.reporter import Reporter, SilentReporter
from eventune.results import RunResult
from eventune.run_costs import RunCosts
from eventune.storage.atomic import atomic_folder, write_atomically
from eventune.storage.json_files import read_json, write_json
from eventune.training import processes
from eventune.training import run_directory as names
from eventune.training.arguments import OptimisationArguments
from eventune.training.checkpoint import last_checkpoint
from eventune.training.determinism import deterministic
from eventune.training.dropout import cheapen_dropout
from eventune.training.epochwise import training_arguments
from eventune.training.meter import current_memory_bytes, hardware, library_versions
from eventune.training.run_directory import RunDirectory
from eventune.training.trainer import TaskTrainer, epoch_summary

PRETRAINING = "pretraining.json"
"""What the pretraining cost, beside the checkpoints until the run is complete."""


def train(recipe: Recipe, *, reporter: Reporter | None = None) -> RunResult:
    """Train an extractor and leave a complete run directory.

    Args:
        recipe: What to train, on what, and how.
        reporter: Hears notices and shows progress; silent by default.

    Returns:
        Scores and resources, as `result.json` holds them.

    Raises:
        EventuneError: If a file, a setting or the model is not as it must be; nothing is left half-written.
    """
    reporter = reporter or SilentReporter()
    parts = read_parts(recipe.data, reporter.notice)
    base = resolve(recipe.model.model_name_or_path, revision=recipe.model.model_revision)
    run = RunDirectory(Path(recipe.optimisation.output_dir))
    is_main = processes.join()
    if is_main:
        run.prepare(
            recipe.to_yaml(),
            overwrite=recipe.optimisation.overwrite_output_dir,
            resume=recipe.optimisation.resume_from_checkpoint,
        )
    processes.wait()
    try:
        with deterministic(recipe.optimisation.seed):
            if recipe.extraction.task == "generation":
                return GenerativeExperiment(recipe, parts, base, run, reporter).make()
            backbone = load_encoder(base, dropout=recipe.model.hidden_dropout)
            return _Experiment(recipe, parts, backbone, run, reporter).make()
    except BaseException:
        if is_main:
            run.abandon()
        raise


class _Experiment:
    """One run, from the loaded backbone to the finished directory."""

    def __init__(
        self,
        recipe: Recipe,
        parts: DocumentSplits,
        backbone: Backbone,
        run: RunDirectory,
        reporter: Reporter,
    ) -> None:
        self.recipe, self.parts, self.run, self.reporter = recipe, parts, run, reporter
        self.backbone = backbone
        self.predictions: list[Document] = []
        self.costs = RunCosts(recipe, backbone)
        self.baseline_memory_bytes = current_memory_bytes()
        self.task = self._task(parts.ontology)
        self.train_part = self.task.encode(parts.train)
        self.dev_part = self.task.encode(parts.dev) if parts.dev else None
        self.test_part = self.task.encode(parts.test) if parts.test else None
        self.task.dev = self.dev_part

    def _task(self, ontology: Ontology) -> ExtractionTask:
        arguments = self.recipe.extraction
        max_length = min(arguments.max_length or self.backbone.max_length, self.backbone.max_length)
        kind = VARIANTS[arguments.extractor]
        builder = kind.builder(
            self.backbone.tokenizer, ontology, max_length=max_length, max_span_length=arguments.max_span_length
        )
        return kind.task(
            builder,
            batch_size=self.recipe.optimisation.per_device_eval_batch_size,
            word_dropout=arguments.word_dropout,
            pad_to_max_length=arguments.pad_to_max_length,
        )

    def make(self) -> RunResult:
        """Train, choose the margins, save, verify what was saved, and score."""
        self._report_coverage()
        plain = VARIANTS[self.recipe.extraction.extractor].model(
            self.backbone.model,
            max_span_length=self.recipe.extraction.max_span_length,
            dropout=self.recipe.extraction.head_dropout,
        )
        cheapen_dropout(plain)
        if self.recipe.optimisation.gradient_checkpointing:
            enable_gradient_checkpointing(plain)
        anatomy = with_saved_modules(
            plain, anatomy_of_extractor(plain, self.backbone), self.recipe.adapter.modules_to_save
        )
        notice = targets_notice(self.recipe.adapter.lora_target_modules, model_type_of(self.backbone.model))
        if notice:
            self.reporter.notice(notice)
        model = attach(plain, self.recipe.adapter, anatomy=anatomy, base_name=self.backbone.base.name)
        counts = self._examine(model, anatomy)
        trainer = self._train(model, anatomy.heads)
        if not processes.is_main():
            processes.wait()
            return RunResult.read(self.run.path / names.RESULT)
        if changed_base(model):
            model = self._on_unchanged_base(model)
        margins, scores = Margins(), {}
        if self.dev_part is not None:
            ranking = self.task.rank(model, self.dev_part)
            margins = self.task.tune(ranking, self.dev_part)
            scores["dev"] = self.task.score(ranking, self.dev_part, margins).to_dict()
        if self.test_part is not None:
            ranking = self.task.rank(model, self.test_part)
            scores["test"] = self.task.score(ranking, self.test_part, margins).to_dict()
            if self.recipe.optimisation.save_predictions:
                self.predictions = self.task.annotate(ranking, self.test_part, margins)
        measured = self.costs.of(trainer, counts, self._cost(trainer.epochs()), self.task, self.train_part)
        return self._save(model, trainer, margins, scores, measured)

    def _examine(self, model: nn.Module, anatomy: Anatomy) -> ParameterCounts:
        report = examine(model, anatomy=anatomy)
        counts = report.require(allow_frozen_heads=self.recipe.adapter.freeze_heads)
        self.reporter.notice(report.summary())
        for finding in (*report.errors, *report.warnings):
            self.reporter.notice(f"warning: {finding.message} ({finding.cure})")
        return counts

    def _on_unchanged_base(self, model: nn.Module) -> nn.Module:
        """Return the trained model as it is saved: scores are those of the run that others load."""
        with tempfile.TemporaryDirectory(dir=self.run.path) as folder:
            save_trained(model, Path(folder))
            return self._load(Path(folder)).to(next(model.parameters()).device)

    def _load(self, folder: Path) -> nn.Module:
        return build_model(
            self.backbone.base,
            folder,
            kind=self.recipe.extraction.extractor,
            max_span_length=self.task.builder.max_span_length,
        )

    def _train(self, model: nn.Module, heads: Sequence[str]) -> TaskTrainer:
        optimisation = self.recipe.optimisation
        checkpoint = last_checkpoint(self.run.checkpoints) if optimisation.resume_from_checkpoint else None
        if optimisation.resume_from_checkpoint:
            self.reporter.notice(f"resuming from {checkpoint.name}" if checkpoint else "no checkpoint yet: starting")
        if checkpoint is None and self.parts.pretrain:
            self._pretrain(model, heads)
        # What was drawn until here differs between a fresh and a resumed run; what follows must not.
        set_seed(optimisation.seed)
        trainer = self._trainer(model, heads, self.task, self.train_part, optimisation, self.run.checkpoints)
        self._require_gradients(model, trainer, heads)
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        return trainer

    def _pretrain(self, model: nn.Module, heads: Sequence[str]) -> None:
        """Train on the corpus that comes first; only the weights are kept of it."""
        optimisation = self.recipe.optimisation
        first = replace(optimisation, num_train_epochs=optimisation.num_pretrain_epochs)
        task = self._task(self.parts.pretrain_ontology)
        self.reporter.notice(f"{first.num_train_epochs} epochs on {self.recipe.data.pretrain_file} first")
        # Beside the run's own checkpoints, and gone with them: a killed pretraining is begun anew.
        folder = self.run.checkpoints / "pretraining"
        trainer = self._trainer(model, heads, task, task.encode(self.parts.pretrain), first, folder)
        trainer.train()
        processes.wait()
        if processes.is_main():
            shutil.rmtree(folder, ignore_errors=True)
        summary = epoch_summary(trainer.epochs())
        cost = {"pretrain_seconds": summary["train_seconds"], "peak_memory_bytes": summary["peak_memory_bytes"]}
        if processes.is_main():
            write_atomically(self.run.checkpoints / PRETRAINING, json.dumps(cost))

    def _trainer(
        self,
        model: nn.Module,
        heads: Sequence[str],
        task: ExtractionTask,
        part: EncodedPart,
        optimisation: OptimisationArguments,
        checkpoints: Path,
    ) -> TaskTrainer:
        if not part.examples:
            raise EventuneError("train_file: no event in it has a role to be trained on")
        has_dev = task.dev is not None
        callbacks = list(self.reporter.callbacks())
        if has_dev and optimisation.early_stopping_patience:
            callbacks.insert(0, EarlyStoppingCallback(optimisation.early_stopping_patience))
        return TaskTrainer(
            model,
            task,
            training_arguments(optimisation, checkpoints, has_dev=has_dev),
            examples=part.examples,
            learning_rate_of=lambda name: self._learning_rate(name, heads),
            store=AdapterStore(),
            ema_decay=optimisation.ema_decay,
            baseline_memory_bytes=self.baseline_memory_bytes,
            callbacks=callbacks,
        )

    def _learning_rate(self, name: str, heads: Sequence[str]) -> float:
        optimisation = self.recipe.optimisation
        is_head = plain_name(name).startswith(tuple(f"{head}." for head in heads))
        rate = optimisation.head_learning_rate if is_head else optimisation.learning_rate
        return rate * learning_rate_ratio(name, self.recipe.adapter)

    def _require_gradients(self, model: nn.Module, trainer: TaskTrainer, heads: Sequence[str]) -> None:
        batch = self.task.collate(self.train_part.examples[: self.recipe.optimisation.per_device_train_batch_size])
        batch = {name: tensor.to(trainer.args.device) for name, tensor in batch.items()}
        require_gradients(model, lambda: self.task.loss(model.train(), batch), heads=heads)

    def _report_coverage(self) -> None:
        for name, part in (("train", self.train_part), ("dev", self.dev_part), ("test", self.test_part)):
            if part is not None and part.coverage.unreachable:
                reasons = ", ".join(f"{count} {reason}" for reason, count in part.coverage.unreachable.items())
                self.reporter.notice(
                    f"{name}: {part.coverage.unreachable.total()} of {part.coverage.arguments} gold arguments are out "
                    f"of reach ({reasons}); they count as missed"
                )

    def _save(
        self,
        model: nn.Module,
        trainer: TaskTrainer,
        margins: Margins,
        scores: dict[str, Any],
        measured: Mapping[str, Any],
    ) -> RunResult:
        epochs = trainer.epochs()
        with atomic_folder(self.run.path / "final") as staging:
            save_trained(model, staging)
            saved_bytes = weights_file(staging).stat().st_size
            write_ontology(self.task.ontology, staging / names.ONTOLOGY)
            self.backbone.tokenizer.save_pretrained(staging)
            write_json(staging / names.BASE, self.backbone.base.to_dict())
            write_json(
                staging / names.EXTRACTOR,
                {
                    "task": "extraction",
                    "extractor": self.recipe.extraction.extractor,
                    "method": self.recipe.adapter.method,
                    "max_length": self.task.builder.max_length,
                    "max_span_length": self.task.builder.max_span_length,
                    "margins": {"first": margins.first, "further": margins.further},
                    names.ONTOLOGY_BYTES: (staging / names.ONTOLOGY).stat().st_size,
                },
            )
            if self.predictions:
                write_corpus(self.predictions, staging / names.PREDICTIONS)
            history = "".join(json.dumps(epoch) + "\n" for epoch in epochs)
            (staging / names.HISTORY).write_text(history, encoding="utf-8")
            self._verify(model, staging)
            result = RunResult(
                scores=scores,
                resources={**self._cost(epochs), **measured, "saved_bytes": saved_bytes},
                data=self._data(),
                versions=library_versions(),
                hardware=hardware(),
                seed=self.recipe.optimisation.seed,
            )
            event_type = next(iter(self.task.ontology.types))
            card = model_card(self.recipe.to_dict(), result.to_dict(), event_type=event_type)
            (staging / names.CARD).write_text(card, encoding="utf-8")
        self.run.finish(self.run.path / "final", result.to_dict())
        processes.wait()
        return result

    def _cost(self, epochs: Sequence[Mapping[str, float]]) -> dict[str, float]:
        """Return time and memory of the epochs and of the pretraining, which may have been another process's."""
        cost = epoch_summary(epochs)
        path = self.run.checkpoints / PRETRAINING
        if path.is_file():
            before = read_json(path)
            cost["pretrain_seconds"] = before["pretrain_seconds"]
            cost["peak_memory_bytes"] = max(cost["peak_memory_bytes"], before["peak_memory_bytes"])
            cost["peak_memory_above_baseline_bytes"] = cost["peak_memory_bytes"] - cost["baseline_memory_bytes"]
        return cost

    def _verify(self, model: nn.Module, folder: Path) -> None:
        """Load what was saved anew and compare: a run that does not give the trained model back is no run."""
        batch = self.task.collate(self.train_part.examples[:4])
        del batch["targets"], batch["slots"]
        reloaded = self._load(folder)
        device = next(model.parameters()).device
        with torch.inference_mode():
            expected = model.eval()(**{name: tensor.to(device) for name, tensor in batch.items()})
            found = reloaded.eval().to(device)(**{name: tensor.to(device) for name, tensor in batch.items()})
        if not (torch.equal(expected.spans, found.spans) and torch.equal(expected.null, found.null)):
            raise EventuneError(
                "the saved run does not give the trained model's scores when it is loaded again",
                "please report this with the recipe: it is a defect of eventune",
            )

    def _data(self) -> dict[str, Any]:
        return {
            name: {
                "documents": len(part.documents),
                "events": sum(len(document.events) for document in part.documents),
                "arguments": part.coverage.arguments,
                "unreachable": dict(part.coverage.unreachable),
            }
            for name, part in (("train", self.train_part), ("dev", self.dev_part), ("test", self.test_part))
            if part is not None
        }
