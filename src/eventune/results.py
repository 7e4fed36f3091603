"""Scores and run results in the one shape that files, `--json` and tables share."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eventune.errors import EventuneError


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

    def to_dict(self) -> dict[str, Any]:
        """Return the score as `{"scorer", "metrics", "counts", …tables}`."""
        return {
            "scorer": self.scorer,
            "metrics": {"precision": self.precision, "recall": self.recall, "f1": self.f1},
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
    """

    scores: Mapping[str, Any]
    resources: Mapping[str, Any]
    data: Mapping[str, Any]
    versions: Mapping[str, str]
    hardware: Mapping[str, Any]
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON values; the headline score (test, else dev) stands at the top."""
        headline = self.scores.get("test") or self.scores.get("dev") or {}
        top = {name: headline[name] for name in ("scorer", "metrics", "counts") if name in headline}
        return {
            **top,
            "scores": dict(self.scores),
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
        value = read_json(path)
        names = ("scores", "resources", "data", "versions", "hardware", "seed")
        missing = [name for name in names if name not in value]
        if missing:
            raise EventuneError(f"{path}: expected a run's result, found no field {missing[0]!r}")
        return cls(**{name: value[name] for name in names})


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write an object as JSON, completely or not at all."""
    write_atomically(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object from a file.

    Args:
        path: The file, in UTF-8.

    Returns:
        The object.

    Raises:
        EventuneError: If the file is missing, is cut off, or holds something else than one JSON object.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise EventuneError(f"{path}: no such file") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise EventuneError(f"{path}: expected JSON, found: {error}", "the file may have been cut off") from None
    if not isinstance(value, dict):
        raise EventuneError(f"{path}: expected a JSON object, found {type(value).__name__}")
    return value


def write_atomically(path: Path, text: str | Iterable[str], *, hint: str = "") -> None:
    """Write a text file so that it is either complete or as it was, also when the process is killed.

    Args:
        path: The file; its folder exists.
        text: Its content, or the pieces of it one by one, written as UTF-8; what they raise leaves the file as it was.
        hint: What to do where it cannot be written.

    Raises:
        EventuneError: If the disk is full or the folder cannot be written to.
    """
    staging = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with staging.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines([text] if isinstance(text, str) else text)
            file.flush()
            os.fsync(file.fileno())
        staging.replace(path)
    except OSError as error:
        hint = hint or "free some space or choose another place"
        raise EventuneError(f"{path}: cannot be written: {error.strerror}", hint) from None
    finally:
        staging.unlink(missing_ok=True)
