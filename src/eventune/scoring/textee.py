"""TextEE's scores (`TextEE/scorer.py` in ej0cl6/TextEE): corpus-wide sets of exact spans.

`trigger_id` (TI) counts (window, trigger) and `trigger_cls` (TC) the event type as well; `argument_id` (AI) counts
(window, event type, span), `argument_cls` (AC) the role as well; the attached ones (AI+, AC+) add the trigger. Without
the trigger, events of one type in a window merge, so that an argument on the wrong event counts; with it, events that
share type and trigger still do. A document is a window.

TextEE's three tasks differ only in which of the six are told: EAE has gold triggers and the arguments' four, E2E all,
and ED the triggers' two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from eventune.corpora.partial import AnnotationShape
from eventune.errors import InvalidValueError
from eventune.events import Document, Event, Span
from eventune.results import Score
from eventune.scoring.false_alarms import FalseAlarms
from eventune.scoring.measures import MicroScorer, Tally

GOLD, PREDICTED, ALONE = "gold", "predicted", "alone"
"""Where triggers come from: the annotation (EAE), a prediction (E2E), or a prediction that is all there is (ED)."""
TRIGGERS = (GOLD, PREDICTED, ALONE)

LEAST_SENTENCES = 20
"""False alarms in fewer sentences without events say nothing."""

_TRIGGER_MEASURES = ("trigger_id", "trigger_cls")
_ARGUMENT_MEASURES = ("argument_id", "argument_cls", "argument_attached_id", "argument_attached_cls")
_MEASURES = {
    GOLD: _ARGUMENT_MEASURES,
    PREDICTED: _TRIGGER_MEASURES + _ARGUMENT_MEASURES,
    ALONE: _TRIGGER_MEASURES,
}
_Item = tuple[object, ...]


class TexteeScorer(MicroScorer):
    """Counts documents one by one; see `Scorer`.

    Args:
        triggers: Where the triggers come from, one of `TRIGGERS`: says which measures there are, and the headline.

    Raises:
        InvalidValueError: If it is none of them.
    """

    name: ClassVar[str] = "textee"

    def __init__(self, *, triggers: str = GOLD) -> None:
        if triggers not in TRIGGERS:
            raise InvalidValueError("triggers", " or ".join(TRIGGERS), repr(triggers))
        super().__init__(_MEASURES[triggers], {"triggers": triggers})
        self.headline = _MEASURES[triggers][-1]  # AC+, or TC where there are triggers alone.
        self._false_alarms, self._shape = FalseAlarms(), AnnotationShape()
        self._predicts_triggers = triggers != GOLD

    def count(self, gold: Document, predicted: Document) -> Mapping[str, Tally]:
        """See `MicroScorer`."""
        if self._predicts_triggers:
            self._shape.add(gold)
            self._false_alarms.add(gold, predicted)
        annotated, found = _items(gold), _items(predicted)
        return {measure: tally_of(annotated[measure], found[measure]) for measure in self._totals}

    def score(self) -> Score:
        """See `MicroScorer`; with predicted triggers `false_alarms`, where enough sentences have no event."""
        result = super().score()
        # Where some events only are marked, nobody knows which sentences have none.
        if self._false_alarms.sentences < LEAST_SENTENCES or self._shape.looks_partial:
            return result
        return replace(result, tables={**result.tables, "false_alarms": self._false_alarms.to_dict()})


def tally_of(gold: set[_Item], predicted: set[_Item]) -> Tally:
    """Return the tally of two sets."""
    return Tally(len(gold), len(predicted), len(gold & predicted))


def arguments_of(event: Event) -> set[tuple[str, Span | None, Span, str]]:
    """Return (type, trigger, span, role) of an event's arguments."""
    return {(event.type, event.trigger, argument.span, argument.role) for argument in event.arguments}


def _items(document: Document) -> dict[str, set[_Item]]:
    # An event without a trigger is found by its type alone.
    triggers = [(event.type, event.trigger) for event in document.events]
    arguments = {item for event in document.events for item in arguments_of(event)}
    return {
        "trigger_id": {(trigger,) for _, trigger in triggers},
        "trigger_cls": set(triggers),
        "argument_id": {(kind, span) for kind, _, span, _ in arguments},
        "argument_cls": {(kind, span, role) for kind, _, span, role in arguments},
        "argument_attached_id": {(kind, trigger, span) for kind, trigger, span, _ in arguments},
        "argument_attached_cls": set(arguments),
    }
