"""From encoded windows to the tensors of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from eventune.extraction.features import EncodedWindow
from eventune.extraction.marks import Mark


@dataclass(frozen=True, slots=True)
class WindowCollator:
    """Pads examples to a batch.

    Lengths are rounded up to a multiple, so that only few shapes occur: the allocator finds the blocks of earlier
    batches again, and memory stays flat.

    Attributes:
        pad_token_id: The tokenizer's padding id.
        multiple: What lengths in tokens and words are rounded up to.
        length: Tokens that every batch is padded to; 0 for as few as it needs.
    """

    pad_token_id: int
    multiple: int = 16
    length: int = 0

    def inputs(self, examples: Sequence[EncodedWindow]) -> dict[str, Tensor]:
        """Build what the model reads: the arguments of `JointExtractor.forward`."""
        lengths = [len(example.input_ids) for example in examples]
        tokens = self.length or -(-max(lengths) // self.multiple) * self.multiple
        words = -(-max(len(example.word_starts) for example in examples) // self.multiple) * self.multiple
        roles = max(len(example.role_tokens) for example in examples)
        return {
            "input_ids": padded([e.input_ids for e in examples], tokens, self.pad_token_id),
            "attention_mask": padded([[1] * length for length in lengths], tokens, 0),
            "marks": padded([e.marks for e in examples], tokens, int(Mark.NONE)),
            "role_tokens": torch.tensor(
                [e.role_tokens + [(0, 0)] * (roles - len(e.role_tokens)) for e in examples], dtype=torch.long
            ),
            "word_starts": padded([e.word_starts for e in examples], words, 0),
            "word_ends": padded([e.word_ends for e in examples], words, 0),
            "sentences": padded([e.sentences for e in examples], words, -1),
        }

    def targets(self, examples: Sequence[EncodedWindow]) -> dict[str, Tensor]:
        """Build what the loss compares the scores with: `targets` *shape* (gold spans, 4), `slots` (events, roles)."""
        roles = max(len(example.role_tokens) for example in examples)
        return {
            "targets": torch.tensor(
                [(index, *gold) for index, e in enumerate(examples) for gold in e.gold], dtype=torch.long
            ).view(-1, 4),
            "slots": padded([[1] * len(e.role_tokens) for e in examples], roles, 0).bool(),
        }


def padded(rows: Sequence[Sequence[int]], length: int, value: int) -> Tensor:
    """Return rows of integers as a matrix, each filled up to a length with a value."""
    return torch.tensor([[*row, *[value] * (length - len(row))] for row in rows], dtype=torch.long)
