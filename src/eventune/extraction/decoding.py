"""From candidates to arguments: what is kept of them, and which of them fill a role."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from eventune.events import Argument, Document, Ontology, Span
from eventune.extraction.features import EncodedWindow

CANDIDATES_A_ROLE = 12
"""How many spans of a role are looked at in a window: enough for several fillers and what overlaps them."""


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


@dataclass(frozen=True)
class Margins:
    """When a candidate becomes an argument.

    Attributes:
        first: What the log-odds of a role's best candidate against the empty role must exceed.
        further: What a further candidate's log-odds against the best one must exceed, at most 0. The loss spreads a
            role's probability evenly over its fillers, so true ones lie close together whatever the empty role's score.
    """

    first: float = 0.0
    further: float = -1.0

    # Read from a run's settings: a misspelt margin must not leave the default in its place.
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}


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


def select(role: str, candidates: Sequence[Candidate], margins: Margins) -> list[Argument]:
    """Return those of a role's candidates, best first, that exceed their margins as its arguments."""
    if not candidates or candidates[0].log_odds <= margins.first:
        return []
    best = candidates[0].log_odds
    return [
        Argument(role, candidate.span, round(candidate.probability, 6))
        for place, candidate in enumerate(candidates)
        if place == 0 or candidate.log_odds - best > margins.further
    ]


EventCandidates = dict[tuple[int, int], list[list[Candidate]]]
"""For each (document, event): the candidates of each role, best first, without overlap, in the ontology's order."""


def merge_windows(
    windows: Iterable[tuple[EncodedWindow, Sequence[Sequence[Candidate]]]],
    documents: Sequence[Document],
    ontology: Ontology,
) -> EventCandidates:
    """Put the candidates of all windows together.

    Args:
        windows: Each window with the candidates of each role that it was read for.
        documents: The documents that were encoded.
        ontology: The ontology that they were encoded for.

    Returns:
        The candidates, windows merged, overlaps removed, up to each role's multiplicity.
    """
    found: EventCandidates = {}
    for window, roles in windows:
        event_type = ontology[documents[window.document].events[window.event].type]
        merged = found.setdefault((window.document, window.event), [[] for _ in event_type.roles])
        for role, more in zip(window.roles, roles, strict=True):
            merged[role].extend(more)
    for (document, event), merged in found.items():
        event_type = ontology[documents[document].events[event].type]
        merged[:] = [
            non_maximum_suppression(candidates, role.multiplicity)
            for role, candidates in zip(event_type.roles, merged, strict=True)
        ]
    return found


def annotated(
    documents: Sequence[Document],
    found: Mapping[tuple[int, int], Sequence[Sequence[Candidate]]],
    ontology: Ontology,
    margins: Margins,
) -> list[Document]:
    """Return documents with the arguments that exceed the margins in place of their own."""
    result = []
    for index, document in enumerate(documents):
        events = []
        for number, event in enumerate(document.events):
            roles = ontology[event.type].roles if (index, number) in found else ()
            events.append(
                event.with_arguments(
                    argument
                    for role, candidates in zip(roles, found.get((index, number), ()), strict=True)
                    for argument in select(role.name, candidates, margins)
                )
            )
        result.append(document.with_events(events))
    return result
