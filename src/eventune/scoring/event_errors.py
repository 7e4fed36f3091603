"""What kinds of errors predicted events have.

Gold and predicted events of a document are paired one to one, in the order of `KINDS`: first those with the same
trigger and type, then those with the same trigger, then those of one type whose triggers overlap. What is left is
missed or spurious. Among several candidates the first gold event takes the first prediction. Events without a trigger
are told by their type.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from eventune.events import Document, Event

MATCHED, WRONG_TYPE, WRONG_SPAN, MISSED, SPURIOUS = KINDS = (
    "matched",
    "wrong type",
    "wrong trigger span",
    "missed event",
    "spurious event",
)
"""A pair's kind, in the order in which pairs are made."""


@dataclass(frozen=True, slots=True)
class EventPair:
    """A gold event with what was predicted for it.

    Attributes:
        kind: One of `KINDS`.
        gold: The annotated event; None where the prediction is spurious.
        predicted: The predicted event; None where the annotation is missed.
    """

    kind: str
    gold: Event | None
    predicted: Event | None


class EventErrors:
    """Counts events by their kind of error, document by document."""

    def __init__(self) -> None:
        self._kinds: Counter[str] = Counter()
        self._types: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._confusion: Counter[tuple[str, str]] = Counter()

    def add(self, pairs: tuple[EventPair, ...]) -> None:
        """Count the pairs of a document."""
        for pair in pairs:
            of = pair.gold or pair.predicted
            assert of is not None, "a pair has at least one side"
            self._kinds[pair.kind] += 1
            self._types[of.type][pair.kind] += 1
            if pair.gold and pair.predicted and pair.gold.type != pair.predicted.type:
                self._confusion[pair.gold.type, pair.predicted.type] += 1

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as JSON values.

        Returns:
            `kinds`; `types`, the kinds by event type (the gold's, where there is one), frequent ones first; `confusion`
            of types.
        """
        rows = sorted(self._types.items(), key=lambda row: (-row[1].total(), row[0]))
        return {
            "kinds": {kind: self._kinds[kind] for kind in KINDS},
            "types": {name: {kind: counts[kind] for kind in KINDS} for name, counts in rows},
            "confusion": [
                {"gold": gold, "predicted": predicted, "count": count}
                for (gold, predicted), count in self._confusion.most_common()
            ],
        }


def pair_events(gold: Document, predicted: Document) -> Iterator[EventPair]:
    """Pair the events of a document, as the module's docstring says.

    Args:
        gold: The annotated document.
        predicted: The same document with the predicted events.

    Yields:
        The pairs, by kind.
    """
    annotated, found = list(gold.events), list(predicted.events)
    for kind, fits in _FITS.items():
        kept = []
        for event in annotated:
            number = next((n for n, other in enumerate(found) if fits(event, other)), None)
            if number is None:
                kept.append(event)
            else:
                yield EventPair(kind, event, found.pop(number))
        annotated = kept
    yield from (EventPair(MISSED, event, None) for event in annotated)
    yield from (EventPair(SPURIOUS, None, event) for event in found)


def _overlap(gold: Event, predicted: Event) -> bool:
    return gold.trigger is not None and predicted.trigger is not None and gold.trigger.overlaps(predicted.trigger)


_FITS: Mapping[str, Callable[[Event, Event], bool]] = {
    MATCHED: lambda g, p: g.type == p.type and g.trigger == p.trigger,
    WRONG_TYPE: lambda g, p: g.trigger is not None and g.trigger == p.trigger,
    WRONG_SPAN: lambda g, p: g.type == p.type and _overlap(g, p),
}
