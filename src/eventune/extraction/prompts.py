"""What the encoder reads before the text: the event's type, its trigger, and the name of every role."""

from __future__ import annotations

from eventune.events import Document, Event, EventType, Role
from eventune.events.naming import natural_name

MOST_TRIGGER_WORDS = 32
"""Words of a trigger that a prompt has room for."""


def type_words(event_type: EventType) -> list[str]:
    """Return the words that name an event type in the prompt."""
    return natural_name(event_type.name)


def role_words(role: Role) -> list[str]:
    """Return the words that name a role in the prompt."""
    return natural_name(role.name)


def trigger_words(document: Document, event: Event) -> list[str]:
    """Return the trigger's words as the document has them, of many the first and the last; none without a trigger."""
    if event.trigger is None:
        return []
    tokens = document.tokens[event.trigger.start : event.trigger.end]
    words = [document.text[token.start : token.end] for token in tokens]
    half = MOST_TRIGGER_WORDS // 2
    return words if len(words) <= MOST_TRIGGER_WORDS else [*words[:half], *words[-half:]]
