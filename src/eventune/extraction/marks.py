"""What each subword token of the input is to the event."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from eventune.events import Event

MAX_SENTENCE_DISTANCE = 3
"""Sentences that are further from the trigger are marked as if they were as far as this."""


class Mark(IntEnum):
    """What a subword token is to the event; each mark has a learned vector that is added to the token's embedding.

    Marks take the place of special tokens such as `<t>`: no vocabulary changes, so they work with any encoder, and they
    are part of the heads. Tokens of the text beyond the trigger are marked by their sentence's distance from it:
    `TEXT + MAX_SENTENCE_DISTANCE + distance`.
    """

    NONE = 0
    TYPE = 1
    PROMPT_TRIGGER = 2
    ROLE = 3
    TRIGGER = 4
    TEXT = 5

    @staticmethod
    def count() -> int:
        """Number of marks, with one for each sentence distance."""
        return int(Mark.TEXT) + 2 * MAX_SENTENCE_DISTANCE + 1


def mark_of(word: int, event: Event, sentences: Sequence[int]) -> int:
    """Return the mark of a word of the text.

    Args:
        word: Index of the word in the document.
        event: The event that the text is read for.
        sentences: Sentence of each word of the document.
    """
    if event.trigger is None:
        return int(Mark.NONE)
    if event.trigger.start <= word < event.trigger.end:
        return int(Mark.TRIGGER)
    distance = sentences[word] - sentences[event.trigger.start]
    return int(Mark.TEXT) + MAX_SENTENCE_DISTANCE + max(-MAX_SENTENCE_DISTANCE, min(MAX_SENTENCE_DISTANCE, distance))
