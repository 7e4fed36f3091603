"""The questions that a causal LM is asked: text with marked triggers, event types, roles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eventune.errors import EventuneError
from eventune.events import Document, Event, Ontology, Span
from eventune.events.naming import natural_name
from eventune.generation.bounded import BoundedTemplate
from eventune.storage.text_files import read_text

BUILT_IN = Path(__file__).with_name("prompt.jinja")
"""The built-in question about arguments."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked at once.

    Attributes:
        document: The document.
        events: Indices of the events that are asked about, in the order of their triggers.
        window: The words that are shown.
    """

    document: Document
    events: tuple[int, ...]
    window: Span


class PromptTemplate:
    """A template for questions.

    In it there are `events`, each with `number`, `type`, `name` (the type's words), `description`, `trigger`, and
    `roles` with `name`, `words`, `description`, `question` and `multiplicity`; and `text(before, after)`, the text with
    these marks around triggers, in which `{n}` becomes the event's number.

    Attributes:
        source: The template.
    """

    def __init__(self, source: str, ontology: Ontology, *, name: str = "the prompt") -> None:
        self.source = source
        self._ontology = ontology
        self._name = name
        self._template = BoundedTemplate(
            source, name=name, purpose="write a question", hint="mend the template", strict=True
        )

    @classmethod
    def read(cls, path: str, ontology: Ontology, *, built_in: Path = BUILT_IN) -> PromptTemplate:
        """Read a template.

        Args:
            path: The jinja file; the built-in one if empty.
            ontology: What is asked about.
            built_in: The built-in one.

        Raises:
            EventuneError: If the file cannot be read or is broken.
        """
        file = Path(path) if path else built_in
        return cls(read_text(file), ontology, name=str(file))

    def render(self, question: Question) -> str:
        """Write a question.

        Raises:
            EventuneError: If the template is broken, or does not show the text.
        """
        document, shown = question.document, []
        events = [document.events[index] for index in question.events]

        def text(before: str = "", after: str = "") -> str:
            shown.append(True)
            return _marked(document, events, question.window, before, after)

        described = [self._described(document, event, number) for number, event in enumerate(events, 1)]
        rendered = self._template.render(events=described, text=text)
        if not shown:
            raise EventuneError(
                f"{self._name}: expected {{{{ text() }}}} in it, found none", "put it where the text is"
            )
        return rendered.strip()

    def _described(self, document: Document, event: Event, number: int) -> dict[str, Any]:
        event_type = self._ontology[event.type]
        return {
            "number": number,
            "type": event_type.name,
            "name": " ".join(natural_name(event_type.name)),
            "description": event_type.description,
            "trigger": document.text_of(event.trigger) if event.trigger else "",
            "roles": [
                {
                    "name": role.name,
                    "words": " ".join(natural_name(role.name)),
                    "description": role.description,
                    "question": role.question,
                    "multiplicity": role.multiplicity,
                }
                for role in event_type.roles
            ],
        }


def _marked(document: Document, events: Sequence[Event], window: Span, before: str, after: str) -> str:
    """Return the text of a window with marks around the triggers in it."""
    place = document.characters_of(window)
    marks: list[tuple[int, int, str]] = []
    for number, event in enumerate(events, 1):
        if event.trigger is not None and window.contains(event.trigger):
            trigger = document.characters_of(event.trigger)
            marks.append((trigger.start, 1, before.replace("{n}", str(number))))
            marks.append((trigger.end, 0, after.replace("{n}", str(number))))
    parts, at = [], place.start
    # Where a trigger begins as another ends, the latter is closed first.
    for offset, _, mark in sorted(marks, key=lambda found: found[:2]):
        parts += [document.text[at:offset], mark]
        at = offset
    return "".join([*parts, document.text[at : place.end]])
