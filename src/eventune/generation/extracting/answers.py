"""What answers say: spans that fill roles, with their probability."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from eventune.events import Argument, Span
from eventune.generation.extracting.grammar import State
from eventune.generation.extracting.prompts import Question
from eventune.generation.extracting.script import Script


@dataclass(frozen=True, slots=True)
class Found:
    """An argument that an answer names.

    Attributes:
        event: Index of its event in the document.
        argument: The argument; its score is the model's probability, None where none is known.
    """

    event: int
    argument: Argument


def found_in(state: State, script: Script, question: Question) -> list[Found]:
    """Return the arguments of a grounded answer.

    Args:
        state: The complete answer.
        script: What it was written by.
        question: What was asked.
    """
    found: list[Found] = []
    for slot, values in zip(script.slots, state.values, strict=True):
        index = question.events[slot.event]
        taken: set[Span] = set()
        for value in values:
            span = nearest(value.spans, question, index, taken)
            if span is not None:
                taken.add(span)
                found.append(Found(index, Argument(slot.role.name, span, value.probability)))
    return found


def nearest(spans: Iterable[Span], question: Question, event: int, taken: Iterable[Span] = ()) -> Span | None:
    """Return the span nearest an event's trigger, the earlier of two; None where all are taken.

    Args:
        spans: Mentions of the same words.
        question: What was asked.
        event: Index of the event.
        taken: Spans that fill the role already.
    """
    free = [span for span in spans if span not in set(taken)]
    trigger = question.document.events[event].trigger or Span(0, 1)
    return min(free, key=lambda span: (distance(span, trigger), span.start, span.end), default=None)


def distance(span: Span, other: Span) -> int:
    """Return how many words lie between two spans; 0 where they overlap."""
    return max(0, span.start - other.end + 1, other.start - span.end + 1)
