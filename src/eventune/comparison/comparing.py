"""From a recipe and its arms to the written comparison."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eventune.comparison.arms import Arm
from eventune.comparison.cluster import make_runs_on_ray
from eventune.comparison.execution import Listener, make_runs
from eventune.comparison.plan import Run, plan_runs
from eventune.comparison.result import compare
from eventune.comparison.tallies import require_same_documents
from eventune.comparison.tuning import Tuned, require_tunable, tune
from eventune.comparison.writing import write_comparison
from eventune.errors import EventuneError
from eventune.storage.paths import make_folder


@dataclass(frozen=True, slots=True)
class Options:
    """How a comparison is carried out.

    Attributes:
        seeds: The seeds of each arm.
        folds: The folds that each seed is tested on; none where the recipe says what the test part is.
        workers: Runs at a time; by default one on this machine, and on a cluster as many as it has room for.
        ray: Address of a Ray cluster, or an empty string.
        shared: fsspec URL to share runs through, or an empty string.
        tuned_settings: Settings that are tuned for each arm on the dev part.
        trials: Trials of each arm.
    """

    seeds: tuple[int, ...] = (0,)
    folds: tuple[str, ...] = ()
    workers: int | None = None
    ray: str = ""
    shared: str = ""
    tuned_settings: tuple[str, ...] = ()
    trials: int = 8


def run_comparison(
    base: Mapping[str, Any],
    arms: Sequence[Arm],
    output_dir: Path,
    options: Options,
    *,
    title: str,
    notice: Callable[[str], None] = lambda _: None,
    listener: Listener | None = None,
) -> dict[str, Any]:
    """Make what is missing of a comparison and write its result.

    Args:
        base: The settings that all arms share.
        arms: The arms; the first is what the others are compared with.
        output_dir: The comparison's folder; what is there already is taken over.
        options: How it is carried out.
        title: Heading of the page.
        notice: Hears what a user should know.
        listener: Hears what became of each run.

    Returns:
        The comparison, as `comparison.json` holds it.

    Raises:
        EventuneError: If a setting is wrong or arms are compared on different documents, before anything is made, or
            a file cannot be read or written.
    """
    names = options.tuned_settings
    runs = plan_runs(base, arms, options.seeds, output_dir, options.folds, to_be_tuned=names)
    require_same_parts(runs)
    tuned: dict[str, Tuned] = {}
    if names:
        for arm in arms:
            require_tunable(base, arm, names, output_dir)
        for arm in arms:
            notice(f"tuning {', '.join(names)} of {arm.name}: {options.trials} trials")
            tuned[arm.name] = tune(base, arm, names, trials=options.trials, output_dir=output_dir, notice=notice)
        arms = [replace(arm, settings={**arm.settings, **tuned[arm.name].settings}) for arm in arms]
        runs = plan_runs(base, arms, options.seeds, output_dir, options.folds)
    for name, recipe in {run.arm.name: run.recipe for run in runs}.items():
        if advice := runs[0].kind.advice(recipe):
            notice(f"{name}: {advice}")
    make_folder(output_dir)
    if options.ray:
        workers = options.workers
        make_runs_on_ray(runs, options.ray, shared=options.shared, workers=workers, listener=listener)
    else:
        make_runs(runs, workers=options.workers or 1, listener=listener)
    return write_result(runs, output_dir, tuned=tuned, title=title)


def gold_of(runs: Sequence[Run]) -> list[Any]:
    """Return what the runs' predictions are held against: the test part, or that of each fold in turn.

    Raises:
        EventuneError: If arms are compared on different documents.
    """
    require_same_parts(runs)
    files = [file for run in runs if (file := run.predictions()) is not None]
    first = next(iter(_recipes(runs).values()))
    return [item for recipe in first for item in runs[0].kind.gold(recipe, files)]


def require_same_parts(runs: Sequence[Run]) -> None:
    """Make sure that all arms are compared on the same documents; those with the same settings for them are not read.

    Raises:
        EventuneError: If they are not.
    """
    kind = runs[0].kind
    (_, first), *others = _recipes(runs).items()
    part = "test" if kind.has_part(first[0], "test") else "dev"
    known = [[kind.part_settings(recipe) for recipe in first]]
    expected: list[Any] = []
    for arm, recipes in others:
        if kind.has_part(recipes[0], "test") != (part == "test"):
            found = "none" if part == "test" else "one"
            raise EventuneError(
                f"arm {arm}: expected {'a' if part == 'test' else 'no'} test part, as the first arm has, found {found}",
                "give all arms the same test part, or none",
            )
        settings = [kind.part_settings(recipe) for recipe in recipes]
        if settings not in known:
            known.append(settings)
            expected = expected or [item for recipe in first for item in kind.part(recipe)]
            require_same_documents(arm, [item for recipe in recipes for item in kind.part(recipe)], expected, part)


def _recipes(runs: Sequence[Run]) -> dict[str, list[Any]]:
    """Return a recipe for each fold of each arm; those of other seeds differ in nothing that decides the documents."""
    recipes: dict[str, dict[str, Any]] = {}
    for run in runs:
        recipes.setdefault(run.arm.name, {}).setdefault(run.fold, run.recipe)
    return {arm: list(of_folds.values()) for arm, of_folds in recipes.items()}


def write_result(runs: Sequence[Run], output_dir: Path, *, tuned: Mapping[str, Tuned], title: str) -> dict[str, Any]:
    """Write the result of the runs as they are."""
    result = compare(runs, gold_of(runs), tuned={name: found.to_dict() for name, found in tuned.items()})
    write_comparison(result, output_dir, title=title)
    return result
