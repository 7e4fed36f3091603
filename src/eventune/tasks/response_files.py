"""Files of responses: eventune's, and those that transformers' example scripts leave, under their names and units."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eventune.generation.conversation import Conversation
from eventune.storage.json_files import write_json
from eventune.tasks.protocol import Outcome

CLASSIC_PREDICTIONS = "generated_predictions.txt"
"""JSON lines of `labels` and `predict`, as ChatGLM2's script writes them."""
PREDICTIONS = "predictions.jsonl"
"""JSON lines with the prompts and all references as well."""
PERCENT = ("rouge-1", "rouge-2", "rouge-l", "bleu-4")
"""What ChatGLM2-6B's script gives in percent; so do its files here, and `result.json` in fractions."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """Responses to a split's rows.

    Attributes:
        rows: The rows.
        texts: The responses, in the rows' order; empty where none were generated.
        metrics: Loss and perplexity; ROUGE, BLEU and chrF as fractions where rows have references.
    """

    rows: Sequence[Conversation]
    texts: Sequence[str]
    metrics: Mapping[str, float]

    def write(self, folder: Path) -> None:
        """Write both files of predictions."""
        with (folder / CLASSIC_PREDICTIONS).open("w", encoding="utf-8", newline="\n") as file:
            for row, text in zip(self.rows, self.texts, strict=True):
                file.write(json.dumps({"labels": row.response, "predict": text}, ensure_ascii=False) + "\n")
        with (folder / PREDICTIONS).open("w", encoding="utf-8", newline="\n") as file:
            for row, text in zip(self.rows, self.texts, strict=True):
                prompt = [{"role": turn.role, "content": turn.content} for turn in row.prompt]
                line = {"messages": prompt, "references": list(row.references), "prediction": text}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")


def write_classic_files(folder: Path, outcome: Outcome, rows: Mapping[str, int]) -> None:
    """Write the files that transformers' example scripts leave.

    Args:
        folder: The run directory.
        outcome: The run.
        rows: Number of rows of each split.
    """
    everything: dict[str, Any] = {}
    trainer = outcome.trainer
    if trainer is not None:
        history = trainer.state.log_history
        everything["train"] = {
            "epoch": trainer.state.epoch,
            "train_loss": next((entry["train_loss"] for entry in history if "train_loss" in entry), None),
            "train_runtime": outcome.resources["train_seconds"],
            "train_samples": rows["train"],
            "train_samples_per_second": outcome.resources["rows_per_second"],
        }
        trainer.state.save_to_json(str(folder / "trainer_state.json"))
    for split, prefix in (("dev", "eval"), ("test", "predict")):
        if split in outcome.scores:
            figures = {
                f"{prefix}_{name}": round(100 * value, 4) if name in PERCENT else value
                for name, value in outcome.scores[split]["metrics"].items()
            }
            everything[prefix] = {**figures, f"{prefix}_samples": rows[split]}
    for prefix, figures in everything.items():
        write_json(folder / f"{prefix}_results.json", figures)
    together = {name: value for figures in everything.values() for name, value in figures.items()}
    for name in ("all_results.json", "metrics.json"):
        write_json(folder / name, together)
