"""What kinds of errors predictions have.

Gold and predicted arguments of a document are paired one to one, in the order of `KINDS`: first those that match, then
those with another role on the same span, the same role on an overlapping span, an overlapping span with another role,
and the same span and role in another event. What is left is missed or spurious. Events are told apart by type and
trigger: those of one type without triggers are one to this count. Among several candidates the first gold argument
takes the prediction that overlaps it most, the first of equals. Repeated arguments are paired one by one. Events
themselves are paired by `eventune.scoring.event_errors`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from eventune.events import Argument, Document, Event
from eventune.scoring.event_errors import EventErrors, EventPair, pair_events

KINDS = (
    "matched",
    "wrong role",
    "wrong boundary",
    "wrong boundary and role",
    "wrong event",
    "missed",
    "spurious",
)
"""A pair's kind, in the order in which pairs are made."""
SHOWN_DOCUMENTS = 50
_BINS = (0, 1, 10, 50, 200)
_LONG, _FAR = 10, 3


@dataclass(frozen=True, slots=True)
class Pair:
    """A gold argument with what was predicted for it.

    Attributes:
        kind: One of `KINDS`.
        gold: The annotated argument with its event; None where the prediction is spurious.
        predicted: The predicted argument with its event; None where the annotation is missed.
    """

    kind: str
    gold: tuple[Event, Argument] | None
    predicted: tuple[Event, Argument] | None

    @property
    def of(self) -> tuple[Event, Argument]:
        """The gold argument where there is one, else the predicted one."""
        found = self.gold or self.predicted
        assert found is not None, "a pair has at least one side"
        return found


@dataclass(frozen=True, slots=True)
class ErrorExample:
    """A document with its pairs, as the page shows it.

    Attributes:
        document: The annotated document.
        pairs: All pairs of arguments.
        events: All pairs of events.
    """

    document: Document
    pairs: tuple[Pair, ...]
    events: tuple[EventPair, ...] = ()


