"""Events that are found where there are none: how many in a thousand sentences without events."""

from __future__ import annotations

from collections import Counter
from typing import Any

from eventune.events import Document


class FalseAlarms:
    """Counts the events found in sentences that have none, document by document.

    A sentence has none if no trigger of an annotated event touches it. In a document with an event without a trigger,
    nobody can tell: its sentences do not count.
    """

    def __init__(self) -> None:
        self.sentences = 0
        self.types: Counter[str] = Counter()

    def add(self, gold: Document, predicted: Document) -> None:
        """Count a document.

        Args:
            gold: The document with all its events.
            predicted: The same document with the events that were found without knowing them.
        """
        if any(not event.triggers for event in gold.events):
            return
        taken = [trigger for event in gold.events for trigger in event.triggers]
        free = {n for n, sentence in enumerate(gold.sentences) if not any(map(sentence.overlaps, taken))}
        self.sentences += len(free)
        for event in predicted.events:
            if event.trigger is not None and gold.sentence_of(event.trigger.start) in free:
                self.types[event.type] += 1

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as JSON values.

        Returns:
            `sentences` without events, `events` found in them, `per_thousand_sentences`, and the events by `types`.
        """
        events = self.types.total()
        return {
            "sentences": self.sentences,
            "events": events,
            "per_thousand_sentences": 1000 * events / self.sentences if self.sentences else 0.0,
            "types": dict(self.types.most_common()),
        }
