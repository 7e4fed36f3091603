"""What scorers count of a document: tallies that add up, so that a corpus is streamed and its documents resampled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

from eventune.events import Document
from eventune.results import Score


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of a micro-averaged measure.

    Attributes:
        gold: Gold items.
        predicted: Predicted items.
        matched: Items that match, as the measure counts them; some definitions let it exceed gold or predicted.
    """

    gold: int = 0
    predicted: int = 0
    matched: int = 0

    def __add__(self, other: Tally) -> Self:
        return type(self)(self.gold + other.gold, self.predicted + other.predicted, self.matched + other.matched)

    @property
    def parts(self) -> tuple[float, ...]:
        """The numbers that add up over documents."""
        return self.gold, self.predicted, self.matched

    @staticmethod
    def metrics_of(parts: Sequence[Any]) -> tuple[Any, Any, Any]:
        """Return precision, recall and F1 of summed parts.

        Args:
            parts: Sums of `parts`: numbers, or numpy arrays of one shape that hold a sum for each resample.

        Returns:
            Fractions, of the same shape; 0 where a denominator is.
        """
        gold, predicted, matched = parts
        # `x + (x == 0)` makes a zero denominator one, for numbers and arrays alike: 0 / 1 is the 0 that is wanted.
        precision, recall = matched / (predicted + (predicted == 0)), matched / (gold + (gold == 0))
        total = precision + recall
        return precision, recall, 2 * precision * recall / (total + (total == 0))


@dataclass(frozen=True, slots=True)
class MeanTally:
    """Sums of a macro-averaged measure: each entry has a precision, a recall and an F1 of its own.

    Attributes:
        entries: How many entries were averaged.
        precision: Sum of the entries' precisions.
        recall: Sum of their recalls.
        f1: Sum of their F1.
        gold: Gold items, for information.
        predicted: Predicted items, for information.
    """

    entries: int = 0
    precision: float = 0.0
    recall: float = 0.0
    f1: float = 0.0
    gold: int = 0
    predicted: int = 0

    def __add__(self, other: MeanTally) -> MeanTally:
        return MeanTally(*(mine + its for mine, its in zip(self.parts, other.parts, strict=True)))  # type: ignore[arg-type]

    @property
    def parts(self) -> tuple[float, ...]:
        """The numbers that add up over documents."""
        return self.entries, self.precision, self.recall, self.f1, self.gold, self.predicted

    @staticmethod
    def metrics_of(parts: Sequence[Any]) -> tuple[Any, Any, Any]:
        """Return mean precision, recall and F1 of summed parts, as `Tally.metrics_of` does."""
        entries = parts[0] + (parts[0] == 0)
        return parts[1] / entries, parts[2] / entries, parts[3] / entries


AnyTally = Tally | MeanTally


class Summable(Protocol):
    """What resampling needs of a tally; BLEU's is none of gold and predicted items."""

    @property
    def parts(self) -> tuple[float, ...]: ...  # noqa: D102

    @staticmethod
    def metrics_of(parts: Sequence[Any]) -> tuple[Any, Any, Any]: ...  # noqa: D102


class Scorer(Protocol):
    """Counts documents one by one; made anew for each pair of files.

    Attributes:
        name: Name of the definition, as commands and results have it.
        headline: The measure that stands for all where one figure is shown.
    """

    name: ClassVar[str]

    @property
    def headline(self) -> str: ...  # noqa: D102

    def add(self, gold: Document, predicted: Document) -> Mapping[str, AnyTally]:
        """Count a document.

        Args:
            gold: The annotated document.
            predicted: The same document with the predicted events; without any where it was not predicted.

        Returns:
            What this document adds to each measure, by the measure's name.
        """
        ...

    def score(self) -> Score:
        """Return the score of all documents so far, with the measures in its table `measures`."""
        ...


class MicroScorer:
    """A `Scorer` of micro-averaged measures: adds up what `count` says of each document.

    Args:
        measures: Their names, in the order of the score's table.
        tables: Further tables of the score.
    """

    name: ClassVar[str]
    headline: str

    def __init__(self, measures: Iterable[str], tables: Mapping[str, Any] | None = None) -> None:
        self._totals: dict[str, Tally] = dict.fromkeys(measures, Tally())
        self._tables = tables

    def count(self, gold: Document, predicted: Document) -> Mapping[str, Tally]:
        """Return what a document adds to each measure."""
        raise NotImplementedError

    def add(self, gold: Document, predicted: Document) -> Mapping[str, Tally]:
        """Count a document; see `Scorer.add`."""
        added = self.count(gold, predicted)
        for measure, tally in added.items():
            self._totals[measure] = tally + self._totals[measure]  # The tally's own kind stays.
        return added

    def score(self) -> Score:
        """Return the score of all documents so far."""
        return score_of(self.name, self.headline, self._totals, self._tables)


def score_of(name: str, headline: str, totals: Mapping[str, Tally], tables: Mapping[str, Any] | None = None) -> Score:
    """Return a score in the shape that all micro-averaged scorers share.

    Args:
        name: Name of the definition.
        headline: The measure that stands for all.
        totals: Tally of each measure.
        tables: Further tables.

    Returns:
        The headline's counts, with `measure` (its name) and `measures` (`counts` and `metrics` of each) as tables.
    """
    top = totals[headline]
    measures = {measure: measure_of(tally) for measure, tally in totals.items()}
    tables = {"measure": headline, "measures": measures, **(tables or {})}
    return Score(name, top.gold, top.predicted, top.matched, tables)


def measure_of(tally: AnyTally) -> dict[str, Any]:
    """Return counts and metrics of a tally as JSON values; metrics are fractions."""
    precision, recall, f1 = tally.metrics_of(tally.parts)
    counts = {"gold": tally.gold, "predicted": tally.predicted}
    counts |= {"matched": tally.matched} if isinstance(tally, Tally) else {"entries": tally.entries}
    return {"counts": counts, "metrics": {"precision": precision, "recall": recall, "f1": f1}}
