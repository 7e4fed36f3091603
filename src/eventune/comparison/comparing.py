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
from eventune.comparison.tuning import Tuned, tune
from eventune.comparison.writing import write_comparison
from eventune.storage.paths import make_folder


@dataclass(frozen=True, slots=True)
class Options:
    """How a comparison is carried out.

    Attributes:
        seeds: The seeds of each arm.
        folds: The folds that each seed is tested on; none where the recipe says what the test part is.
        workers: Runs at a time on this machine.
        ray: Address of a Ray cluster, or an empty string.
        shared: fsspec URL to share runs through, or an empty string.
        tuned_settings: Settings that are tuned for each arm on the dev part.
        trials: Trials of each arm.
    """

    seeds: tuple[int, ...] = (0,)
    folds: tuple[str, ...] = ()
    workers: int = 1
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
        EventuneError: If a setting is wrong, before anything is made, or a file cannot be read or written.
    """
    plan_runs(base, arms, options.seeds, output_dir, options.folds)
    tuned: dict[str, Tuned] = {}
    if options.tuned_settings:
        for number, arm in enumerate(arms):
            notice(f"tuning {', '.join(options.tuned_settings)} of {arm.name}: {options.trials} trials")
            found = tune(base, arm, options.tuned_settings, trials=options.trials, output_dir=output_dir, notice=notice)
            tuned[arm.name] = found
            arms = [*arms[:number], replace(arm, settings={**arm.settings, **found.settings}), *arms[number + 1 :]]
    runs = plan_runs(base, arms, options.seeds, output_dir, options.folds)
    make_folder(output_dir)
    if options.ray:
        make_runs_on_ray(runs, options.ray, shared=options.shared, listener=listener)
    else:
        make_runs(runs, workers=options.workers, listener=listener)
    return write_result(runs, output_dir, tuned=tuned, title=title)


def gold_of(runs: Sequence[Run]) -> list[Any]:
    """Return what the runs' predictions are held against: the test part, or that of each fold in turn."""
    files = [file for run in runs if (file := run.predictions()) is not None]
    recipes: dict[str, Any] = {}
    for run in runs:
        recipes.setdefault(run.fold, run.recipe)
    return [item for recipe in recipes.values() for item in runs[0].kind.gold(recipe, files)]


def write_result(runs: Sequence[Run], output_dir: Path, *, tuned: Mapping[str, Tuned], title: str) -> dict[str, Any]:
    """Write the result of the runs as they are."""
    result = compare(runs, gold_of(runs), tuned={name: found.to_dict() for name, found in tuned.items()})
    write_comparison(result, output_dir, title=title)
    return result
