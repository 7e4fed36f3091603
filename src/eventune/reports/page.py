"""What all pages share: templates, bars, and documents with marked spans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2 import Template as JinjaTemplate

from eventune.events import Document, Span

SHOWN_BARS = 25


@dataclass(frozen=True, slots=True)
class Bar:
    """A line of a bar chart.

    Attributes:
        label: What is counted.
        count: How often.
        percent: Length of the bar, in percent of the longest.
    """

    label: str
    count: int
    percent: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A bar chart.

    Attributes:
        title: Its title.
        bars: The bars, at most `SHOWN_BARS`.
        left_out: How many more there are.
    """

    title: str
    bars: tuple[Bar, ...]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Mark:
    """A span that a page marks.

    Attributes:
        span: Token span.
        label: What it is, as the reader sees it.
        style: Name of its CSS class.
    """

    span: Span
    label: str
    style: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text between two borders of marks.

    Attributes:
        text: The part.
        styles: CSS classes of the marks that cover it.
        labels: Labels of the marks that end behind it.
        title: Labels of all marks that cover it.
    """

    text: str
    styles: str = ""
    labels: tuple[Mark, ...] = field(default=())
    title: str = ""


def chart(title: str, counts: Mapping[str, int]) -> Chart:
    """Return a bar chart of counts in their order.

    Args:
        title: Its title.
        counts: Count by label.

    Returns:
        The chart.
    """
    longest = max(counts.values(), default=0) or 1
    bars = tuple(Bar(str(label), count, 100 * count / longest) for label, count in list(counts.items())[:SHOWN_BARS])
    return Chart(title, bars, max(0, len(counts) - SHOWN_BARS))


def pieces(document: Document, marks: Iterable[Mark]) -> list[Piece]:
    """Cut a document's text at the borders of marks, so that spans may overlap.

    Args:
        document: The document.
        marks: What is marked in it.

    Returns:
        The pieces, which together are the text.
    """
    placed = [(document.characters_of(mark.span), mark) for mark in marks]
    borders = sorted({0, len(document.text), *(edge for span, _ in placed for edge in (span.start, span.end))})
    result = []
    for start, end in pairwise(borders):
        covering = [(span, mark) for span, mark in placed if span.start <= start and end <= span.end]
        ending = tuple(mark for span, mark in covering if span.end == end)
        styles = " ".join(dict.fromkeys(mark.style for _, mark in covering))
        result.append(Piece(document.text[start:end], styles, ending, ", ".join(mark.label for _, mark in covering)))
    return result


def render(template: str, **values: object) -> str:
    """Fill a template of this package; all values are escaped."""
    return _template(template).render(**values)


@lru_cache(maxsize=8)
def _template(name: str) -> JinjaTemplate:
    environment = Environment(
        loader=PackageLoader("eventune.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
