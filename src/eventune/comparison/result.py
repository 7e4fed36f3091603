"""The figures of a comparison: each run's, each arm's over its seeds, and the arms against the first."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from eventune.comparison.plan import Run
from eventune.corpora import read_corpus
from eventune.events import Document
from eventune.results import RunResult
from eventune.scoring.measures import Tally
from eventune.scoring.rams import RamsScorer
from eventune.scoring.resampling import bootstrap, paired

PREDICTIONS = "test_predictions.jsonl"
SCORER = RamsScorer.name
FIGURES = (
    "f1",
    "precision",
    "recall",
    "dev_f1",
    "seconds_per_epoch",
    "train_seconds",
    "tokens_per_second",
    "documents_per_second",
    "gemm_share",
    "peak_memory_above_baseline_bytes",
    "trainable_parameters",
    "total_parameters",
    "saved_bytes",
    "forgetting",
    "energy_joules",
)
"""What is shown of a run; those that it lacks are left out."""
COSTS = ("trainable_parameters", "seconds_per_epoch", "peak_memory_above_baseline_bytes", "saved_bytes")
"""Figures of which less is better, and that F1 is weighed against."""


@dataclass(frozen=True, slots=True)
class Tallies:
    """What each test document added to an arm's counts, all its seeds together.

    Attributes:
        all: Tallies of the documents, in their order.
        roles: The same for each role.
    """

    all: list[Tally]
    roles: dict[str, list[Tally]]


def figures_of(result: RunResult) -> dict[str, float]:
    """Return a run's figures by name: of the test part, or the dev part where there is none."""
    headline = result.scores.get("test") or result.scores.get("dev") or {}
    values = {**result.resources, **headline.get("metrics", {})}
    if "dev" in result.scores:
        values["dev_f1"] = result.scores["dev"]["metrics"]["f1"]
    return {name: float(values[name]) for name in FIGURES if isinstance(values.get(name), int | float)}


def compare(runs: Sequence[Run], gold: Sequence[Document], *, tuned: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Put the finished runs of a comparison into one result.

    Args:
        runs: All runs, finished or not.
        gold: The test documents; empty where there is no test part.
        tuned: What tuning found for each arm.

    Returns:
        JSON values: `arms`, each with mean, deviation, interval, difference to the first arm and its runs; `pareto` of
        F1 against each cost; `roles`.
    """
    names = list(dict.fromkeys(run.arm.name for run in runs))
    tallies: dict[str, Tallies] = {}
    arms = []
    for name in names:
        own = [run for run in runs if run.arm.name == name]
        if gold and any(_predictions(run) for run in own):
            tallies[name] = _tallies(own, gold)
        arms.append(_arm(name, own, (tuned or {}).get(name)))
    for arm in arms:
        ours, first = tallies.get(arm["name"]), tallies.get(names[0])
        if ours is not None:
            arm["interval"] = bootstrap(ours.all).to_dict()
        if ours is not None and first is not None and arm["name"] != names[0]:
            arm["difference"] = paired(ours.all, first.all).to_dict()
    return {
        "first_arm": names[0],
        "scorer": SCORER,
        "test_documents": len(gold),
        "arms": arms,
        "pareto": {cost: pareto(arms, cost) for cost in COSTS},
        "roles": _roles(tallies),
    }


def _arm(name: str, runs: Sequence[Run], tuned: Any) -> dict[str, Any]:
    found = [(run, run.result()) for run in runs]
    figures = [figures_of(result) for _, result in found if result is not None]
    shown = [figure for figure in FIGURES if any(figure in values for values in figures)]
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
    return statistics.stdev(values) if len(values) > 1 else 0.0


def _row(run: Run, result: RunResult | None) -> dict[str, Any]:
    row: dict[str, Any] = {"seed": run.seed, "folder": str(run.folder), "recipe": run.recipe.to_dict()}
    if result is None:
        return {**row, "error": run.error() or "not made yet"}
    history = run.run_directory / "history.jsonl"
    curve = [json.loads(line) for line in history.read_text(encoding="utf-8").splitlines()]
    return {
        **row,
        "figures": figures_of(result),
        "history": curve,
        "resources": dict(result.resources),
        "versions": dict(result.versions),
        "hardware": dict(result.hardware),
    }


def _predictions(run: Run) -> bool:
    return run.result() is not None and (run.run_directory / PREDICTIONS).is_file()


def _tallies(runs: Sequence[Run], gold: Sequence[Document]) -> Tallies:
    """Count each document with all seeds of an arm: what they add up to is the arm's micro-averaged score."""
    total: list[Tally] = []
    roles: dict[str, list[Tally]] = {}
    for run in runs:
        if not _predictions(run):
            continue
        predicted = read_corpus(run.run_directory / PREDICTIONS).documents
        rows, by_role = _counted(gold, predicted)
        total = [a + b for a, b in zip(total, rows, strict=True)] if total else rows
        for role, own in by_role.items():
            roles[role] = [a + b for a, b in zip(roles[role], own, strict=True)] if role in roles else own
    return Tallies(total, roles)


def _counted(gold: Sequence[Document], predicted: Sequence[Document]) -> tuple[list[Tally], dict[str, list[Tally]]]:
    """Count each document, all roles together and each by itself."""
    by_id = {document.id: document for document in predicted}
    rows: list[Tally] = []
    roles: dict[str, list[Tally]] = {}
    for number, annotated in enumerate(gold):
        found = by_id.get(annotated.id, annotated.with_events([]))
        rows.append(_count(annotated, found))
        for role in sorted(_roles_of(annotated) | _roles_of(found)):
            own = roles.setdefault(role, [Tally()] * len(gold))
            own[number] = _count(_only(annotated, role), _only(found, role))
    return rows, roles


def _count(gold: Document, predicted: Document) -> Tally:
    scorer = RamsScorer(strict=False)
    return scorer.add(gold, predicted)[scorer.headline]


def _roles_of(document: Document) -> set[str]:
    return {argument.role for event in document.events for argument in event.arguments}


def _only(document: Document, role: str) -> Document:
    """Return a document with the arguments of one role."""
    return document.with_events(
        [
            replace(event, arguments=tuple(argument for argument in event.arguments if argument.role == role))
            for event in document.events
        ]
    )


def pareto(arms: Sequence[Mapping[str, Any]], cost: str) -> list[str]:
    """Return the arms that no other beats in F1 and a cost at once, by that cost.

    Args:
        arms: The arms, with their means.
        cost: A figure of which less is better.

    Returns:
        Their names, the cheapest first.
    """
    points = [(arm["mean"][cost], arm["mean"]["f1"], arm["name"]) for arm in arms if {cost, "f1"} <= arm["mean"].keys()]
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
                gold = max(gold, int(sums[0]))
                scores[name] = float(own[0].metrics_of(sums)[2])
        rows.append({"role": role, "gold": gold, "f1": scores})
    return sorted(rows, key=lambda row: (-row["gold"], row["role"]))
