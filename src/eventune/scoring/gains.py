"""What each predicted argument adds to a scorer's headline, so that thresholds are tuned by any scorer.

A threshold decides how many of a role's candidates become arguments. Tallies add up, so what a threshold gives on many
documents is the sum of what each argument adds, and all thresholds are tried at once. Each role of each event is
counted by itself. So do the scorers, but where events of one document compete for an argument: those that share a
trigger and, by duee-fin, those of one type, which it matches by what they share.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from eventune.events import Argument, Document
from eventune.scoring.definitions import SCORERS, model_scorer
from eventune.scoring.measures import AnyTally, Tally

Parts = tuple[float, ...]
"""The numbers of a tally that add up."""


class ArgumentGains:
    """Counts what arguments add to the headline of a scorer.

    Attributes:
        nothing: The tally's parts where nothing is predicted in any of the documents.
    """

    def __init__(self, scorer: str, documents: Sequence[Document]) -> None:
        self._scorer = model_scorer(scorer)
        self._counts_spans = SCORERS[scorer].counts_spans
        self._documents = documents
        empty = self._tally(_EMPTY, _EMPTY)
        self._metrics_of = empty.metrics_of
        self._matched = 2 if isinstance(empty, Tally) else 3
        tallies = [self._tally(document, _without_arguments(document)).parts for document in documents]
        self.nothing: Parts = tuple(sum(column) for column in zip(empty.parts, *tallies, strict=True))

    def of(self, document: int, event: int, arguments: Sequence[Argument]) -> list[Parts]:
        """Return what each argument adds to the tally's parts.

        Args:
            document: Index of the document.
            event: Index of the event in it.
            arguments: Arguments that may fill one role of it, in the order in which they are taken.

        Returns:
            What each adds when those before it are there.
        """
        if not arguments:
            return []
        annotated = self._documents[document]
        gold = annotated.events[event]
        fillers = [argument for argument in gold.arguments if argument.role == arguments[0].role]
        if self._counts_spans:
            spans = {argument.span for argument in fillers}
            return [(0.0, 1.0, float(argument.span in spans)) for argument in arguments]
        alone = annotated.with_events([gold.with_arguments(fillers)])
        counts = [
            self._tally(alone, annotated.with_events([gold.with_arguments(arguments[:taken])])).parts
            for taken in range(len(arguments) + 1)
        ]
        return [
            tuple(more - less for more, less in zip(after, before, strict=True)) for before, after in pairwise(counts)
        ]

    @property
    def gold(self) -> float:
        """How many arguments are to be found."""
        return float(sum(len(event.arguments) for document in self._documents for event in document.events))

    def matches(self, document: int, event: int, arguments: Sequence[Argument]) -> list[float]:
        """Return how much each argument counts as right, from 0 to 1: what it adds to the matches, or to the sum of F1.

        Arguments as in `of`.
        """
        return [min(max(float(parts[self._matched]), 0.0), 1.0) for parts in self.of(document, event, arguments)]

    def f1(self, parts: Sequence[Any]) -> Any:
        """Return F1 of summed parts: of numbers, or of numpy arrays of one shape."""
        return self._metrics_of(parts)[2]

    def _tally(self, gold: Document, predicted: Document) -> AnyTally:
        return self._scorer.add(gold, predicted)[self._scorer.headline]


_EMPTY = Document("empty", "", (), ())


def _without_arguments(document: Document) -> Document:
    return document.with_events(event.with_arguments(()) for event in document.events)
