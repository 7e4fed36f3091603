"""Which runs a comparison consists of, where each lies, and what state it is in."""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eventune.comparison.arms import Arm, recipe_of
from eventune.comparison.kinds import Headline, RunKind, kind_of
from eventune.errors import EventuneError
from eventune.recipe import read_settings
from eventune.results import RunResult
from eventune.storage.atomic import write_atomically
from eventune.storage.json_files import read_json
from eventune.storage.paths import exists, is_file

RUNS = "runs"
RECIPE, RESULT, ERROR, LOG = "recipe.yaml", "result.json", "error.json", "log.txt"


@dataclass(frozen=True, slots=True)
class Run:
    """One arm with one seed, and one fold where the documents are tested in folds.

    Attributes:
        arm: The arm.
        seed: The seed.
        fold: The fold that is the test part, or an empty string.
        folder: Where recipe, log and run directory lie.
        kind: What kind of run it is.
        recipe: All its settings.
    """

    arm: Arm
    seed: int
    fold: str
    folder: Path
    kind: RunKind
    recipe: Any

    @property
    def title(self) -> str:
        """How messages call it."""
        return f"{self.arm.name}, seed {self.seed}" + (f", fold {self.fold}" if self.fold else "")

    @property
    def place(self) -> str:
        """Its folder's path below that of all runs."""
        return f"{self.arm.folder}/{_place(self.seed, self.fold)}"

    @property
    def run_directory(self) -> Path:
        """The directory that training makes."""
        return self.folder / "run"

    def result(self) -> RunResult | None:
        """Return its result; None while it has none."""
        path = self.run_directory / RESULT
        return RunResult.read(path) if exists(path) else None

    def predictions(self) -> Path | None:
        """Return the file of its predictions for the test part; None while it is not finished, or without that part."""
        path = self.run_directory / self.kind.predictions
        return path if self.result() is not None and is_file(path) else None

    def error(self) -> str:
        """Return why it failed; empty if it did not."""
        path = self.folder / ERROR
        return str(read_json(path).get("error", "")) if exists(path) and self.result() is None else ""

    def fail(self, message: str) -> None:
        """Write down why it failed."""
        write_atomically(self.folder / ERROR, json.dumps({"error": message}, ensure_ascii=False) + "\n")


def _place(seed: int, fold: str) -> str:
    return f"seed-{seed}" + (f"-fold-{fold.replace('/', '-of-')}" if fold else "")


def plan_runs(
    base: Mapping[str, Any],
    arms: Sequence[Arm],
    seeds: Sequence[int],
    output_dir: Path,
    folds: Sequence[str] = (),
    *,
    to_be_tuned: Collection[str] = (),
) -> list[Run]:
    """Lay out the runs, arm by arm for each seed, so that an interrupted comparison has all arms of the first seeds.

    Args:
        base: The settings that all arms share.
        arms: The arms.
        seeds: The seeds.
        output_dir: The comparison's folder.
        folds: The folds that are the test part one after the other, such as `1/5`; none where the settings say what is.
        to_be_tuned: Settings whose values are not known yet; runs that are there may have any.

    Returns:
        The runs, in the order they are made in.

    Raises:
        EventuneError: If an arm's settings are wrong, arms are scored by different measures, a run that is there was
            made with other settings, or folds are wanted of runs that know none.
    """
    if folds and kind_of(base).unknown({"test_fold": ""}):
        raise EventuneError("folds: expected a recipe of eventune train, whose documents can be tested in folds")
    runs = list(_laid_out(base, arms, seeds, output_dir, folds or ("",)))
    for run in runs:
        require_same(run, apart_from=to_be_tuned)
    return runs


def _laid_out(
    base: Mapping[str, Any], arms: Sequence[Arm], seeds: Sequence[int], output_dir: Path, folds: Sequence[str]
) -> Iterator[Run]:
    kind = kind_of(base)
    first: Headline | None = None
    for seed, fold in itertools.product(seeds, folds):
        for arm in arms:
            folder = output_dir / RUNS / arm.folder / _place(seed, fold)
            own = {"test_fold": fold} if fold else {}
            recipe = recipe_of(base, arm, **kind.own(seed, folder / "run"), **own)
            headline = kind.headline(recipe)
            if not (kind.dev_stands_in or kind.has_part(recipe, "test")):
                raise EventuneError(
                    f"arm {arm.name}: expected a test part, whose {headline.title} is compared, found none",
                    "give test_file or test_fraction, or --folds",
                )
            first = first or headline
            if headline != first:
                raise EventuneError(
                    f"arm {arm.name}: expected {first.definition}, which the first arm has, found "
                    f"{headline.definition}",
                    "scores of different measures cannot be compared; make a comparison for each",
                )
            yield Run(arm, seed, fold, folder, kind, recipe)


def require_same(run: Run, *, apart_from: Collection[str] = ()) -> None:
    """Refuse to take a run for another: the same arm's name may have meant other settings the last time.

    Args:
        run: The run, which need not be there.
        apart_from: Settings that may be different.

    Raises:
        EventuneError: If what is there was made with other settings.
    """
    for path in (run.folder / RECIPE, run.run_directory / RECIPE):
        if exists(path):
            require_made_by(run, path, run.folder, apart_from=apart_from)


def require_made_by(
    run: Run, recipe: Path, place: Path | str, *, option: str = "--output_dir", apart_from: Collection[str] = ()
) -> None:
    """Refuse a recipe that a run was made by, where it is not this run's.

    Args:
        run: The run.
        recipe: A file with the recipe.
        place: Where that run is, for the error.
        option: The option that says so.
        apart_from: Settings that may be different.

    Raises:
        EventuneError: If a setting is another.
    """
    before = run.kind.recipe(read_settings(recipe), source=str(recipe)).to_dict()
    now = run.recipe.to_dict()
    for name in dict.fromkeys((*now, *before)):
        if before.get(name) != now.get(name) and name not in ("output_dir", *apart_from):
            raise EventuneError(
                f"{place}: made with {name} = {before.get(name)!r}, now it would be {now.get(name)!r}",
                f"choose another {option}, or remove that run",
            )
