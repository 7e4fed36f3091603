"""The page of `eventune score --html`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from eventune.events import Argument, Document, Event
from eventune.reports.page import Mark, chart, pieces, render

_TITLES = {
    "role": "by role",
    "distance": "by sentences from the trigger (3: three or more)",
    "length": "by tokens of the argument",
    "training": "by how often training had the role",
}
_FAR_SHIFT = 10
"""Shifts of more tokens share a bar."""


class _Pair(Protocol):
    @property
    def kind(self) -> str: ...
    @property
    def gold(self) -> tuple[Event, Argument] | None: ...
    @property
    def predicted(self) -> tuple[Event, Argument] | None: ...


class _EventPair(Protocol):
    @property
    def kind(self) -> str: ...
    @property
    def gold(self) -> Event | None: ...
    @property
    def predicted(self) -> Event | None: ...


class _Example(Protocol):
    @property
    def document(self) -> Document: ...
    @property
    def pairs(self) -> Sequence[_Pair]: ...
    @property
    def events(self) -> Sequence[_EventPair]: ...


def errors_page(
    analysis: Mapping[str, Any], examples: Iterable[_Example], *, score: Mapping[str, Any], title: str
) -> str:
    """Return a page that shows what kinds of errors there are, with the documents, gold and predicted side by side.

    Args:
        analysis: What `ErrorAnalysis.to_dict` returns, with a `note` on what the scores count otherwise.
        examples: Documents with their pairs of gold and predicted arguments.
        score: The score: one scorer's, or `{"scores": …}` of several.
        title: Heading of the page.

    Returns:
        The page, as HTML.
    """
    events = analysis["events"]
    # Of events whose triggers were given there is nothing to tell.
    event_kinds = [kind for kind, count in events["kinds"].items() if count and kind not in analysis["kinds"]]
    kinds = [*analysis["kinds"], *event_kinds]
    tables = [(_TITLES.get(name, name), list(analysis["kinds"]), rows) for name, rows in analysis["by"].items()]
    if event_kinds:
        tables.append(("events by type", list(events["kinds"]), events["types"]))
    shifts = [
        chart(f"{side} of the span, predicted minus gold, in tokens", _by_shift(counts))
        for side, counts in analysis["boundary_shifts"].items()
        if counts
    ]
    scores = score.get("scores") or {score["scorer"]: score}
    shown = [_shown(example) for example in examples]
    return render(
        "errors.html",
        title=title,
        kinds=kinds,
        style_of={kind: _style(kind) for kind in kinds},
        overviews=[
            chart("arguments by kind", analysis["kinds"]),
            *([chart("events by kind", events["kinds"])] if event_kinds else []),
        ],
        tables=tables,
        confusions=[
            (f"{what} taken for others", of, rows[:20])
            for what, of, rows in (
                ("roles", "arguments", analysis["confusion"]),
                ("types", "events", events["confusion"]),
            )
            if rows
        ],
        shifts=shifts,
        scores=scores,
        note=analysis["note"],
        examples=shown,
        documents_with_errors=analysis["documents_with_errors"],
    )


def _by_shift(counts: Mapping[str, int]) -> dict[str, int]:
    """Return counts by shift without gaps, and the few that lie far from zero as one at each end."""
    shifts = {int(shift): count for shift, count in counts.items()}
    inside = range(max(-_FAR_SHIFT, min(shifts)), min(_FAR_SHIFT, max(shifts)) + 1)
    below = sum(count for shift, count in shifts.items() if shift < -_FAR_SHIFT)
    above = sum(count for shift, count in shifts.items() if shift > _FAR_SHIFT)
    rows = {f"{shift:+d}" if shift else "0": shifts.get(shift, 0) for shift in inside}
    return {
        **({f"{-_FAR_SHIFT - 1} and below": below} if below else {}),
        **rows,
        **({f"+{_FAR_SHIFT + 1} and above": above} if above else {}),
    }


def _shown(example: _Example) -> dict[str, Any]:
    document = example.document
    gold = [mark for pair in example.events for mark in _triggers(pair.gold, pair.kind)]
    predicted = [mark for pair in example.events for mark in _triggers(pair.predicted, pair.kind)]
    gold += [mark for pair in example.pairs for mark in _marks(pair.gold, pair.kind)]
    predicted += [mark for pair in example.pairs for mark in _marks(pair.predicted, pair.kind)]
    kinds = [pair.kind for pair in example.pairs] + [pair.kind for pair in example.events]
    return {
        "id": document.id,
        "kinds": " ".join(dict.fromkeys(map(_style, kinds))),
        "gold": pieces(document, gold),
        "predicted": pieces(document, predicted),
    }


def _triggers(event: Event | None, kind: str) -> list[Mark]:
    style = "trigger" if kind == "matched" else f"trigger {_style(kind)}"
    return [] if event is None else [Mark(span, event.type, style) for span in event.triggers]


def _marks(item: tuple[Event, Argument] | None, kind: str) -> list[Mark]:
    if item is None:
        return []
    _, argument = item
    return [Mark(piece, argument.role, _style(kind)) for piece in argument.fragments or (argument.span,)]


def _style(kind: str) -> str:
    return kind.replace(" ", "-")
