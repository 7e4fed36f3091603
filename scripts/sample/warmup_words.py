"""Fillers of the warm-up corpus: noun phrases drawn from its lexicon, parts filled in."""

from __future__ import annotations

import random
import re

from sample import warmup_lexicon as lexicon
from sample import warmup_phrases as phrases
from sample.words import Filler, parse_filler

_PART = re.compile(r"<(\w+)>")
_PLACES = ("city", "city", "city", "city", "country", "country", "region")
_PLACE_NAMES = ("the port city of", "the outskirts of", "the capital,", "downtown", "the city of", "the suburbs of")
_TRIES = 20
COUNTRIES = [entry.split("/") for entry in lexicon.COUNTRIES.split(";")]
KINDS = {kind: ";".join(filter(None, (entries, phrases.KINDS.get(kind)))) for kind, entries in lexicon.KINDS.items()}


class WarmupPicker:
    """Draws fillers for one document, so that no two of them share a telling word.

    Args:
        rng: Source of randomness.
    """

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self._used: set[str] = set()

    def choose(self, entries: str) -> str:
        """Return one of the entries that `;` separates."""
        return self.rng.choice(entries.split(";"))

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
            text = f"{self.choose(lexicon.NAMES[pronoun])} {self.choose(lexicon.NAMES['last'])}"
            if not self._telling(text) & self._used:
                self._used |= self._telling(text)
                return Filler("", text, "person", human=True), pronoun

    def number(self) -> str:
        """Return a number."""
        return self.choose(lexicon.NUMBERS)

    def _draw(self, kind: str) -> Filler:
        if kind == "person":
            return self._person()
        if kind == "org":
            suffix = f" {self.choose(lexicon.SUFFIXES)}" if self.rng.random() < 0.65 else ""
            return Filler("", self.choose(lexicon.BRANDS) + suffix, kind)
        if kind == "money":
            return Filler("", self.choose(lexicon.SUMS).format(self.rng.randint(2, 95)), kind)
        if kind == "country":
            return parse_filler(self.rng.choice(COUNTRIES)[0], kind)
        drawn = self.choose(KINDS[kind])
        entry = _PART.sub(self._part, drawn)
        before, _, rest = entry.rpartition("^")
        filler = parse_filler(rest, kind)
        article = before.strip() or filler.article
        if drawn.startswith("a <"):
            article = "an" if filler.text[0] in "AEIO" else "a"
        if kind == "city" and self.rng.random() < 0.15:
            article = self.rng.choice(_PLACE_NAMES)
        return Filler(article, filler.text, kind, filler.plural, filler.human)

    def _person(self) -> Filler:
        first, last = self.choose(lexicon.NAMES[self.rng.choice(["he", "she"])]), self.choose(lexicon.NAMES["last"])
        draw = self.rng.random()
        if draw < 0.15:
            return Filler("", f"{self.choose(lexicon.TITLES)} {last}", "person", human=True)
        if draw < 0.25:
            return Filler("", f"{self.choose(lexicon.TITLES)} {first} {last}", "person", human=True)
        before = _PART.sub(self._part, self.choose(lexicon.ROLES_BEFORE)) if draw < 0.45 else ""
        return Filler(before, last if 0.4 < draw < 0.45 else f"{first} {last}", "person", human=True)

    def _part(self, match: re.Match[str]) -> str:
        if match[1] == "num":
            return self.number()
        if match[1] == "city":
            return self.choose(lexicon.CITIES)
        return self.rng.choice(COUNTRIES)[1 if match[1] == "nat" else 0].removeprefix("the ")

    @staticmethod
    def _telling(text: str) -> set[str]:
        words = set(text.lower().split())
        return {word for word in words if len(word) > 3 or len(words) == 1} or {text.lower()}
