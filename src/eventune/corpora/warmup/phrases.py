"""Noun phrases and marked text: what fills a slot, and how a slot is found again in the finished sentence.

While a sentence is put together, a filler stands in it as `⟦event.role,role|text⟧`. `unmark` takes the marks out and
returns where they stood, so that offsets are found by the text itself and never counted by hand. The sample's script
(`scripts/sample`) is made of it as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_MARK = re.compile(r"⟦([^|⟧]*)\|([^⟧]*)⟧")


@dataclass(frozen=True, slots=True)
class Filler:
    """A noun phrase.

    Attributes:
        article: `a`, `an`, `the` or an empty string; no part of the span.
        text: The span.
        kind: Kind of entity.
        plural: Whether its verb is plural.
        human: Whether it is "who" and not "which".
    """

    article: str
    text: str
    kind: str
    plural: bool = False
    human: bool = False

    def render(self, mark: str = "") -> str:
        """Return the phrase with its article, the span marked if a mark is given."""
        span = f"⟦{mark}|{self.text}⟧" if mark else self.text
        return f"{self.article} {span}".strip()


@dataclass(frozen=True, slots=True)
class Mark:
    """A marked stretch of a text: its labels, and the character range `[start, end)`."""

    labels: str
    start: int
    end: int


def parse_filler(entry: str, kind: str) -> Filler:
    """Read an entry of the lexicon."""
    text = entry.rstrip("@*")
    flags = entry[len(text) :]
    article, _, rest = text.partition(" ")
    if article not in ("a", "an", "the"):
        article, rest = "", text
    return Filler(article, rest, kind, "*" in flags, "@" in flags)


def coordinate(phrases: Sequence[str]) -> str:
    """Join phrases as English does: `A`, `A and B`, `A, B and C`."""
    if len(phrases) == 1:
        return phrases[0]
    return f"{', '.join(phrases[:-1])} and {phrases[-1]}"


def unmark(marked: str) -> tuple[str, list[Mark]]:
    """Take the marks out of a sentence and give it its capital.

    Args:
        marked: The sentence with its marks.

    Returns:
        The sentence and its marks in order.
    """
    # A phrase that ends in a comma may meet the clause's own comma or its end.
    marked = re.sub(r",\s*(?=[.,])", "", marked)
    marks: list[Mark] = []
    text = ""
    position = 0
    for match in _MARK.finditer(marked):
        text += marked[position : match.start()]
        marks.append(Mark(match[1], len(text), len(text) + len(match[2])))
        text += match[2]
        position = match.end()
    text += marked[position:]
    return text[0].upper() + text[1:], marks
