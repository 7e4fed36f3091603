"""From candidates to arguments: what is kept of them, and which of them fill a role."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar

from annotated_types import Len
from pydantic import Discriminator, Tag

from eventune.events import Argument, Document, Ontology, Span
from eventune.extraction.features import EncodedWindow

_CANDIDATES_A_ROLE = 12
_FAR = 10.0
"""Log-odds beyond which nothing more is told by them."""
_LEAST = 1e-6
_MOST = 700.0
"""Whose exponential a float holds."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A span that may fill a role.

    Attributes:
        span: Token span in the document.
        log_odds: Its score minus the empty role's.
        probability: Its share of the role's probability, in [0, 1].
    """

    span: Span
    log_odds: float
    probability: float

    def argument(self, role: str, score: float | None = None) -> Argument:
        """Return it as an argument with a score, by default its share of the role's probability."""
        return Argument(role, self.span, round(self.probability if score is None else score, 6))


def candidates_a_role(ontology: Ontology) -> int:
    """Return how many spans of a role are looked at in a window: enough for its fillers and what overlaps them."""
    most = max((role.multiplicity for event_type in ontology.types.values() for role in event_type.roles), default=1)
    return max(_CANDIDATES_A_ROLE, 2 * most)


@dataclass(frozen=True)
class Margins:
    """When a candidate becomes an argument, where no dev part says how probable it is that it is right.

    Attributes:
        first: What the log-odds of a role's best candidate against the empty role must exceed.
        further: What a further candidate's log-odds against the best one must exceed, at most 0. The loss spreads a
            role's probability evenly over its fillers, so true ones lie close together whatever the empty role's score.
    """

    first: float = 0.0
    further: float = -1.0

    # Read from a run's settings: a misspelt margin must not leave the default in its place.
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def chosen(self, candidates: Sequence[Candidate], _role: str = "") -> list[tuple[Candidate, float]]:
        """Return those of a role's candidates, best first, that exceed the margins, with their scores."""
        if not candidates or candidates[0].log_odds <= self.first:
            return []
        best = candidates[0].log_odds
        return [
            (candidate, candidate.probability)
            for place, candidate in enumerate(candidates)
            if place == 0 or candidate.log_odds - best > self.further
        ]

    def shifted(self, log_odds: float) -> Margins:
        """Return margins that are stricter by some log-odds."""
        return replace(self, first=round(self.first + log_odds, 6))


def signals_of(candidates: Sequence[Candidate]) -> list[tuple[float, ...]]:
    """Return what tells of a role's candidates, best first, whether they are right, as `Calibration.weights` has it."""
    return [
        (
            min(max(candidate.log_odds, -_FAR), _FAR),
            math.log(max(candidate.probability, _LEAST)),
            math.log(max(1 - candidate.probability, _LEAST)),
            min(candidates[0].log_odds - candidate.log_odds, _FAR),
            float(place > 0),
        )
        for place, candidate in enumerate(candidates)
    ]


@dataclass(frozen=True)
class Calibration:
    """How probable it is that a candidate is right, and from which probability on it becomes an argument.

    Attributes:
        intercept: Log-odds of a candidate whose signals are all 0.
        weights: What each signal adds: the log-odds against the empty role, the logarithm of the candidate's share of
            the role's probability, that of the rest, how far it lies behind the best one, and whether it does.
        threshold: The probability from which on a candidate is kept.
        roles: What a role of this name adds to the log-odds of its candidates; 0 where it is not named.
    """

    intercept: float = 0.0
    weights: Annotated[tuple[float, ...], Len(5, 5)] = (0.0, 1.0, -1.0, 0.0, 0.0)
    threshold: float = 1.0
    roles: Mapping[str, float] = field(default_factory=dict)

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def probability_of(self, signals: Sequence[float], role: str = "") -> float:
        """Return the probability that a role's candidate with such signals is right."""
        score = self.intercept + self.roles.get(role, 0.0) + sum(map(operator.mul, self.weights, signals))
        return 1 / (1 + math.exp(-score)) if score > -_MOST else 0.0

    def chosen(self, candidates: Sequence[Candidate], role: str = "") -> list[tuple[Candidate, float]]:
        """Return those of a role's candidates that are probable enough, with their probabilities."""
        probabilities = (self.probability_of(signals, role) for signals in signals_of(candidates))
        return [(c, p) for c, p in zip(candidates, probabilities, strict=True) if p >= self.threshold]

    def shifted(self, log_odds: float) -> Calibration:
        """Return the calibration with a threshold that is stricter by some log-odds."""
        threshold = min(max(self.threshold, _LEAST), 1 - _LEAST)
        odds = threshold / (1 - threshold) * math.exp(log_odds)
        return replace(self, threshold=round(odds / (1 + odds), 6))


def _kind_of(value: Any) -> str:
    return (
        "Calibration"
        if isinstance(value, Calibration) or (isinstance(value, dict) and "threshold" in value)
        else "Margins"
    )


