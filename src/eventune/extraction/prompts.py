"""What the encoder reads before the text: the event's type, its trigger, and the name of every role."""

from __future__ import annotations

import re

from eventune.events import Document, Event, EventType, Role

_WORD_BOUNDARY = re.compile(r"[._\-/:\s]+|(?<=[a-z])(?=[A-Z])")
# RAMS writes "n/a" for a level of the type that does not apply, other corpora "none" or "unspecified".
_EMPTY_PARTS = re.compile(r"(?:^|[._:\-])(?:n/a|none|unspecified)(?=$|[._:\-])", re.IGNORECASE)


def natural_name(name: str) -> list[str]:
    """Split an ontology's name into lower-case words.

    Args:
        name: A name such as `conflict.attack.n/a`, `PlaceOfEmployment` or `end_date`.

    Returns:
        Its words, e.g. `["conflict", "attack"]`; the name itself where nothing else is left.
    """
    words = [word.lower() for word in _WORD_BOUNDARY.split(_EMPTY_PARTS.sub("", name)) if word]
    return words or [name]


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
