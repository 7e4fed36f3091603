"""The page of a comparison: one file that needs no network."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from eventune.reports.page import render

SHOWN_ROLES = 30


def comparison_page(
    result: Mapping[str, Any],
    *,
    title: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    legend: str,
    pictures: Mapping[str, bytes],
) -> str:
    """Return a page with table, pictures, roles, and every run's recipe.

    Args:
        result: The comparison, as `comparison.json` holds it.
        title: Heading of the page.
        heads: Headings of the table.
        rows: Its cells.
        legend: What its figures are.
        pictures: SVG by name.

    Returns:
        The page, as HTML.
    """
    names = [arm["name"] for arm in result["arms"]]
    roles = [
        (row["role"], row["gold"], [_fraction(row["f1"].get(name)) for name in names])
        for row in result["roles"][:SHOWN_ROLES]
    ]
    runs = [
        {"arm": arm["name"], **run, "text": _settings(run["recipe"]), "made": _made(run)}
        for arm in result["arms"]
        for run in arm["runs"]
    ]
    fronts = [(cost.replace("_", " "), ", ".join(front)) for cost, front in result["pareto"].items() if front]
    headline = result["headline"]
    return render(
        "comparison.html",
        title=title,
        headline=headline["title"],
        heads=heads,
        rows=rows,
        legend=legend,
        pictures=[(_caption(name, headline), _inline(svg)) for name, svg in pictures.items()],
        fronts=fronts,
        names=names,
        roles=roles,
        roles_left=max(0, len(result["roles"]) - SHOWN_ROLES),
        runs=runs,
    )


def _caption(name: str, headline: Mapping[str, str]) -> str:
    if name == "curves":
        return "Learning curves"
    cost = name.removeprefix(f"{headline['name']}-").replace("_", " ")
    return f"{headline['title']} against {cost}"


def _fraction(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _settings(recipe: Mapping[str, Any]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in recipe.items() if value not in ("", [], {}))


def _made(run: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in run.get("versions", {}).items())
    hardware = run.get("hardware", {})
    machine = f"{hardware.get('processor', '')}, {hardware.get('threads', '?')} threads" if hardware else ""
    return "; ".join(part for part in (versions, machine) if part)


def _inline(svg: bytes) -> str:
    """Return an SVG file as an element of a page: without prolog, as wide as there is room."""
    text = svg[svg.index(b"<svg") :].decode("utf-8")
    head, rest = text[: text.index(">")], text[text.index(">") :]
    return re.sub(r' (width|height)="[^"]*"', "", head) + rest
