"""The pictures of a comparison: learning curves, and the headline against what it costs, with the Pareto front."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

from eventune.comparison.result import COSTS, TRAIN_DOCUMENTS

_AXES = {
    "trainable_parameters": ("trained parameters, millions", 1e6),
    "seconds_per_epoch": ("seconds an epoch", 1.0),
    "peak_memory_above_baseline_bytes": ("memory above baseline, MB", 1e6),
    "saved_bytes": ("saved, MB", 1e6),
    "train_documents": ("training documents", 1.0),
}
"""Label and unit of each cost, and of what arms may differ in."""
# Okabe and Ito's colours, which the colour-blind can tell apart; marks and dashes tell them apart without any.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C8C00")
_MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")
_DASHES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (7, 2, 1, 2)))
_WIDTH, _HEIGHT = 4.8, 3.4
_MARKED = 20
"""A curve of many more points has a mark at about so many of them."""


def draw(result: Mapping[str, Any]) -> dict[str, dict[str, bytes]]:
    """Draw all pictures.

    Args:
        result: The comparison.

    Returns:
        By name of the picture (`curves`, `f1-saved_bytes`, …), its files' content by format: `svg` and `png`.
    """
    from matplotlib.figure import Figure

    arms = [(number, arm) for number, arm in enumerate(result["arms"]) if arm["finished"]]
    pictures = {}
    curve, headline = result["curve"], result["headline"]
    if any(curve["name"] in epoch for _, arm in arms for epoch in _epochs(arm)):
        figure = Figure(figsize=(_WIDTH, _HEIGHT), layout="constrained")
        _draw_curves(figure.subplots(), arms, curve)
        pictures["curves"] = _saved(figure)
    for cost in (*COSTS, TRAIN_DOCUMENTS):
        label, unit = _AXES[cost]
        measured = [(number, arm) for number, arm in arms if {cost, headline["name"]} <= arm["mean"].keys()]
        if measured:
            figure = Figure(figsize=(_WIDTH, _HEIGHT), layout="constrained")
            axes = figure.subplots()
            _draw_cost(axes, measured, cost, headline["name"], unit, result["pareto"].get(cost))
            axes.set_xlabel(label)
            axes.set_ylabel(headline["title"])
            pictures[f"{headline['name']}-{cost}"] = _saved(figure)
    return pictures


def _style(number: int) -> dict[str, Any]:
    return {"color": _COLOURS[number % len(_COLOURS)], "marker": _MARKS[number % len(_MARKS)]}


def _epochs(arm: Mapping[str, Any]) -> list[Mapping[str, float]]:
    return [epoch for run in arm["runs"] for epoch in run.get("history", ())]


def _draw_curves(axes: Any, arms: Sequence[tuple[int, Mapping[str, Any]]], curve: Mapping[str, str]) -> None:
    from matplotlib.ticker import MaxNLocator

    whole = True
    for number, arm in arms:
        scores: dict[float, list[float]] = {}
        for epoch in _epochs(arm):
            if curve["name"] in epoch:
                scores.setdefault(round(float(epoch["epoch"]), 2), []).append(epoch[curve["name"]])
        epochs = sorted(scores)
        whole = whole and all(epoch.is_integer() for epoch in epochs)
        means = [statistics.fmean(scores[epoch]) for epoch in epochs]
        dashes, every = _DASHES[number % len(_DASHES)], max(1, len(epochs) // _MARKED)
        axes.plot(epochs, means, label=arm["name"], linestyle=dashes, markevery=every, **_style(number))
        low, high = [min(scores[epoch]) for epoch in epochs], [max(scores[epoch]) for epoch in epochs]
        axes.fill_between(epochs, low, high, color=_COLOURS[number % len(_COLOURS)], alpha=0.12, linewidth=0)
    axes.set_xlabel("epoch")
    axes.set_ylabel(curve["title"])
    axes.xaxis.set_major_locator(MaxNLocator(integer=whole))
    _finish(axes)


def _draw_cost(
    axes: Any,
    arms: Sequence[tuple[int, Mapping[str, Any]]],
    cost: str,
    headline: str,
    unit: float,
    front: Sequence[str] | None,
) -> None:
    points = {}
    for number, arm in arms:
        x, y = points[arm["name"]] = (arm["mean"][cost] / unit, arm["mean"][headline])
        axes.errorbar(x, y, yerr=arm["sd"][headline], capsize=3, linestyle="", label=arm["name"], **_style(number))
    # Of what is no cost, such as training documents, more is not worse: all points are one curve.
    line = sorted(points.values()) if front is None else [points[name] for name in front if name in points]
    label = {} if front is None else {"label": "Pareto front"}
    axes.plot(*zip(*line, strict=True), color="#777777", linewidth=1, zorder=0, **label)
    values = [x for x, _ in points.values() if x > 0]
    if values and max(values) > 20 * min(values):
        axes.set_xscale("log")
    _finish(axes)


def _finish(axes: Any) -> None:
    axes.grid(visible=True, color="#DDDDDD", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize="small")


def _saved(figure: Any) -> dict[str, bytes]:
    from matplotlib import rc_context

    files = {}
    # Without date and random names the same figures give the same files.
    with rc_context({"svg.hashsalt": "eventune", "svg.fonttype": "none"}):
        for kind, options in (("svg", {"metadata": {"Date": None}}), ("png", {"dpi": 150})):
            buffer = BytesIO()
            figure.savefig(buffer, format=kind, **options)
            files[kind] = buffer.getvalue()
    return files
