"""Fillers of the warm-up corpus: noun phrases drawn from its lexicon, parts filled in."""

from __future__ import annotations

import random
import re

from eventune.corpora.warmup.domains import Domain, names
from eventune.corpora.warmup.phrases import Filler, parse_filler

_PART = re.compile(r"<(\w+)>")
_PLACES = ("city", "city", "city", "city", "country", "country", "region")
_TRIES = 20


class Picker:
    """Draws fillers for one document, so that no two of them share a telling word.

    Args:
        rng: Source of randomness.
        domain: What the document is about.
    """

    def __init__(self, rng: random.Random, domain: Domain) -> None:
        self.rng, self.domain = rng, domain
        self._used: set[str] = set()

    def name(self, what: str) -> str:
        """Return a name, place or number of those that all domains share."""
        return self.rng.choice(names()[what])

    def pick(self, kinds: str) -> Filler:
        """Return a new filler of one of the kinds, which are separated by commas."""
        kind = self.rng.choice(kinds.split(","))
        if kind == "place":
            kind = self.rng.choice(_PLACES)
        filler = self._draw(kind)
        for _ in range(_TRIES):
            if not self._telling(filler.text) & self._used:
                break
            filler = self._draw(kind)
        self._used |= self._telling(filler.text)
        return filler

    def person(self) -> tuple[Filler, str]:
        """Return a person and the pronoun that stands for them."""
        while True:
            pronoun = self.rng.choice(["he", "he", "she"])
            text = f"{self.name('women' if pronoun == 'she' else 'men')} {self.name('surnames')}"
            if not self._telling(text) & self._used:
                self._used |= self._telling(text)
                return Filler("", text, "person", human=True), pronoun

    def number(self) -> str:
        """Return a number."""
        return self.name("numbers")

    def _draw(self, kind: str) -> Filler:
        if kind == "person":
            return self._person()
        if kind == "org":
            suffix = f" {self.name('suffixes')}" if self.rng.random() < 0.65 else ""
            return Filler("", self.name("brands") + suffix, kind)
        if kind == "money":
            return Filler("", self.name("sums").format(self.rng.randint(2, 95)), kind)
        if kind == "country":
            return parse_filler(self.name("countries").partition("/")[0], kind)
        drawn = self.rng.choice(self.domain.fillers[kind])
        entry = _PART.sub(self._part, drawn)
        before, _, rest = entry.rpartition("^")
        filler = parse_filler(rest, kind)
        article = before.strip() or filler.article
        if drawn.startswith("a <"):
            article = "an" if filler.text[0] in "AEIO" else "a"
        if kind == "city" and self.rng.random() < 0.15:
            article = self.name("city_parts")
        return Filler(article, filler.text, kind, filler.plural, filler.human)

    def _person(self) -> Filler:
        first, last = self.name(self.rng.choice(["men", "women"])), self.name("surnames")
        draw = self.rng.random()
        if draw < 0.15:
            return Filler("", f"{self.name('titles')} {last}", "person", human=True)
        if draw < 0.25:
            return Filler("", f"{self.name('titles')} {first} {last}", "person", human=True)
        before = _PART.sub(self._part, self.name("descriptions")) if draw < 0.45 else ""
        return Filler(before, last if 0.4 < draw < 0.45 else f"{first} {last}", "person", human=True)

    def _part(self, match: re.Match[str]) -> str:
        if match[1] == "num":
            return self.number()
        if match[1] == "city":
            return self.name("cities")
        country, _, nation = self.name("countries").partition("/")
        return nation if match[1] == "nat" else country.removeprefix("the ")

    @staticmethod
    def _telling(text: str) -> set[str]:
        words = set(text.lower().split())
        return {word for word in words if len(word) > 3 or len(words) == 1} or {text.lower()}
