"""The page of `eventune data stats --html`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from eventune.events import Document
from eventune.reports.page import Mark, chart, pieces, render

_CHARTS = (
    ("tokens in a document", "tokens"),
    ("events in a document", "events_per_document"),
    ("tokens in an argument", "argument_tokens"),
    ("sentences from trigger to argument", "sentence_distance"),
)
_WIDTHS = (1, 2, 5)
_MOST_BINS = 15
_FEW = 9


def statistics_page(figures: Mapping[str, Any], examples: Iterable[Document], *, title: str) -> str:
    """Return a page that shows what a corpus holds.

    Args:
        figures: What `eventune.corpora.describe` returns.
        examples: Documents to show with their events.
        title: Heading of the page.

    Returns:
        The page, as HTML.
    """
    charts = [
        chart(label, _binned(figures[name]["distribution"]))
        for label, name in _CHARTS
        if "distribution" in figures.get(name, {})
    ]
    charts += [chart("arguments by role", figures["roles"]), chart("events by type", figures["types"])]
    names = ("documents", "sentences", "events", "arguments")
    summary = {name: f"{figures[name]:,}" for name in names}
    summary |= {"tokens": f"{figures['tokens']['total']:,}", "roles": f"{len(figures['roles']):,}"}
    summary["event types"] = f"{len(figures['types']):,}"
    shown = [(document.id, pieces(document, _marks(document))) for document in examples]
    return render("statistics.html", title=title, summary=summary, charts=charts, examples=shown)


def _marks(document: Document) -> Iterable[Mark]:
    for number, event in enumerate(document.events, 1):
        tag = f" {number}" if len(document.events) > 1 else ""
        for trigger in event.triggers:
            yield Mark(trigger, f"{event.type}{tag}", "trigger")
        for argument in event.arguments:
            for piece in argument.fragments or (argument.span,):
                yield Mark(piece, f"{argument.role}{tag}", "argument")


def _binned(distribution: Mapping[str, int]) -> dict[str, int]:
    """Return a histogram of few bars: single values where there are few, else ranges of equal width."""
    counts = {int(value): count for value, count in distribution.items()}
    if not counts:
        return {}
    low, high = min(counts), max(counts)
    if 0 <= low <= _FEW < high <= 10 * _FEW:
        # Lengths of arguments: most are short, and few are long.
        few = {str(value): counts.get(value, 0) for value in range(low, _FEW + 1)}
        return {**few, f"{_FEW + 1}+": sum(count for value, count in counts.items() if value > _FEW)}
    width = next(
        factor * 10**power
        for power in range(12)
        for factor in _WIDTHS
        if (high - low) // (factor * 10**power) < _MOST_BINS
    )
    if width == 1:
        return {str(value): counts.get(value, 0) for value in range(low, high + 1)}
    start = low // width * width
    bins = dict.fromkeys(range(start, high + 1, width), 0)
    for value, count in counts.items():
        bins[value // width * width] += count
    return {f"{left}–{left + width - 1}": count for left, count in bins.items()}
