"""Triggers as what a causal LM is asked for: one question a text, whose answer lists triggers by event type.

A text's events become the arguments of one event that stands for the text, whose roles are the event types. So triggers
are asked for, written, grounded and calibrated as arguments are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from eventune.errors import EventuneError
from eventune.events import Argument, Document, Event, EventType, Ontology, Role, Span
from eventune.generation.extracting.prompt_encoding import PromptEncoder
from eventune.generation.extracting.prompts import Question

PROMPT = Path(__file__).with_name("detection_prompt.jinja")
"""The built-in question."""
WHOLE_TEXT = "events"
"""Type of the event that stands for a text."""
MOST_TRIGGERS = 32
"""Triggers of one type that an answer may list."""


def asked_ontology(ontology: Ontology) -> Ontology:
    """Return what is asked about: a text, whose roles are the event types."""
    roles = [
        Role(kind.name, multiplicity=MOST_TRIGGERS, description=kind.description) for kind in ontology.types.values()
    ]
    return Ontology.of([EventType(WHOLE_TEXT, tuple(roles))])


def asked_of(document: Document) -> Document:
    """Return a document with one event, whose arguments are the triggers."""
    triggers = tuple(Argument(event.type, event.trigger) for event in document.events if event.trigger is not None)
    return document.with_events([Event(WHOLE_TEXT, None, triggers)])


def answered(document: Document) -> Document:
    """Return a document with the triggers that were found as events, in the order of the text."""
    found = [argument for event in document.events for argument in event.arguments]
    return document.with_events(
        Event(
            argument.role,
            argument.span,
            attributes={} if argument.score is None else {"score": round(argument.score, 6)},
        )
        for argument in sorted(found, key=lambda argument: (argument.span, argument.role))
    )


class TriggerPromptEncoder(PromptEncoder):
    """Asks for triggers; a text that is too long for one question is asked about in parts."""

    def _cut(self, question: Question) -> list[tuple[Question, list[int]]]:
        halves = _halves(question)
        if len(halves) < 2:
            raise EventuneError(
                f"document {question.document.id}: expected a prompt of at most {self.max_prompt} tokens, found more "
                "with a single word of the text: the event types alone are longer",
                "set a greater max_length, or let an encoder find the triggers (task: detection)",
            )
        fitted = []
        for half, prompt in zip(halves, self._prompts(halves, [()] * len(halves)), strict=True):
            fitted += [(half, prompt)] if len(prompt) <= self.max_prompt else self._cut(half)
        return fitted


def _halves(question: Question) -> Sequence[Question]:
    """Cut a question's text in two, at the sentence's end nearest the middle where there is one."""
    document, window = question.document, question.window
    inside = range(window.start + 1, window.end)
    ends = [word for word in inside if document.sentence_of(word) != document.sentence_of(word - 1)]
    if not inside:
        return [question]
    middle = (window.start + window.end) // 2
    cut = min(ends or inside, key=lambda word: abs(word - middle))
    parts = (Span(window.start, cut), Span(cut, window.end))
    return [replace(question, document=_within(document, part), window=part) for part in parts]


def _within(document: Document, window: Span) -> Document:
    def kept(arguments: Iterable[Argument]) -> list[Argument]:
        return [argument for argument in arguments if window.contains(argument.span)]

    return document.with_events(event.with_arguments(kept(event.arguments)) for event in document.events)
