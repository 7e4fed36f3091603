"""Scores and run results in the one shape that files, `--json` and tables share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eventune.errors import EventuneError
from eventune.storage.validation import read_settings


@dataclass(frozen=True, slots=True)
class Score:
    """Micro-averaged precision, recall and F1 with the counts they come from.

    Attributes:
        scorer: Name of the definition that counted, e.g. `rams`.
        gold: How many gold arguments there are.
        predicted: How many arguments were predicted.
        matched: How many predictions match a gold argument.
        tables: Breakdowns by name, as JSON values.
    """

    scorer: str
    gold: int
    predicted: int
    matched: int
    tables: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def precision(self) -> float:
        """Matched / predicted; 0 without predictions."""
        return self.matched / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Matched / gold; 0 without gold."""
        return self.matched / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 where both are."""
        total = self.predicted + self.gold
        return 2 * self.matched / total if total else 0.0

    @property
    def metrics(self) -> dict[str, float]:
        """The three by their names."""
        return {"precision": self.precision, "recall": self.recall, "f1": self.f1}

    def to_dict(self) -> dict[str, Any]:
        """Return the score as `{"scorer", "metrics", "counts", …tables}`."""
        return {
            "scorer": self.scorer,
            "metrics": self.metrics,
            "counts": {"gold": self.gold, "predicted": self.predicted, "matched": self.matched},
            **self.tables,
        }


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a training run reached and what it cost: the content of `result.json`.

    Attributes:
        scores: Score of each part that was evaluated (`dev`, `test`), as `Score.to_dict` gives it.
        resources: `train_seconds`, `peak_memory_bytes`, `trainable_parameters`, `saved_bytes` and the like.
        data: Documents, events and arguments of each part, and the gold arguments that no prediction can reach.
        versions: Version of each library that had a part in it.
        hardware: Processor, cores, memory, accelerator.
        seed: The seed of the run.
        steps: Of a run that is made in steps, the scores of each step by itself.
    """

    scores: Mapping[str, Mapping[str, Any]]
    resources: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    hardware: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    steps: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON values; the headline score (test, else dev) stands at the top."""
        headline = self.scores.get("test") or self.scores.get("dev") or {}
        top = {name: headline[name] for name in ("scorer", "metrics", "counts") if name in headline}
        return {
            **top,
            "scores": dict(self.scores),
            **({"steps": dict(self.steps)} if self.steps else {}),
            "resources": dict(self.resources),
            "data": dict(self.data),
            "seed": self.seed,
            "versions": dict(self.versions),
            "hardware": dict(self.hardware),
        }

    @classmethod
    def read(cls, path: Path) -> RunResult:
        """Read a `result.json`.

        Args:
            path: The file.

        Returns:
            The result.

        Raises:
            EventuneError: If the file is missing or is not a run's result.
        """
        # Earlier versions knew fewer fields, later ones may know more; a loss may have been infinite.
        result = read_settings(path, cls, finite=False)
        for name, score in result.scores.items():
            if not isinstance(score.get("metrics"), Mapping):
                raise EventuneError(f"{path}: scores.{name}: expected metrics, found {', '.join(score) or 'nothing'}")
        return result
