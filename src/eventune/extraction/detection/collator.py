"""From encoded texts and types to the tensors of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from eventune.extraction.batches import MULTIPLE, padded, rounded
from eventune.extraction.collator import tensors_of
from eventune.extraction.detection.batches import text_inputs, type_inputs
from eventune.extraction.detection.features import EncodedText, EncodedType


@dataclass(frozen=True, slots=True)
class TextCollator:
    """Pads windows to a batch.

    Attributes:
        pad_token_id: The tokenizer's padding id.
        multiple: What lengths in tokens and words are rounded up to, so that only few shapes occur.
    """

    pad_token_id: int
    multiple: int = MULTIPLE

    def inputs(self, texts: Sequence[EncodedText]) -> dict[str, Tensor]:
        """Build what the model reads: the arguments of `TriggerDetector.forward` but the types."""
        return tensors_of(text_inputs(texts, self.pad_token_id, multiple=self.multiple))

    def targets(self, texts: Sequence[EncodedText]) -> dict[str, Tensor]:
        """Build what the loss compares the scores with.

        Returns:
            `known` *shape* (texts, words), and `targets` *shape* (gold triggers, 4): text, type, word, length - 1.
        """
        words = rounded(max(len(text.word_starts) for text in texts), self.multiple)
        gold = [(index, *trigger) for index, text in enumerate(texts) for trigger in text.gold]
        return {
            "known": torch.from_numpy(padded([text.known for text in texts], words, 0)).bool(),
            "targets": torch.tensor(gold, dtype=torch.long).view(-1, 4),
        }

    def types(self, types: Sequence[EncodedType]) -> dict[str, Tensor]:
        """Build the types that are read by themselves: the last arguments of `TriggerDetector.forward`."""
        return tensors_of(type_inputs(types, self.pad_token_id))
