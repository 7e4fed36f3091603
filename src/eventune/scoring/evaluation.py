"""Several scorers over the same documents at once, with intervals, and two systems against each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from eventune.events import Document
from eventune.results import Score
from eventune.scoring.measures import AnyTally, Scorer
from eventune.scoring.resampling import bootstraps, difference_of, paired


class Evaluation:
    """Feeds documents to scorers, and keeps what each document added to their measures.

    Attributes:
        scorers: The scorers by name.
        tallies: For each scorer and measure, what each document added, in order.
    """

    def __init__(self, scorers: Mapping[str, Scorer]) -> None:
        self.scorers = scorers
        self.tallies: dict[str, defaultdict[str, list[AnyTally]]] = {name: defaultdict(list) for name in scorers}

    def add(self, gold: Document, predicted: Document) -> None:
        """Count a document.

        Args:
            gold: The annotated document.
            predicted: The same document with the predicted events.
        """
        for name, scorer in self.scorers.items():
            for measure, tally in scorer.add(gold, predicted).items():
                self.tallies[name][measure].append(tally)

    def scores(self) -> dict[str, Score]:
        """Return the score of each scorer."""
        return {name: scorer.score() for name, scorer in self.scorers.items()}

    def intervals(self, *, resamples: int, seed: int = 0) -> dict[str, dict[str, Any]]:
        """Return bootstrap intervals of every measure, as JSON values.

        Args:
            resamples: How often the documents are drawn with replacement.
            seed: Seed of the draws.

        Returns:
            By scorer and measure, `Interval.to_dict()`.
        """
        reported = {(name, measure): tallies for name in self.tallies for measure, tallies in self._reported(name)}
        found: dict[str, dict[str, Any]] = {name: {} for name in self.tallies}
        for (name, measure), interval in bootstraps(reported, resamples=resamples, seed=seed).items():
            found[name][measure] = interval.to_dict()
        return found

    def against(self, other: Evaluation, *, resamples: int, seed: int = 0) -> dict[str, dict[str, Any]]:
        """Compare with another system on the same documents.

        Args:
            other: The other system's evaluation, of the same documents in the same order by the same scorers.
            resamples: How often documents are drawn, and how often systems are swapped; 0 for no interval and p value.
            seed: Seed of the draws.

        Returns:
            By scorer and measure, `Difference.to_dict()` of F1, this system minus the other; `difference` alone without
            resamples.
        """

        def compared(first: list[AnyTally], second: list[AnyTally]) -> dict[str, Any]:
            if not resamples:
                return {"difference": difference_of(first, second)}
            return paired(first, second, resamples=resamples, seed=seed).to_dict()

        return {
            name: {
                measure: compared(tallies, other.tallies[name][measure]) for measure, tallies in self._reported(name)
            }
            for name in self.tallies
        }

    def _reported(self, name: str) -> Iterator[tuple[str, list[AnyTally]]]:
        """Yield the tallies of the measures that a scorer's score has."""
        measures = self.scorers[name].score().tables.get("measures")
        for measure, tallies in self.tallies[name].items():
            if measures is None or measure in measures:
                yield measure, tallies


def evaluate(scorers: Mapping[str, Scorer], pairs: Iterable[tuple[Document, Document]]) -> Evaluation:
    """Feed pairs of gold and predicted documents to scorers.

    Args:
        scorers: The scorers by name, none of which has counted anything yet.
        pairs: The documents.

    Returns:
        The evaluation.
    """
    evaluation = Evaluation(scorers)
    for gold, predicted in pairs:
        evaluation.add(gold, predicted)
    return evaluation
