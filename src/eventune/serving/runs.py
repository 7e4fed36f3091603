"""The runs and exports that are served, runs on one base sharing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eventune.errors import EventuneError
from eventune.inference.extractor import Extractor
from eventune.runtime.folder import is_export
from eventune.scoring.definitions import DEFAULT_SCORER, SCORERS
from eventune.storage.json_files import read_json
from eventune.training.run_directory import RESULT, RunDirectory


@dataclass(frozen=True)
class ServedRun:
    """A run or an export in memory.

    Attributes:
        name: What requests call it.
        extractor: The run.
        result: What its `result.json` says; an export has none.
        scorer: What it is scored by where a request does not say.
        fingerprint: The extractor's, of the files that it was loaded from: they may be gone or others by now.
    """

    name: str
    extractor: Extractor
    result: dict[str, Any]
    scorer: str
    fingerprint: str

    def describe(self) -> dict[str, Any]:
        """Return what `GET /v1/models` tells of it; where it lies on the disk is nobody's business."""
        scores = self.result.get("scores")
        return {
            "id": self.name,
            "object": "model",
            "fingerprint": self.fingerprint,
            "detects": self.extractor.detects,
            "finds_arguments": self.extractor.finds_arguments,
            "scores": {
                split: {name: score[name] for name in ("scorer", "measure", "metrics", "counts") if name in score}
                for split, score in (scores.items() if isinstance(scores, dict) else ())
                if isinstance(score, dict)
            },
            "ontology": self.extractor.ontology.to_dict(),
        }


def load_served(folders: Sequence[Path], **options: Any) -> dict[str, ServedRun]:
    """Load runs and exports.

    Args:
        folders: The run directories, or folders of exports, which need no torch.
        **options: See `Extractor.load`.

    Returns:
        The runs by name, in their order.

    Raises:
        EventuneError: As `Extractor.load` does, or if two folders are one.
    """
    names = names_of(folders)
    loaded: dict[str, ServedRun] = {}
    for name, folder in zip(names, folders, strict=True):
        extractor = _load(folder, [run.extractor for run in loaded.values()], options)
        scorer = RunDirectory(folder).setting("scorer")
        # A recipe may be a stranger's.
        known = scorer if isinstance(scorer, str) and scorer in SCORERS else DEFAULT_SCORER
        result = {} if is_export(folder) else read_json(folder / RESULT)
        scorer = "textee" if extractor.detects else known
        loaded[name] = ServedRun(name, extractor, result, scorer, extractor.fingerprint)
    return loaded


def annotates(folder: Path) -> bool:
    """Tell whether a run finds something in documents; one that does not chats.

    Raises:
        EventuneError: If it is unfinished, or lacks a file.
    """
    from eventune.runs.opening import open_run

    return open_run(folder).entry.annotates


def names_of(folders: Sequence[Path], what: str = "RUN") -> list[str]:
    """Return the shortest ends of paths that tell folders apart, such as `rams` and `phee`, or `a/run` and `b/run`.

    Args:
        folders: The folders.
        what: The argument that names them, for errors.

    Raises:
        EventuneError: If two folders are one.
    """
    if not folders:
        return []
    parts = [folder.resolve().parts for folder in folders]
    for count in range(1, max(map(len, parts)) + 1):
        names = ["/".join(part[-count:]) for part in parts]
        if len(set(names)) == len(names):
            return names
    raise EventuneError(f"{what}: expected each folder once, found one twice", "leave one out")


def _load(folder: Path, others: Sequence[Extractor], options: dict[str, Any]) -> Extractor:
    for base in dict.fromkeys(other.base for other in others if other.base is not None):
        try:
            return Extractor.load(folder, base=base, **options)
        except EventuneError:
            # On another base, or it cannot share one; what else is wrong with it is told below.
            continue
    return Extractor.load(folder, **options)
