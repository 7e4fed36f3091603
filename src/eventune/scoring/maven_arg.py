"""MAVEN-ARG's argument score: bags of words per trigger and role, averaged over all of them.

Each (trigger, role) that the gold or the prediction fills is an entry. Its gold and predicted strings are matched one
to one by their bag-of-words F1 (Hungarian), the means over the pairs are multiplied by min(|G|, |P|) / max(|G|, |P|),
and an entry that only one side fills is 0. Texts are normalised as for SQuAD. `bow` has precision, recall and F1 of
the bags, `exact` counts pairs that are equal. Source: `evaluate.py` in THU-KEG/MAVEN-Argument as `docs/scoring.md`
describes it; no outputs of the official scorer were at hand, the tests are worked out by hand.

A gold argument that an entity fills (its `filler` is an entity's id) may be named by any of the entity's mentions.
"""

from __future__ import annotations

import re
import string
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

import numpy as np
from scipy.optimize import linear_sum_assignment

from eventune.events import Document, Entity, Event, Place, Span
from eventune.results import Score
from eventune.scoring.measures import MeanTally, measure_of

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = frozenset(string.punctuation)
Entry = tuple[str, Span | None, str]
Texts = list[tuple[str, ...]]
"""What fills an entry: for each filler the texts that name it."""


class MavenArgScorer:
    """Counts documents one by one; see `Scorer`."""

    name: ClassVar[str] = "maven-arg"
    headline: ClassVar[str] = "bow"

    def __init__(self) -> None:
        self._totals = {"bow": MeanTally(), "exact": MeanTally()}

    def add(self, gold: Document, predicted: Document) -> Mapping[str, MeanTally]:
        """Count a document; see `Scorer.add`."""
        annotated, found = _entries(gold, coreferent=True), _entries(predicted, coreferent=False)
        tallies = {"bow": MeanTally(), "exact": MeanTally()}
        for entry in annotated.keys() | found.keys():
            for measure, tally in _tallies(annotated.get(entry, []), found.get(entry, [])).items():
                tallies[measure] += tally
        for measure, tally in tallies.items():
            self._totals[measure] += tally
        return tallies

    def score(self) -> Score:
        """Return the mean over all entries so far; `matched` counts entries' pairs in no way, so it is 0."""
        measures = {measure: measure_of(tally) for measure, tally in self._totals.items()}
        top = self._totals[self.headline]
        return _MeanScore(self.name, top.gold, top.predicted, 0, {"measure": self.headline, "measures": measures})


class _MeanScore(Score):
    """A score whose metrics are means, not ratios of its counts."""

    __slots__ = ()

    @property
    def precision(self) -> float:
        return self._metric("precision")

    @property
    def recall(self) -> float:
        return self._metric("recall")

    @property
    def f1(self) -> float:
        return self._metric("f1")

    def _metric(self, name: str) -> float:
        value: float = self.tables["measures"][self.tables["measure"]]["metrics"][name]
        return value


def _entries(document: Document, *, coreferent: bool) -> dict[Entry, Texts]:
    entities = {entity.id: entity for entity in document.entities if entity.id} if coreferent else {}
    entries: defaultdict[Entry, Texts] = defaultdict(list)
    for event in document.events:
        for trigger, role, texts in _fillers(document, event, entities):
            entries[event.type, trigger, role].append(texts)
    return dict(entries)


def _fillers(
    document: Document, event: Event, entities: Mapping[str, Entity]
) -> Iterator[tuple[Span | None, str, tuple[str, ...]]]:
    for argument in event.arguments:
        entity = entities.get(argument.filler)
        mentions: Sequence[Place] = (argument,) if entity is None else entity.mentions
        texts = tuple(dict.fromkeys(_normalised(document.exact_text_of(mention)) for mention in mentions))
        yield event.trigger, argument.role, texts


def _tallies(gold: Texts, predicted: Texts) -> dict[str, MeanTally]:
    sizes = len(gold), len(predicted)
    if not gold or not predicted:
        return dict.fromkeys(("bow", "exact"), MeanTally(1, 0.0, 0.0, 0.0, *sizes))
    scores = np.array([[_best(texts, guess) for guess in predicted] for texts in gold])
    rows, columns = linear_sum_assignment(-scores[:, :, 2])
    penalty = min(sizes) / max(sizes)
    bow = scores[rows, columns].mean(axis=0) * penalty
    exact = float(np.mean([predicted[c][0] in gold[r] for r, c in zip(rows, columns, strict=True)])) * penalty
    return {
        "bow": MeanTally(1, float(bow[0]), float(bow[1]), float(bow[2]), *sizes),
        "exact": MeanTally(1, exact, exact, exact, *sizes),
    }


def _best(texts: Sequence[str], guess: Sequence[str]) -> tuple[float, float, float]:
    """Return precision, recall and F1 of the bag that fits best."""
    return max((_bags(text, guess[0]) for text in texts), key=lambda metrics: metrics[2])


def _bags(gold: str, predicted: str) -> tuple[float, float, float]:
    annotated, found = Counter(gold.split()), Counter(predicted.split())
    shared = (annotated & found).total()
    if not shared:
        return (1.0, 1.0, 1.0) if gold == predicted else (0.0, 0.0, 0.0)
    precision, recall = shared / found.total(), shared / annotated.total()
    return precision, recall, 2 * precision * recall / (precision + recall)


def _normalised(text: str) -> str:
    letters = "".join(character for character in text.lower() if character not in _PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", letters).split())
