"""TextEE's argument scores (`TextEE/scorer.py` in ej0cl6/TextEE): corpus-wide sets of exact spans.

`argument_id` (AI) counts (window, event type, span), `argument_cls` (AC) the role as well; the attached ones (AI+,
AC+) add the trigger. Without the trigger, events of one type in a window merge, so that an argument on the wrong event
counts; with it, events that share type and trigger still do. A document is a window.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from eventune.events import Document
from eventune.results import Score
from eventune.scoring.measures import Tally, score_of

_Item = tuple[object, ...]


class TexteeScorer:
    """Counts documents one by one; see `Scorer`."""

    name: ClassVar[str] = "textee"
    headline: ClassVar[str] = "argument_attached_cls"

    def __init__(self) -> None:
        self._totals = dict.fromkeys(_items(Document("empty", "", (), ())), Tally())

    def add(self, gold: Document, predicted: Document) -> Mapping[str, Tally]:
        """Count a document; see `Scorer.add`."""
        annotated, found = _items(gold), _items(predicted)
        tallies = {
            measure: Tally(len(items), len(found[measure]), len(items & found[measure]))
            for measure, items in annotated.items()
        }
        for measure, tally in tallies.items():
            self._totals[measure] += tally
        return tallies

    def score(self) -> Score:
        """Return the score of all documents so far."""
        return score_of(self.name, self.headline, self._totals)


def _items(document: Document) -> dict[str, set[_Item]]:
    arguments = list(_arguments(document))
    return {
        "argument_id": {(kind, span) for kind, _, span, _ in arguments},
        "argument_cls": {(kind, span, role) for kind, _, span, role in arguments},
        "argument_attached_id": {(kind, trigger, span) for kind, trigger, span, _ in arguments},
        "argument_attached_cls": set(arguments),
    }


def _arguments(document: Document) -> Iterator[tuple[str, object, object, str]]:
    for event in document.events:
        for argument in event.arguments:
            yield event.type, event.trigger, argument.span, argument.role