Choice = Annotated[
    Annotated[Margins, Tag("Margins")] | Annotated[Calibration, Tag("Calibration")], Discriminator(_kind_of)
]
"""What decides which candidates become arguments; settings files tell the two apart by what they hold."""


def non_maximum_suppression(candidates: Sequence[Candidate], multiplicity: int) -> list[Candidate]:
    """Merge the candidates of all windows and keep the best that do not overlap.

    Args:
        candidates: Candidates of one role from all windows of the document.
        multiplicity: How many fillers the role may have.

    Returns:
        At most `multiplicity` candidates, from best to worst.
    """
    chosen: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda c: (-c.log_odds, c.span)):
        if len(chosen) == multiplicity:
            break
        if not any(candidate.span.overlaps(other.span) for other in chosen):
            chosen.append(candidate)
    return chosen


def averaged(readings: Sequence[Sequence[Candidate]], *, most: int) -> list[Candidate]:
    """Average what several readings of an event say of a role's spans.

    Args:
        readings: The candidates of each reading, of all its windows. Of a span that is not among one's best, it says a
            little less than of the last of these: that span is no better than they are.
        most: How many of a reading are its best, however many windows it has.

    Returns:
        Every span that is a candidate somewhere: its mean log-odds, and its share of the role's probability by these.
    """
    if len(readings) == 1:
        return list(readings[0])
    odds = [_best(own, most) for own in readings]
    least = [min(own.values(), default=-_FAR) - 1 for own in odds]
    mean = {
        span: sum(own.get(span, last) for own, last in zip(odds, least, strict=True)) / len(odds)
        for span in sorted({span for own in odds for span in own})
    }
    shares = {span: math.exp(min(value, _MOST)) for span, value in mean.items()}
    return [Candidate(span, mean[span], share / (1 + sum(shares.values()))) for span, share in shares.items()]


def _best(candidates: Sequence[Candidate], most: int) -> dict[Span, float]:
    """Return the log-odds of the best spans, by the better one where windows share a span."""
    rising = {c.span: c.log_odds for c in sorted(candidates, key=lambda c: c.log_odds)}
    return dict(sorted(rising.items(), key=lambda item: item[1])[-most:])


EventCandidates = dict[tuple[int, int], list[list[Candidate]]]
"""For each (document, event): the candidates of each role, best first, without overlap, in the ontology's order."""


Readings = dict[tuple[int, int], list[list[list[Candidate]]]]
"""For each (document, event): what each reading of it says, the candidates of each role in the ontology's order."""


def readings_of(
    windows: Iterable[tuple[EncodedWindow, Sequence[Sequence[Candidate]]]],
    documents: Sequence[Document],
    ontology: Ontology,
) -> Readings:
    """Put the candidates of all windows of a reading together.

    Args:
        windows: Each window with the candidates of each role that it was read for.
        documents: The documents that were encoded.
        ontology: The ontology that they were encoded for.

    Returns:
        The readings of each event: the document and, where there is one, what is near its trigger.
    """
    readings: dict[tuple[int, int], dict[bool, list[list[Candidate]]]] = {}
    for window, roles in windows:
        event_type = ontology[documents[window.document].events[window.event].type]
        own = readings.setdefault((window.document, window.event), {})
        merged = own.setdefault(window.is_near, [[] for _ in event_type.roles])
        for role, more in zip(window.roles, roles, strict=True):
            merged[role].extend(more)
    return {place: list(own.values()) for place, own in readings.items()}


def merge_readings(readings: Readings, documents: Sequence[Document], ontology: Ontology) -> EventCandidates:
    """Average what the readings of each event say.

    Args:
        readings: The readings of each event.
        documents: The documents.
        ontology: The ontology that they were read for.

    Returns:
        The candidates, overlaps removed, up to each role's multiplicity.
    """
    found: EventCandidates = {}
    most = candidates_a_role(ontology)
    for (document, event), own in readings.items():
        event_type = ontology[documents[document].events[event].type]
        found[document, event] = [
            non_maximum_suppression(averaged(candidates, most=most), role.multiplicity)
            for role, *candidates in zip(event_type.roles, *own, strict=True)
        ]
    return found


def annotated(
    documents: Sequence[Document],
    found: Mapping[tuple[int, int], Sequence[Sequence[Candidate]]],
    ontology: Ontology,
    choice: Choice,
) -> list[Document]:
    """Return documents with the arguments that are chosen of the candidates in place of their own."""
    result = []
    for index, document in enumerate(documents):
        events = []
        for number, event in enumerate(document.events):
            roles = ontology[event.type].roles if (index, number) in found else ()
            events.append(
                event.with_arguments(
                    candidate.argument(role.name, score)
                    for role, candidates in zip(roles, found.get((index, number), ()), strict=True)
                    for candidate, score in choice.chosen(candidates, role.name)
                )
            )
        result.append(document.with_events(events))
    return result
