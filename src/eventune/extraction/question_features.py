"""What the question extractor reads: one question for each role of an event, and for each filler that it may have."""

from __future__ import annotations

from eventune.events import Document, Event, EventType, Role
from eventune.extraction.features import EncodedPrompt, FeatureBuilder
from eventune.extraction.marks import Mark
from eventune.extraction.prompts import role_words, trigger_words, type_words


class QuestionFeatureBuilder(FeatureBuilder):
    """Encodes one input for each slot of each role: a role with multiplicity 3 is asked for three times."""

    def _prompts(self, document: Document, event: Event, event_type: EventType) -> list[EncodedPrompt]:
        return [
            self._question(document, event, event_type, index, slot)
            for index, role in enumerate(event_type.roles)
            for slot in range(role.multiplicity)
        ]

    def _question(
        self, document: Document, event: Event, event_type: EventType, index: int, slot: int
    ) -> EncodedPrompt:
        role = event_type.roles[index]
        words = [*_asked(role, slot), *type_words(event_type), *trigger_words(document, event)]
        ids = [self.tokenizer.cls_token_id, *self.tokenizer.all_subwords(words), self.tokenizer.sep_token_id]
        self._require_room(event_type, ids)
        marks = [int(Mark.NONE)] * len(ids)
        return EncodedPrompt(ids, marks, [(1, len(ids) - 2)], (index,), slot)


def _asked(role: Role, slot: int) -> list[str]:
    words = role.question.split() if role.question else role_words(role)
    return [*words, *([str(slot + 1)] if slot else [])]
