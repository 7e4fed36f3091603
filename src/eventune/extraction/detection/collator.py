"""From encoded texts and types to the tensors of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from eventune.extraction.collator import padded
from eventune.extraction.detection.features import EncodedText, EncodedType
from eventune.extraction.detection.marks import TypeMark


@dataclass(frozen=True, slots=True)
class TextCollator:
    """Pads windows to a batch.

    Attributes:
        pad_token_id: The tokenizer's padding id.
        multiple: What lengths in tokens and words are rounded up to, so that only few shapes occur.
    """

    pad_token_id: int
    multiple: int = 16

    def inputs(self, texts: Sequence[EncodedText]) -> dict[str, Tensor]:
        """Build what the model reads: the arguments of `TriggerDetector.forward` but the types."""
        tokens = self._rounded(max(len(text.input_ids) for text in texts))
        words = self._rounded(max(len(text.word_starts) for text in texts))
        return {
            "input_ids": padded([text.input_ids for text in texts], tokens, self.pad_token_id),
            "attention_mask": padded([[1] * len(text.input_ids) for text in texts], tokens, 0),
            "marks": padded([text.marks for text in texts], tokens, int(TypeMark.NONE)),
            "word_starts": padded([text.word_starts for text in texts], words, 0),
            "word_ends": padded([text.word_ends for text in texts], words, 0),
            "sentences": padded([text.sentences for text in texts], words, -1),
        }

    def targets(self, texts: Sequence[EncodedText]) -> dict[str, Tensor]:
        """Build what the loss compares the scores with.

        Returns:
            `known` *shape* (texts, words), and `targets` *shape* (gold triggers, 4): text, type, word, length - 1.
        """
        words = self._rounded(max(len(text.word_starts) for text in texts))
        gold = [(index, *trigger) for index, text in enumerate(texts) for trigger in text.gold]
        return {
            "known": padded([text.known for text in texts], words, 0).bool(),
            "targets": torch.tensor(gold, dtype=torch.long).view(-1, 4),
        }

    def types(self, types: Sequence[EncodedType]) -> dict[str, Tensor]:
        """Build the types that are read by themselves: the last arguments of `TriggerDetector.forward`."""
        length = max((len(kind.input_ids) for kind in types), default=1)
        return {
            "type_ids": padded([kind.input_ids for kind in types], length, self.pad_token_id),
            "type_attention": padded([[1] * len(kind.input_ids) for kind in types], length, 0),
            "type_lengths": torch.tensor([kind.name_tokens for kind in types], dtype=torch.long),
        }

    def _rounded(self, length: int) -> int:
        return -(-length // self.multiple) * self.multiple
