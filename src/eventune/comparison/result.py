"""The figures of a comparison: each run's, each arm's over its seeds, and the arms against the first."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eventune.comparison.kinds import RunKind
from eventune.comparison.plan import Run
from eventune.comparison.tallies import Tallies
from eventune.results import RunResult
from eventune.scoring.resampling import bootstrap, paired
from eventune.storage.json_files import read_json_lines
from eventune.storage.paths import exists

RESOURCES = (
    "seconds_per_epoch",
    "train_seconds",
    "tokens_per_second",
    "documents_per_second",
    "rows_per_second",
    "gemm_share",
    "peak_memory_above_baseline_bytes",
    "trainable_parameters",
    "total_parameters",
    "saved_bytes",
    "forgetting",
    "energy_joules",
    "gpu_energy_joules",
)
"""What is shown of a run's cost; figures that it lacks are left out."""
TRAIN_DOCUMENTS = "train_documents"
"""How much a run was trained on: a figure of comparisons whose arms differ in it, which are learning curves."""
COSTS = ("trainable_parameters", "seconds_per_epoch", "peak_memory_above_baseline_bytes", "saved_bytes")
"""Figures of which less is better, and that the headline is weighed against."""


def figures_of(result: RunResult, kind: RunKind) -> dict[str, float]:
    """Return a run's figures by name: of the test part, or the dev part where there is none."""
    part = result.scores.get("test") or result.scores.get("dev") or {}
    values = {**result.resources, **part.get("metrics", {})}
    dev = f"dev_{kind.dev_measure}"
    alarms = part.get("false_alarms", {})
    values[TRAIN_DOCUMENTS] = result.data.get("train", {}).get("documents")
    values["false_alarms"] = alarms.get("per_thousand_sentences")
    values[dev] = result.scores.get("dev", {}).get("metrics", {}).get(kind.dev_measure)
    names = (*kind.metrics, dev, "false_alarms", TRAIN_DOCUMENTS, *RESOURCES)
    return {name: float(values[name]) for name in names if isinstance(values.get(name), int | float)}


