"""Noun phrases and marked text: what fills a slot, and how a slot is found again in the finished sentence.

While a sentence is put together, a filler stands in it as `⟦event.role,role|text⟧`. `unmark` takes the marks out and
returns where they stood, so that offsets are found by the text itself and never counted by hand.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sample.lexicon import KINDS

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


class Picker:
    """Draws fillers for one document, none of them twice, so that a span's text says which mention is meant.

    Args:
        rng: Source of randomness.
        part: Lexicon to draw from.
    """

    def __init__(self, rng: random.Random, part: str) -> None:
        self.rng = rng
        self.part = part
        self._words = {kind: entries.split(";") for kind, entries in KINDS[part].items()}
        self._used: set[str] = set()

    def pick(self, kinds: str) -> Filler:
        """Return a new filler of one of the kinds, which are separated by a blank."""
        kind = self.rng.choice(kinds.split())
        if kind == "person":
            return Filler("", f"{self._draw('first')} {self._draw('last')}", kind, human=True)
        if kind == "org":
            suffix = f" {self.rng.choice(self._words['suffix'])}" if self.rng.random() < 0.7 else ""
            return Filler("", self._draw("brand") + suffix, kind)
        if kind == "money":
            return Filler("", self._money(), kind)
        if kind == "date":
            if self.rng.random() < 0.6:
                return Filler("", self._draw("day"), kind)
            return Filler("", f"{self.rng.randint(1, 28)} {self._draw('month')}", kind)
        return parse_filler(self._draw(kind), kind)

    def _draw(self, kind: str) -> str:
        """Return an entry of the lexicon that the document has not used; a short list may start anew."""
        free = [word for word in self._words[kind] if word not in self._used] or self._words[kind]
        word = self.rng.choice(free)
        self._used.add(word)
        return word

    def _money(self) -> str:
        """Return a sum of money that the document has not used."""
        while True:
            amount = self.rng.choice(["2", "3.5", "6", "8", "9.2", "12", "15", "24", "40", "75", "110"])
            form = self.rng.choice(["${} million", "{} million euros", "{} million francs", "${}00,000"])
            sum_of_money = form.format(f"{self.rng.randint(1, 9)},{self.rng.randint(1, 9)}" if "00" in form else amount)
            if sum_of_money not in self._used:
                self._used.add(sum_of_money)
                return sum_of_money


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


def lines(block: str) -> list[str]:
    """Return the lines of an indented block of templates."""
    return [line.strip() for line in block.strip().splitlines()]
