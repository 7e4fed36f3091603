"""MAVEN-ARG's argument scores (`evaluate.py` in THU-KEG/MAVEN-Argument): bags of words, averaged.

For each gold trigger and role, the gold strings (every mention of every filler) and the predicted ones are matched one
to one by their bag-of-words F1 (Hungarian). A role that only one side fills adds one 0, on every level:

- `mention`: each matched pair is an entry, times min(|G|, |P|) / max(|G|, |P|).
- `entity`: each gold filler is an entry, by the best pair of its mentions; 0 without one.
- `event`: as `entity`, the best over all triggers of an event.

`bow` has precision, recall and F1 of the bags, `exact` whether texts are equal; texts are normalised as for SQuAD.
What was predicted with another type on a gold trigger is left out; a predicted event on a trigger that is none of the
gold adds a 0 for each role. No outputs of the official scorer were at hand: the tests are worked out by hand.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from eventune.errors import require_library
from eventune.events import Document, Entity, Event, Place, Span
from eventune.results import Score
from eventune.scoring.measures import MeanTally, measure_of
from eventune.scoring.normalisation import normalised

_LEVELS = ("mention", "entity", "event")
Figures = tuple[float, float, float, float]
"""Precision, recall and F1 of the bags, and whether the texts are equal."""
_NOTHING: Figures = (0.0, 0.0, 0.0, 0.0)
Fillers = Sequence[tuple[str, ...]]
"""For each filler of a role the normalised texts of its mentions."""


class MavenArgScorer:
    """Counts documents one by one; see `Scorer`."""

    name: ClassVar[str] = "maven-arg"
    headline: ClassVar[str] = "mention_bow"

    def __init__(self) -> None:
        self._totals = {f"{level}_{kind}": MeanTally() for level in _LEVELS for kind in ("bow", "exact")}

    def add(self, gold: Document, predicted: Document) -> Mapping[str, MeanTally]:
        """Count a document; see `Scorer.add`."""
        sizes = sum(len(event.arguments) for event in gold.events), sum(len(e.arguments) for e in predicted.events)
        result = {}
        for level, entries in _entries(gold, predicted).items():
            precision, recall, f1, exact = (sum(figures) for figures in zip(_NOTHING, *entries, strict=True))
            result[f"{level}_bow"] = MeanTally(len(entries), precision, recall, f1, *sizes)
            result[f"{level}_exact"] = MeanTally(len(entries), exact, exact, exact, *sizes)
        for measure, tally in result.items():
            self._totals[measure] += tally
        return result

    def score(self) -> Score:
        """Return the means over all entries so far; none of them is a ratio of the counts, so `matched` is 0."""
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


@dataclass(frozen=True, slots=True)
class _Match:
    """Matched pairs of a trigger's role: gold filler, figures; and the length penalty."""

    pairs: tuple[tuple[int, Figures], ...]
    penalty: float

    def best_of(self, fillers: int) -> list[Figures]:
        """Return the best figures of each gold filler by the F1 of its bags."""
        best = [_NOTHING] * fillers
        for filler, figures in self.pairs:
            best[filler] = max(best[filler], figures, key=lambda item: item[2])
        return best


def _entries(gold: Document, predicted: Document) -> dict[str, list[Figures]]:
    entries: dict[str, list[Figures]] = {level: [] for level in _LEVELS}
    found: defaultdict[Span, list[Event]] = defaultdict(list)
    for event in predicted.events:
        for trigger in event.triggers:
            found[trigger].append(event)
    entities = {entity.id: entity for entity in gold.entities if entity.id}
    for event in gold.events:
        fillers = _by_role(gold, event, entities)
        guesses = [
            _union(_by_role(predicted, other, {}) for other in found.get(trigger, ()) if other.type == event.type)
            for trigger in event.triggers
        ]
        for role in dict.fromkeys([*fillers, *(role for guess in guesses for role in guess)]):
            _add_role(entries, fillers.get(role, []), [guess.get(role, []) for guess in guesses])
    known = {trigger for event in gold.events for trigger in event.triggers}
    for trigger, events in found.items():
        if trigger not in known:
            roles = {argument.role for event in events for argument in event.arguments}
            for level in _LEVELS:
                entries[level] += [_NOTHING] * len(roles)
    return entries


def _add_role(entries: dict[str, list[Figures]], gold: Fillers, guesses: Sequence[Fillers]) -> None:
    """Add the entries of an event's role; `guesses` has what was predicted for each trigger."""
    best_of_event: list[Figures] = []
    for guess in guesses:
        if not gold or not guess:
            if gold or guess:
                for level in _LEVELS:
                    entries[level].append(_NOTHING)
            continue
        match = _match(gold, [texts[0] for texts in guess])
        entries["mention"] += [_scaled(figures, match.penalty) for _, figures in match.pairs]
        best = match.best_of(len(gold))
        entries["entity"] += best
        best_of_event = [_better(*pair) for pair in zip(best_of_event, best, strict=True)] if best_of_event else best
    entries["event"] += best_of_event


def _better(first: Figures, second: Figures) -> Figures:
    """Return the better bags, and the better exact match, which may be of another trigger."""
    bags = max(first, second, key=lambda item: item[2])
    return (*bags[:3], max(first[3], second[3]))


def _scaled(figures: Figures, penalty: float) -> Figures:
    precision, recall, f1, exact = figures
    return precision * penalty, recall * penalty, f1 * penalty, exact * penalty


def _match(gold: Fillers, predicted: Sequence[str]) -> _Match:
    texts = [(filler, text) for filler, mentions in enumerate(gold) for text in mentions]
    figures = [[_figures(text, guess) for guess in predicted] for _, text in texts]
    sizes = len(texts), len(predicted)
    if sizes == (1, 1):
        return _Match(((texts[0][0], figures[0][0]),), 1.0)
    # scipy takes half a second, which `--help` does not have.
    optimize = require_library("scipy.optimize", "the scorer maven-arg needs scipy", "pip install scipy")
    rows, columns = optimize.linear_sum_assignment(-np.array([[item[2] for item in row] for row in figures]))
    pairs = tuple((texts[row][0], figures[row][column]) for row, column in zip(rows, columns, strict=True))
    return _Match(pairs, min(sizes) / max(sizes))


def _figures(gold: str, predicted: str) -> Figures:
    if gold and gold == predicted:
        return 1.0, 1.0, 1.0, 1.0
    annotated, found = Counter(gold.split()), Counter(predicted.split())
    shared = (annotated & found).total()
    exact = float(gold == predicted)
    if not shared:
        return 0.0, 0.0, 0.0, exact
    precision, recall = shared / found.total(), shared / annotated.total()
    return precision, recall, 2 * precision * recall / (precision + recall), exact


def _by_role(document: Document, event: Event, entities: Mapping[str, Entity]) -> dict[str, list[tuple[str, ...]]]:
    """Return the texts of each filler by role; an entity's are those of all its mentions."""
    result: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
    for argument in event.arguments:
        entity = entities.get(argument.filler)
        mentions: Sequence[Place] = (argument,) if entity is None else entity.mentions
        result[argument.role].append(tuple(normalised(document.exact_text_of(mention)) for mention in mentions))
    return dict(result)


def _union(parts: Iterator[dict[str, list[tuple[str, ...]]]]) -> dict[str, list[tuple[str, ...]]]:
    result: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
    for part in parts:
        for role, fillers in part.items():
            result[role] += fillers
    return dict(result)
