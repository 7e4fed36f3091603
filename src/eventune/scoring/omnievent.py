"""Arguments on predicted triggers, counted in the ways of OmniEvent (THU-KEG/OmniEvent, `eae_eval_mode`).

Its paper (Peng et al. 2023, "The Devil is in the Details", arXiv 2306.06918) names what makes figures of pipelines
differ: which events the arguments are counted of. Here an event is told by its trigger, whatever its type:

- `strict` (the one that the paper recommends): all gold events count, missed or not, and all predicted ones;
- `default`: the arguments of gold events whose trigger was not found are left out;
- `loose`: those of predicted events whose trigger is not in the gold are left out as well.

An argument matches where trigger, event type, span and role do (`argument_cls`), or all but the role (`argument_id`).
OmniEvent counts words, the spans here are exact. No outputs of its scorer were at hand: the tests are worked out by
hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from eventune.errors import InvalidValueError
from eventune.events import Document, Event
from eventune.scoring.measures import MicroScorer, Tally
from eventune.scoring.textee import arguments_of, tally_of

STRICT, DEFAULT, LOOSE = "strict", "default", "loose"
MODES = (STRICT, DEFAULT, LOOSE)


class OmnieventScorer(MicroScorer):
    """Counts documents one by one; see `Scorer`.

    Args:
        mode: Which events' arguments count, one of `MODES`.

    Raises:
        InvalidValueError: If it is none of them.
    """

    name: ClassVar[str] = "omnievent"
    headline = "argument_cls"

    def __init__(self, *, mode: str = STRICT) -> None:
        if mode not in MODES:
            raise InvalidValueError("mode", " or ".join(MODES), repr(mode))
        super().__init__(("argument_id", "argument_cls"), {"mode": mode})
        self._mode = mode

    def count(self, gold: Document, predicted: Document) -> Mapping[str, Tally]:
        """See `MicroScorer`."""
        annotated, found = list(gold.events), list(predicted.events)
        if self._mode != STRICT:
            annotated = _with_trigger_of(annotated, predicted.events)
        if self._mode == LOOSE:
            found = _with_trigger_of(found, gold.events)
        ours, theirs = ({item for event in events for item in arguments_of(event)} for events in (annotated, found))
        return {
            "argument_id": tally_of({item[:3] for item in ours}, {item[:3] for item in theirs}),
            "argument_cls": tally_of(set(ours), set(theirs)),
        }


def _with_trigger_of(events: Iterable[Event], others: Iterable[Event]) -> list[Event]:
    """Return the events that share their trigger with one of the others."""
    known = {other.trigger for other in others}
    return [event for event in events if event.trigger in known]
