"""From a recipe with `task: generation` to a run directory: a causal LM that is trained to answer with arguments."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import EarlyStoppingCallback, set_seed

from eventune.adapters.anatomy import anatomy_of
from eventune.adapters.attaching import attach, enable_gradient_checkpointing
from eventune.adapters.changed_base import changed_base
from eventune.adapters.chatglm.targets import targets_notice
from eventune.adapters.guard import examine, require_gradients
from eventune.adapters.lora import learning_rate_ratio
from eventune.adapters.store import AdapterStore, load_into, save_trained, weights_file
from eventune.adapters.targets import model_type_of
from eventune.backbones.causal_lm import load_causal_lm
from eventune.backbones.resolve import BaseModel
from eventune.corpora import write_corpus, write_ontology
from eventune.errors import EventuneError
from eventune.events import Document
from eventune.generation.extracting.calibration import Calibration
from eventune.generation.extracting.prompt_encoding import EncodedQuestions
from eventune.generation.extracting.prompts import PromptTemplate
from eventune.generation.extracting.task import DEFAULT_MIN_PROBABILITY, RECALL_MIN_PROBABILITY, annotated
from eventune.generation.templates import choose_template
from eventune.generative_extractor import (
    EXAMPLES,
    LONGEST_PROMPT,
    PROMPT,
    UNTRAINED,
    GenerativeSettings,
    build_task,
)
from eventune.model_card import model_card
from eventune.parts import DocumentSplits
from eventune.recipe import Recipe
from eventune.reporter import Reporter
from eventune.results import RunResult
from eventune.run_costs import generation_costs
from eventune.storage.atomic import atomic_folder
from eventune.storage.json_files import write_json
from eventune.training import processes
from eventune.training import run_directory as names
from eventune.training.checkpoint import last_checkpoint
from eventune.training.epochwise import training_arguments
from eventune.training.meter import current_memory_bytes, hardware, library_versions
from eventune.training.run_directory import RunDirectory
from eventune.training.trainer import TaskTrainer


class GenerativeExperiment:
    """One run, from the loaded model to the finished directory."""

    def __init__(
        self, recipe: Recipe, parts: DocumentSplits, base: BaseModel, run: RunDirectory, reporter: Reporter
    ) -> None:
        self.recipe, self.parts, self.base, self.run, self.reporter = recipe, parts, base, run, reporter
        self.lm = load_causal_lm(base, dtype=recipe.generation.torch_dtype)
        choose_template(self.lm.tokenizer, "auto")
        self.settings = self._settings()
        self.prompt = PromptTemplate.read(recipe.generation.prompt_template, parts.ontology)
        self.task = build_task(
            self.lm,
            parts.ontology,
            self.settings,
            prompt=self.prompt,
            examples=parts.train,
            batch_size=recipe.optimisation.per_device_eval_batch_size,
        )
        self.baseline_memory_bytes = current_memory_bytes()
        documents = {"train": parts.train if self.is_trained else (), "dev": parts.dev, "test": parts.test}
        self.encoded = {name: self.task.prompt_encoder.encode(part) for name, part in documents.items() if part}
        self.task.dev = self.encoded.get("dev")
        self.resources: dict[str, Any] = {}
        self.scores: dict[str, Any] = {}
        self.counts: dict[str, Any] = {}
        self.predictions: Sequence[Document] = ()

    @property
    def is_trained(self) -> bool:
        """Whether anything is trained, and not the model tried as it is."""
        return self.recipe.optimisation.num_train_epochs > 0

    def make(self) -> RunResult:
        """Train, calibrate, score, save."""
        self._report_coverage()
        trainer: TaskTrainer | None = None
        model: nn.Module = self.lm.model
        if self.is_trained:
            model = self._attached()
            trainer = self._trained(model)
        if not processes.is_main():
            processes.wait()
            return RunResult.read(self.run.path / names.RESULT)
        if trainer is not None and changed_base(model):
            model = self._on_unchanged_base(model)
        model.to(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
        calibration = self._calibrated(model)
        if "test" in self.encoded:
            self.predictions = self._scored(model, "test", calibration)
        self.settings = replace(self.settings, calibration=asdict(calibration))
        return self._save(model, trainer)

    def _settings(self) -> GenerativeSettings:
        recipe, generation = self.recipe, self.recipe.generation
        room = self.lm.max_length - generation.max_new_tokens
        if room < 1:
            raise EventuneError(
                f"max_new_tokens: expected fewer than the {self.lm.max_length} tokens that {self.base.name} reads and "
                f"writes at once, found {generation.max_new_tokens}"
            )
        return GenerativeSettings(
            method=recipe.adapter.method if self.is_trained else UNTRAINED,
            decoding=generation.decoding,
            max_length=min(recipe.extraction.max_length or LONGEST_PROMPT, room),
            max_new_tokens=generation.max_new_tokens,
            max_span_length=recipe.extraction.max_span_length,
            events_per_prompt=generation.events_per_prompt,
            num_examples=generation.num_examples,
            torch_dtype=generation.torch_dtype,
            min_probability=RECALL_MIN_PROBABILITY
            if self.parts.dev and generation.decoding == "grounded"
            else DEFAULT_MIN_PROBABILITY,
        )

    def _attached(self) -> nn.Module:
        optimisation, adapter = self.recipe.optimisation, self.recipe.adapter
        if optimisation.gradient_checkpointing:
            enable_gradient_checkpointing(self.lm.model)
        anatomy = anatomy_of(self.lm.model)
        notice = targets_notice(adapter.lora_target_modules, model_type_of(self.lm.model))
        if notice:
            self.reporter.notice(notice)
        model = attach(self.lm.model, adapter, anatomy=anatomy, base_name=self.base.name)
        report = examine(model, anatomy=anatomy)
        self.parameters = report.require()
        self.reporter.notice(report.summary())
        return model

    def _trained(self, model: nn.Module) -> TaskTrainer:
        optimisation, adapter = self.recipe.optimisation, self.recipe.adapter
        checkpoint = last_checkpoint(self.run.checkpoints) if optimisation.resume_from_checkpoint else None
        if optimisation.resume_from_checkpoint:
            self.reporter.notice(f"resuming from {checkpoint.name}" if checkpoint else "no checkpoint yet: starting")
        # What was drawn until here differs between a fresh and a resumed run; what follows must not.
        set_seed(optimisation.seed)
        has_dev = self.task.dev is not None
        callbacks = list(self.reporter.callbacks())
        if has_dev and optimisation.early_stopping_patience:
            callbacks.insert(0, EarlyStoppingCallback(optimisation.early_stopping_patience))
        examples = self.encoded["train"].examples
        if not examples:
            raise EventuneError("train_file: no event in it has a role to be trained on")
        trainer = TaskTrainer(
            model,
            self.task,
            training_arguments(optimisation, self.run.checkpoints, has_dev=has_dev),
            examples=examples,
            learning_rate_of=lambda name: optimisation.learning_rate * learning_rate_ratio(name, adapter),
            store=AdapterStore(),
            ema_decay=optimisation.ema_decay,
            baseline_memory_bytes=self.baseline_memory_bytes,
            callbacks=callbacks,
        )
        batch = {name: part.to(trainer.args.device) for name, part in self.task.collate(examples[:2]).items()}
        require_gradients(model, lambda: self.task.loss(model.train(), batch), heads=())
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        self.resources = generation_costs(
            trainer,
            self.lm.model,
            [len(example.input_ids) for example in examples],
            method=adapter.method,
            counts=self.parameters,
        )
        return trainer

    def _on_unchanged_base(self, model: nn.Module) -> nn.Module:
        """Return the trained model as it is saved: scores are those of the run that others load."""
        with tempfile.TemporaryDirectory(dir=self.run.path) as folder:
            save_trained(model, Path(folder))
            return load_into(load_causal_lm(self.base, dtype=self.settings.torch_dtype).model, Path(folder))

    def _calibrated(self, model: nn.Module) -> Calibration:
        """Fit the confidence on the dev part, and score it so."""
        if "dev" not in self.encoded:
            return Calibration()
        part = self.encoded["dev"]
        answers = self.task.answer(model, part, min_probability=self.settings.min_probability)
        calibration, errors = self.task.calibrate(answers, part)
        result = self.task.score(part, annotated(part.documents, answers, calibration)).to_dict()
        self.scores["dev"] = result
        self.counts["dev"] = {**answers.counts, **errors}
        return calibration

    def _scored(self, model: nn.Module, name: str, calibration: Calibration) -> list[Document]:
        part = self.encoded[name]
        answers = self.task.answer(model, part, min_probability=self.settings.min_probability)
        documents = annotated(part.documents, answers, calibration)
        self.scores[name] = self.task.score(part, documents).to_dict()
        self.counts[name] = dict(answers.counts)
        return documents

    def _report_coverage(self) -> None:
        for name, part in self.encoded.items():
            if part.unreachable:
                reasons = ", ".join(f"{count} {reason}" for reason, count in part.unreachable.items())
                self.reporter.notice(
                    f"{name}: {part.unreachable.total()} of {part.arguments} gold arguments are out of reach "
                    f"({reasons}); they count as missed"
                )

    def _save(self, model: nn.Module, trainer: TaskTrainer | None) -> RunResult:
        with atomic_folder(self.run.path / "final") as staging:
            saved_bytes = 0
            if trainer is not None:
                save_trained(model, staging)
                saved_bytes = weights_file(staging).stat().st_size
                history = "".join(json.dumps(epoch) + "\n" for epoch in trainer.epochs())
                (staging / names.HISTORY).write_text(history, encoding="utf-8")
                self._verify(model, staging)
            self._write_extractor(staging)
            if self.predictions and self.recipe.optimisation.save_predictions:
                write_corpus(self.predictions, staging / names.PREDICTIONS)
            result = RunResult(
                scores=self.scores,
                resources={**self.resources, "saved_bytes": saved_bytes},
                data={name: self._counted(name, part) for name, part in self.encoded.items()},
                versions=library_versions(),
                hardware=hardware(),
                seed=self.recipe.optimisation.seed,
            )
            event_type = next(iter(self.parts.ontology.types))
            card = model_card(self.recipe.to_dict(), result.to_dict(), event_type=event_type)
            (staging / names.CARD).write_text(card, encoding="utf-8")
        self.run.finish(self.run.path / "final", result.to_dict())
        processes.wait()
        return result

    def _write_extractor(self, folder: Path) -> None:
        """Write what the run needs to extract."""
        write_ontology(self.parts.ontology, folder / names.ONTOLOGY)
        (folder / PROMPT).write_text(self.prompt.source, encoding="utf-8")
        if self.settings.num_examples:
            write_corpus(self.parts.train, folder / EXAMPLES)
        self.lm.tokenizer.save_pretrained(folder)
        write_json(folder / names.BASE, self.base.to_dict())
        size = (folder / names.ONTOLOGY).stat().st_size
        settings = {"task": "generation", **asdict(self.settings), names.ONTOLOGY_BYTES: size}
        write_json(folder / names.EXTRACTOR, settings)

    def _verify(self, model: nn.Module, folder: Path) -> None:
        """Load what was saved anew and compare: a run that does not give the trained model back is no run."""
        batch = self.task.collate(self.encoded["train"].examples[:2])
        fresh = load_into(load_causal_lm(self.base, dtype=self.settings.torch_dtype).model, folder)
        device = next(model.parameters()).device
        batch = {name: part.to(device) for name, part in batch.items()}
        with torch.inference_mode():
            expected, found = (self.task.loss(each.eval().to(device), batch) for each in (model, fresh))
        if not torch.equal(expected, found):
            raise EventuneError(
                "the saved run does not give the trained model's loss when it is loaded again",
                "please report this with the recipe: it is a defect of eventune",
            )

    def _counted(self, name: str, part: EncodedQuestions) -> dict[str, Any]:
        counts: Mapping[str, Any] = self.counts.get(name, {})
        return {
            "documents": len(part.documents),
            "events": sum(len(document.events) for document in part.documents),
            "arguments": part.arguments,
            "unreachable": dict(part.unreachable),
            **({"answers": counts} if counts else {}),
        }