def compare(runs: Sequence[Run], gold: Sequence[Any], *, tuned: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Put the finished runs of a comparison into one result.

    Args:
        runs: All runs, finished or not.
        gold: What the test part's predictions are held against, as `RunKind.gold` gives it.
        tuned: What tuning found for each arm.

    Returns:
        JSON values: `arms`, each with mean, deviation, interval, difference to the first arm and its runs; `pareto` of
        the headline against each cost; `roles`.

    Raises:
        EventuneError: If the runs have predicted different test parts.
    """
    kind = runs[0].kind
    headline = kind.headline(runs[0].recipe)
    names = list(dict.fromkeys(run.arm.name for run in runs))
    tallies: dict[str, Tallies] = {}
    arms = []
    for name in names:
        own = [run for run in runs if run.arm.name == name]
        files = _predictions_by_seed(own)
        if gold and files:
            tallies[name] = kind.tallies(files, gold, headline)
        arms.append(_arm(name, own, (tuned or {}).get(name)))
    if _are_trained_alike(arms):
        for figures in (each for arm in arms for each in (arm["mean"], arm["sd"])):
            figures.pop(TRAIN_DOCUMENTS, None)
    for arm in arms:
        ours, first = tallies.get(arm["name"]), tallies.get(names[0])
        if ours is not None:
            arm["interval"] = _interval(ours, kind)
        if ours is not None and first is not None and arm["name"] != names[0]:
            arm["difference"] = paired(ours.all, first.all).to_dict()
    return {
        "first_arm": names[0],
        "headline": {"name": headline.name, "title": headline.title},
        "curve": {"name": kind.curve, "title": kind.curve_title.format(title=headline.title)},
        "scorer": headline.scorer,
        "unit": kind.unit,
        "part": "dev" if kind.dev_stands_in and not gold else "test",
        f"test_{kind.unit}": len(gold),
        "arms": arms,
        "pareto": {cost: pareto(arms, cost, headline.name) for cost in COSTS},
        "roles": _roles(tallies),
    }


def _predictions_by_seed(runs: Sequence[Run]) -> list[list[Path]]:
    """Return the files of each seed that together predict the whole test part; a seed that lacks a fold is left out."""
    by_seed: dict[int, list[Path | None]] = {}
    for run in runs:
        by_seed.setdefault(run.seed, []).append(run.predictions())
    return [[file for file in files if file] for files in by_seed.values() if all(files)]


def _interval(tallies: Tallies, kind: RunKind) -> dict[str, Any]:
    found = bootstrap(tallies.all).to_dict()
    named = {title: found[name] for name, title in kind.intervals.items()}
    return {**named, "level": found["level"], "resamples": found["resamples"]}


def _arm(name: str, runs: Sequence[Run], tuned: Any) -> dict[str, Any]:
    found = [(run, run.result()) for run in runs]
    figures = [figures_of(result, runs[0].kind) for _, result in found if result is not None]
    shown = list(dict.fromkeys(figure for values in figures for figure in values))
    return {
        "name": name,
        "settings": dict(runs[0].arm.settings),
        "tuned": tuned,
        "finished": len(figures),
        "mean": {figure: statistics.fmean(_column(figures, figure)) for figure in shown},
        "sd": {figure: _deviation(_column(figures, figure)) for figure in shown},
        "runs": [_row(run, result) for run, result in found],
    }


def _column(figures: Sequence[Mapping[str, float]], name: str) -> list[float]:
    return [values[name] for values in figures if name in values]


def _deviation(values: Sequence[float]) -> float:
    if not all(map(math.isfinite, values)):
        # The loss of a training that went wrong; `stdev` raises.
        return math.nan
    return statistics.stdev(values) if len(values) > 1 else 0.0


def _are_trained_alike(arms: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether all arms are trained on as many documents; a fold that an arm lacks makes no difference."""
    sizes: dict[str, set[float]] = {}
    for run in (run for arm in arms for run in arm["runs"]):
        if TRAIN_DOCUMENTS in run.get("figures", {}):
            sizes.setdefault(run.get("fold", ""), set()).add(run["figures"][TRAIN_DOCUMENTS])
    return all(len(found) == 1 for found in sizes.values())


def _row(run: Run, result: RunResult | None) -> dict[str, Any]:
    fold = {"fold": run.fold} if run.fold else {}
    row: dict[str, Any] = {"seed": run.seed, **fold, "folder": str(run.folder), "recipe": run.recipe.to_dict()}
    if result is None:
        return {**row, "error": run.error() or "not made yet"}
    history = run.run_directory / "history.jsonl"
    # A model that is only evaluated, as it was before any fine-tuning, has no history.
    curve = read_json_lines(history) if exists(history) else []
    return {
        **row,
        "figures": figures_of(result, run.kind),
        "history": curve,
        "resources": dict(result.resources),
        "versions": dict(result.versions),
        "hardware": dict(result.hardware),
    }


def pareto(arms: Sequence[Mapping[str, Any]], cost: str, headline: str) -> list[str]:
    """Return the arms that no other beats in the headline and a cost at once, by that cost.

    Args:
        arms: The arms, with their means.
        cost: A figure of which less is better.
        headline: A figure of which more is better.

    Returns:
        Their names, the cheapest first.
    """
    points = [
        (arm["mean"][cost], arm["mean"][headline], arm["name"])
        for arm in arms
        if {cost, headline} <= arm["mean"].keys()
    ]
    front = [
        point
        for point in points
        if not any(other[0] <= point[0] and other[1] >= point[1] and other[:2] != point[:2] for other in points)
    ]
    return [name for _, _, name in sorted(front)]


def _roles(tallies: Mapping[str, Tallies]) -> list[dict[str, Any]]:
    """Return F1 of each role with each arm, the most frequent roles first."""
    rows = []
    for role in sorted({role for arm in tallies.values() for role in arm.roles}):
        scores, gold = {}, 0
        for name, arm in tallies.items():
            own = arm.roles.get(role, [])
            sums = [sum(column) for column in zip(*(tally.parts for tally in own), strict=True)]
            if sums:
                gold = max(gold, int(sum(tally.gold for tally in own)))
                scores[name] = float(own[0].metrics_of(sums)[2])
        rows.append({"role": role, "gold": gold, "f1": scores})
    return sorted(rows, key=lambda row: (-row["gold"], row["role"]))
