"""Noun phrases of the sample: words of its lexicon, each once a document."""

from __future__ import annotations

import random

from eventune.corpora.warmup.phrases import Filler, parse_filler
from sample.lexicon import KINDS


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
