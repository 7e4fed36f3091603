"""The DuEE-Fin score: strings of events that are matched one to one, then micro-averaged.

Each gold event takes, in order, the predicted event of its type that is still free and shares the most (role, string)
pairs with it, the first of equals; the pairs they share count as matched. Pairs count once in an event. Source: the
description of the evaluation in PaddleNLP's DuEE README. No outputs of the official scorer were at hand: the tests are
worked out by hand.

An argument counts by its text. Those that have no place in the text (`unplaced`) count as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from eventune.events import Document, Event
from eventune.scoring.measures import MicroScorer, Tally


class DueeFinScorer(MicroScorer):
    """Counts documents one by one; see `Scorer`."""

    name: ClassVar[str] = "duee-fin"
    headline = "arguments"

    def __init__(self) -> None:
        super().__init__((self.headline,))

    def count(self, gold: Document, predicted: Document) -> Mapping[str, Tally]:
        """See `MicroScorer`."""
        annotated = [(event.type, _strings(gold, event)) for event in gold.events]
        free = [(event.type, _strings(predicted, event)) for event in predicted.events]
        sizes = sum(len(pairs) for _, pairs in annotated), sum(len(pairs) for _, pairs in free)
        matched = 0
        for event_type, pairs in annotated:
            shared = [len(pairs & others) if other == event_type else -1 for other, others in free]
            best = max(shared, default=-1)
            if best >= 0:
                matched += best
                del free[shared.index(best)]
        return {self.headline: Tally(*sizes, matched)}


def _strings(document: Document, event: Event) -> set[tuple[str, str]]:
    pairs = {(argument.role, document.exact_text_of(argument)) for argument in event.arguments}
    return pairs | {(str(item.get("role", "")), str(item.get("argument", ""))) for item in event.unplaced}
