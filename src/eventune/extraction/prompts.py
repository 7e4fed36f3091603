"""What the encoder reads before the text: the event's type, its trigger, and the name of every role."""

from __future__ import annotations

from eventune.events import Document, Event, EventType, Role
from eventune.events.naming import natural_name


def type_words(event_type: EventType) -> list[str]:
    """Return the words that name an event type in the prompt."""
    return natural_name(event_type.name)


def role_words(role: Role) -> list[str]:
    """Return the words that name a role in the prompt."""
    return natural_name(role.name)


def trigger_words(document: Document, event: Event) -> list[str]:
    """Return the words of the trigger as the document has them; none where the event has no trigger."""
    if event.trigger is None:
        return []
    words = document.words
    return list(words[event.trigger.start : event.trigger.end])
