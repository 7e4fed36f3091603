"""Which runs a comparison consists of, where each lies, and what state it is in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eventune.comparison.arms import Arm, recipe_of
from eventune.errors import EventuneError
from eventune.recipe import Recipe
from eventune.results import RunResult, read_json, write_atomically

RUNS = "runs"
RECIPE, RESULT, ERROR, LOG = "recipe.yaml", "result.json", "error.json", "log.txt"


@dataclass(frozen=True, slots=True)
class Run:
    """One arm with one seed.

    Attributes:
        arm: The arm.
        seed: The seed.
        folder: Where recipe, log and run directory lie.
        recipe: All its settings.
    """

    arm: Arm
    seed: int
    folder: Path
    recipe: Recipe

    @property
    def run_directory(self) -> Path:
        """The directory that training makes."""
        return self.folder / "run"

    def result(self) -> RunResult | None:
        """Return its result; None while it has none."""
        path = self.run_directory / RESULT
        return RunResult.read(path) if path.is_file() else None

    def error(self) -> str:
        """Return why it failed; empty if it did not."""
        path = self.folder / ERROR
        return str(read_json(path).get("error", "")) if path.is_file() and self.result() is None else ""

    def fail(self, message: str) -> None:
        """Write down why it failed."""
        write_atomically(self.folder / ERROR, json.dumps({"error": message}, ensure_ascii=False) + "\n")


def plan_runs(base: Mapping[str, Any], arms: Sequence[Arm], seeds: Sequence[int], output_dir: Path) -> list[Run]:
    """Lay out the runs, arm by arm for each seed, so that an interrupted comparison has all arms of the first seeds.

    Args:
        base: The settings that all arms share.
        arms: The arms.
        seeds: The seeds.
        output_dir: The comparison's folder.

    Returns:
        The runs, in the order they are made in.

    Raises:
        EventuneError: If an arm's settings are wrong, or a run that is there was made with others.
    """
    runs = list(_laid_out(base, arms, seeds, output_dir))
    for run in runs:
        _require_same(run)
    return runs


def _laid_out(base: Mapping[str, Any], arms: Sequence[Arm], seeds: Sequence[int], output_dir: Path) -> Iterator[Run]:
    for seed in seeds:
        for arm in arms:
            folder = output_dir / RUNS / arm.folder / f"seed-{seed}"
            own = {"seed": seed, "output_dir": str(folder / "run"), "save_predictions": True}
            yield Run(arm, seed, folder, recipe_of(base, arm, **own))


def _require_same(run: Run) -> None:
    """Refuse to take a run for another: the same arm's name may have meant other settings the last time."""
    for path in (run.folder / RECIPE, run.run_directory / RECIPE):
        if path.is_file():
            before = Recipe.read(path).to_dict()
            now = run.recipe.to_dict()
            different = [name for name in now if before[name] != now[name] and name != "output_dir"]
            if different:
                name = different[0]
                raise EventuneError(
                    f"{run.folder}: made with {name} = {before[name]!r}, now it would be {now[name]!r}",
                    "choose another --output_dir, or remove that run",
                )