class ErrorAnalysis:
    """Counts errors document by document.

    Attributes:
        examples: The first documents with an error.
        documents_with_errors: How many documents have one.
    """

    def __init__(self, *, training_counts: Mapping[str, int] | None = None) -> None:
        self.examples: list[ErrorExample] = []
        self.documents_with_errors = 0
        self._training = training_counts
        self._events = EventErrors()
        self._kinds: Counter[str] = Counter()
        self._tables: dict[str, defaultdict[str, Counter[str]]] = {}
        self._confusion: Counter[tuple[str, str]] = Counter()
        self._shifts: dict[str, Counter[int]] = {"start": Counter(), "end": Counter()}

    def add(self, gold: Document, predicted: Document) -> None:
        """Count a document.

        Args:
            gold: The annotated document.
            predicted: The same document with the predicted events.
        """
        pairs = tuple(pair_arguments(gold, predicted))
        for pair in pairs:
            self._kinds[pair.kind] += 1
            for table, row in self._rows(gold, pair):
                self._tables.setdefault(table, defaultdict(Counter))[row][pair.kind] += 1
            if pair.gold is not None and pair.predicted is not None:
                self._count_difference(pair.gold[1], pair.predicted[1])
        events = tuple(pair_events(gold, predicted))
        self._events.add(events)
        if ({pair.kind for pair in pairs} | {pair.kind for pair in events}) - {"matched"}:
            self.documents_with_errors += 1
            if len(self.examples) < SHOWN_DOCUMENTS:
                self.examples.append(ErrorExample(gold, pairs, events))

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as JSON values.

        Returns:
            `kinds`; `by`, a table of kinds by `role`, `distance` (sentences from the trigger), `length` (tokens) and,
            where it is known, `training` frequency of the role; `confusion` of roles; `boundary_shifts` of starts and
            ends in tokens, predicted minus gold; `documents_with_errors`; `events`, as `EventErrors.to_dict` returns
            them.
        """
        tables = {
            name: {row: {kind: counts[kind] for kind in KINDS} for row, counts in sorted(rows.items(), key=_row_order)}
            for name, rows in self._tables.items()
        }
        confusion = [
            {"gold": gold, "predicted": predicted, "count": count}
            for (gold, predicted), count in self._confusion.most_common()
        ]
        shifts = {
            side: {str(shift): counts[shift] for shift in sorted(counts)} for side, counts in self._shifts.items()
        }
        return {
            "kinds": {kind: self._kinds[kind] for kind in KINDS},
            "by": tables,
            "confusion": confusion,
            "boundary_shifts": shifts,
            "documents_with_errors": self.documents_with_errors,
            "events": self._events.to_dict(),
        }

    def note_on(self, scores: Iterable[Mapping[str, Any]]) -> str:
        """Say why scores count another number of matches than the kinds, where they do.

        Args:
            scores: Scores of the same documents, as JSON values.

        Returns:
            A sentence, or an empty string.
        """
        matched = self._kinds["matched"]
        counted = ((score["scorer"], _matched(score)) for score in scores)
        others = [f"{name} {count:,}" for name, count in counted if count not in (None, matched)]
        if not others:
            return ""
        return (
            f"matched by the scorers' definitions: {', '.join(others)}; here {matched:,}, where each argument is "
            "paired once, with one of an event of the same type and trigger, and in all of its pieces"
        )

    def _rows(self, document: Document, pair: Pair) -> Iterator[tuple[str, str]]:
        event, argument = pair.of
        yield "role", argument.role
        if event.trigger is not None:
            distance = document.sentence_of(argument.span.start) - document.sentence_of(event.trigger.start)
            yield "distance", f"{max(-_FAR, min(_FAR, distance)):+d}" if distance else "0"
        yield "length", str(len(argument.span)) if len(argument.span) < _LONG else f"{_LONG}+"
        if self._training is not None:
            yield "training", _bin(self._training.get(argument.role, 0))

    def _count_difference(self, gold: Argument, predicted: Argument) -> None:
        if gold.role != predicted.role:
            self._confusion[gold.role, predicted.role] += 1
        if gold.span != predicted.span:
            self._shifts["start"][predicted.span.start - gold.span.start] += 1
            self._shifts["end"][predicted.span.end - gold.span.end] += 1


def pair_arguments(gold: Document, predicted: Document) -> Iterator[Pair]:
    """Pair the arguments of a document, as the module's docstring says.

    Args:
        gold: The annotated document.
        predicted: The same document with the predicted events.

    Yields:
        The pairs, by kind.
    """
    annotated = [(event, argument) for event in gold.events for argument in event.arguments]
    found = [(event, argument) for event in predicted.events for argument in event.arguments]
    for kind, fits in _FITS.items():
        kept = []
        for item in annotated:
            # max() keeps the first of equals.
            best = max(
                (other for other in found if fits(item, other)), key=lambda other: _shared(item, other), default=None
            )
            if best is None:
                kept.append(item)
            else:
                del found[next(n for n, other in enumerate(found) if other is best)]
                yield Pair(kind, item, best)
        annotated = kept
    yield from (Pair("missed", item, None) for item in annotated)
    yield from (Pair("spurious", None, item) for item in found)


def _matched(score: Mapping[str, Any]) -> int | None:
    """Return how many matches a score's headline counts; None where it is a mean and counts none."""
    counts = score["measures"][score["measure"]]["counts"] if "measures" in score else score["counts"]
    matched: int | None = counts.get("matched")
    return matched


_Item = tuple[Event, Argument]


def _same_event(gold: _Item, predicted: _Item) -> bool:
    return (gold[0].type, gold[0].trigger) == (predicted[0].type, predicted[0].trigger)


def _same_place(gold: _Item, predicted: _Item) -> bool:
    return (gold[1].span, gold[1].fragments) == (predicted[1].span, predicted[1].fragments)


def _overlap(gold: _Item, predicted: _Item) -> bool:
    return gold[1].span.overlaps(predicted[1].span)


def _same_role(gold: _Item, predicted: _Item) -> bool:
    return gold[1].role == predicted[1].role


_FITS: Mapping[str, Callable[[_Item, _Item], bool]] = {
    "matched": lambda g, p: _same_place(g, p) and _same_role(g, p) and _same_event(g, p),
    "wrong role": lambda g, p: _same_place(g, p) and _same_event(g, p),
    "wrong boundary": lambda g, p: _overlap(g, p) and _same_role(g, p) and _same_event(g, p),
    "wrong boundary and role": lambda g, p: _overlap(g, p) and _same_event(g, p),
    "wrong event": lambda g, p: _same_place(g, p) and _same_role(g, p),
}


def _shared(gold: _Item, predicted: _Item) -> int:
    first, second = gold[1].span, predicted[1].span
    return min(first.end, second.end) - max(first.start, second.start)


def _bin(count: int) -> str:
    """Return the frequency's range, `10–49`."""
    if not count:
        return "0"
    for low, high in pairwise(_BINS[1:]):
        if count < high:
            return f"{low}–{high - 1}"
    return f"{_BINS[-1]}+"


def _row_order(item: tuple[str, Counter[str]]) -> tuple[float, float, str]:
    """Numbers in their order, names by falling count."""
    name, counts = item
    digits = name.rstrip("+").partition("–")[0]
    try:
        return 0, float(digits), name
    except ValueError:
        return 1, -counts.total(), name
