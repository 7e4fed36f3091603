"""A comparison as a table: for a paper in Markdown, for a spreadsheet as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table.

    Attributes:
        figure: The figure that it shows.
        title: Its heading, with the unit.
        show: Writes a value.
    """

    figure: str
    title: str
    show: Callable[[float], str]


def _million(value: float) -> str:
    return f"{value / 1e6:,.3f}"


COLUMNS = (
    Column("train_documents", "training documents", lambda value: f"{value:,.0f}"),
    Column("false_alarms", "false alarms/1,000 sentences", lambda value: f"{value:.1f}"),
    Column("seconds_per_epoch", "s/epoch", lambda value: f"{value:.1f}"),
    Column("documents_per_second", "docs/s", lambda value: f"{value:.2f}"),
    Column("rows_per_second", "rows/s", lambda value: f"{value:.2f}"),
    Column("peak_memory_above_baseline_bytes", "memory, MB", lambda value: f"{value / 1e6:,.0f}"),
    Column("trainable_parameters", "trained, M", _million),
    Column("saved_bytes", "saved, MB", lambda value: f"{value / 1e6:,.2f}"),
    Column("gemm_share", "GEMM share", lambda value: f"{value:.2f}"),
    Column("forgetting", "forgetting", lambda value: f"{value:+.3f}"),
    Column("energy_joules", "CPU energy, kJ", lambda value: f"{value / 1e3:.1f}"),
    Column("gpu_energy_joules", "GPU energy, kJ", lambda value: f"{value / 1e3:.1f}"),
)


def rows_of(result: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return headings and cells of the table; columns that no arm has a figure for are left out."""
    arms = result["arms"]
    columns = [column for column in COLUMNS if any(column.figure in arm["mean"] for arm in arms)]
    first = result["first_arm"]
    title = result["headline"]["title"]
    heads = [
        "arm",
        "runs" if _has_folds(result) else "seeds",
        title,
        f"{title} − {first}",
        "95 % interval",
        *(column.title for column in columns),
    ]
    return heads, [_cells(arm, columns, result["headline"]["name"]) for arm in arms]


def _has_folds(result: Mapping[str, Any]) -> bool:
    return any("fold" in run for arm in result["arms"] for run in arm["runs"])


def _cells(arm: Mapping[str, Any], columns: Sequence[Column], headline: str) -> list[str]:
    failed = len(arm["runs"]) - arm["finished"]
    seeds = f"{arm['finished']} of {len(arm['runs'])}" if failed else str(arm["finished"])
    return [arm["name"], seeds, *_score_cells(arm, headline), *(_cell(arm["mean"], column) for column in columns)]


def _score_cells(arm: Mapping[str, Any], headline: str) -> list[str]:
    mean, difference = arm["mean"].get(headline), arm.get("difference")
    if mean is None:
        # A test part without references has responses, but no score.
        return ["–" if arm["finished"] else "failed", "–", "–"]
    spread = f" ± {arm['sd'][headline]:.4f}" if arm["finished"] > 1 else ""
    if difference is None:
        return [f"{mean:.4f}{spread}", "–", "–"]
    low, high = difference["interval"]
    return [f"{mean:.4f}{spread}", f"{difference['difference']:+.4f}", f"{low:+.4f} … {high:+.4f}"]


def _cell(mean: Mapping[str, float], column: Column) -> str:
    return column.show(mean[column.figure]) if column.figure in mean else "–"


def markdown(result: Mapping[str, Any]) -> str:
    """Return the table in Markdown, with what its figures are."""
    heads, rows = rows_of(result)
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows]
    return "\n".join([*lines, "", legend(result), ""])


def legend(result: Mapping[str, Any]) -> str:
    """Return what the table's figures are."""
    unit, title = result["unit"], result["headline"]["title"]
    over = "seeds and folds" if _has_folds(result) else "seeds"
    part = "dev part" if result["part"] == "dev" else f"test part ({result[f'test_{unit}']} {unit})"
    return (
        f"{title}: scorer {result['scorer']}, {part}, mean ± standard deviation over {over}. "
        "Seconds without evaluation; memory: peak above what there was before training. "
        f"Difference to {result['first_arm']}: all seeds' counts together, paired bootstrap over {unit}."
    )


def comma_separated(result: Mapping[str, Any]) -> str:
    """Return one line a run, with every figure, as CSV."""
    runs = [(arm, run) for arm in result["arms"] for run in arm["runs"]]
    figures = list(dict.fromkeys(name for _, run in runs for name in run.get("figures", {})))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    keys = ["seed", *(["fold"] if _has_folds(result) else [])]
    writer.writerow(["arm", *keys, *figures, "error"])
    for arm, run in runs:
        own = run.get("figures", {})
        writer.writerow(
            [arm["name"], *(run[key] for key in keys), *(own.get(name, "") for name in figures), run.get("error", "")]
        )
    return text.getvalue()
