"""A finished fine-tuning on disk: what eventune reads, and the files that transformers' scripts leave."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from eventune.adapters.guard import ParameterCounts
from eventune.adapters.store import save_trained, trained_weights, weights_file
from eventune.adapters.weight_files import read_weights
from eventune.backbones.causal_lm import CausalLM
from eventune.errors import EventuneError
from eventune.model_card import generator_card
from eventune.results import RunResult
from eventune.run_costs import generation_costs
from eventune.sft.parts import EncodedSplits, RowSplits
from eventune.sft.responses import Predictions
from eventune.sft.settings import SftArguments
from eventune.sft.source import Source
from eventune.storage.atomic import atomic_folder
from eventune.storage.json_files import read_json, write_json
from eventune.training import run_directory as names
from eventune.training.meter import hardware, library_versions
from eventune.training.run_directory import RunDirectory
from eventune.training.trainer import TaskTrainer

PERCENT = ("rouge-1", "rouge-2", "rouge-l", "bleu-4")
"""What the notes' script gives in percent; so do its files here, and `result.json` in fractions."""


@dataclass
class Finished:
    """What a run was made of and what it led to, as it becomes known.

    Attributes:
        arguments: Its settings.
        parts: Its rows.
        encoded: The rows, encoded.
        source: What it started from.
        lm: The base.
        trainer: The trainer; None where nothing was trained.
        counts: Parameters of the trained model.
        scores: Metrics of each part.
        predictions: What was generated for the test part.
    """

    arguments: SftArguments
    parts: RowSplits
    encoded: EncodedSplits
    source: Source
    lm: CausalLM
    trainer: TaskTrainer | None = None
    counts: ParameterCounts | None = None
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    predictions: Predictions | None = None


def save_run(run: RunDirectory, model: nn.Module, finished: Finished) -> RunResult:
    """Write a run's directory, complete or not at all.

    Args:
        run: The directory, prepared.
        model: The trained model.
        finished: The run.

    Returns:
        Its result.
    """
    with atomic_folder(run.path / "final") as staging:
        resources: dict[str, Any] = {}
        if finished.trainer is not None:
            save_trained(model, staging)
            _require_same(model, staging)
            resources = {
                **generation_costs(
                    finished.trainer,
                    finished.lm.model,
                    [len(example.input_ids) for example in finished.encoded.train],
                    method=finished.arguments.model.adapter().method,
                    counts=finished.counts,
                ),
                "saved_bytes": weights_file(staging).stat().st_size,
            }
        finished.lm.tokenizer.save_pretrained(staging)
        write_json(staging / names.BASE, finished.source.base.to_dict())
        write_json(staging / names.GENERATOR, _generator(finished))
        result = RunResult(
            scores={name: _score(finished, name) for name in finished.scores},
            resources=resources,
            data=finished.encoded.counts(),
            versions=library_versions(),
            hardware=hardware(),
            seed=finished.arguments.training.seed,
        )
        _write_classic(staging, finished, resources)
        card = generator_card(finished.arguments.given, result.to_dict(), base=finished.source.base.name)
        (staging / names.CARD).write_text(card, encoding="utf-8")
    run.finish(run.path / "final", result.to_dict())
    return result


def _score(finished: Finished, part: str) -> dict[str, Any]:
    return {
        "scorer": "generation",
        "metrics": finished.scores[part],
        "counts": {"rows": len(getattr(finished.parts, part))},
    }


def _generator(finished: Finished) -> dict[str, Any]:
    data = finished.arguments.data
    return {
        "task": "generation",
        "method": _method(finished),
        "max_source_length": data.max_source_length,
        "max_new_tokens": finished.arguments.generated_length,
        "source_prefix": data.source_prefix,
    }


def _method(finished: Finished) -> str:
    """Return how the weights were trained: by this run, or by the one that it only evaluates."""
    if finished.trainer is None and finished.source.run is not None:
        path = finished.source.run / names.GENERATOR
        return str(read_json(path).get("method", "")) if path.is_file() else ""
    return finished.arguments.model.adapter().method if finished.trainer is not None else "none"


def _require_same(model: nn.Module, folder: Path) -> None:
    """Compare what was written with what was trained: a run that does not give it back is no run."""
    written, trained = read_weights(weights_file(folder)), trained_weights(model)
    if written.keys() != trained.keys() or not all(
        torch.equal(written[name], tensor.cpu()) for name, tensor in trained.items()
    ):
        raise EventuneError(
            "the saved run does not hold the trained weights",
            "please report this with the settings: it is a defect of eventune",
        )


def _write_classic(folder: Path, finished: Finished, resources: Mapping[str, Any]) -> None:
    """Write the files that transformers' example scripts leave, under their names and in their units."""
    everything: dict[str, Any] = {}
    trainer = finished.trainer
    if trainer is not None:
        history = trainer.state.log_history
        everything["train"] = {
            "epoch": trainer.state.epoch,
            "train_loss": next((entry["train_loss"] for entry in history if "train_loss" in entry), None),
            "train_runtime": resources["train_seconds"],
            "train_samples": len(finished.parts.train),
            "train_samples_per_second": resources["rows_per_second"],
        }
        trainer.state.save_to_json(str(folder / "trainer_state.json"))
        (folder / names.HISTORY).write_text("".join(json.dumps(row) + "\n" for row in history), encoding="utf-8")
    for part, prefix in (("dev", "eval"), ("test", "predict")):
        if part in finished.scores:
            figures = {
                f"{prefix}_{name}": round(100 * value, 4) if name in PERCENT else value
                for name, value in finished.scores[part].items()
            }
            everything[prefix] = {**figures, f"{prefix}_samples": len(getattr(finished.parts, part))}
    for prefix, figures in everything.items():
        write_json(folder / f"{prefix}_results.json", figures)
    together = {name: value for part in everything.values() for name, value in part.items()}
    for name in ("all_results.json", "metrics.json"):
        write_json(folder / name, together)
    if finished.predictions is not None:
        finished.predictions.write(folder)
