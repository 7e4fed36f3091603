"""From encoded windows to the tensors of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from eventune.extraction.batches import MULTIPLE, padded, window_inputs
from eventune.extraction.features import EncodedWindow


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
    multiple: int = MULTIPLE
    length: int = 0

    def inputs(self, examples: Sequence[EncodedWindow]) -> dict[str, Tensor]:
        """Build what the model reads: the arguments of `JointExtractor.forward`."""
        arrays = window_inputs(examples, self.pad_token_id, multiple=self.multiple, length=self.length)
        return tensors_of(arrays)

    def targets(self, examples: Sequence[EncodedWindow]) -> dict[str, Tensor]:
        """Build what the loss compares the scores with.

        Returns:
            `targets` *shape* (gold spans, 4) and `slots` (events, roles); where a teacher has read the examples also
            `taught` (spans, 4) and `probabilities` (spans,).
        """
        roles = max(len(example.role_tokens) for example in examples)
        return {
            **_taught(examples),
            "targets": torch.tensor(
                [(index, *gold) for index, e in enumerate(examples) for gold in e.gold], dtype=torch.long
            ).view(-1, 4),
            "slots": torch.from_numpy(padded([[1] * len(e.role_tokens) for e in examples], roles, 0)).bool(),
        }


def _taught(examples: Sequence[EncodedWindow]) -> dict[str, Tensor]:
    if examples[0].taught is None:
        return {}
    rows = [(index, *row) for index, example in enumerate(examples) for row in example.taught or ()]
    return {
        "taught": torch.tensor([row[:4] for row in rows], dtype=torch.long).view(-1, 4),
        "probabilities": torch.tensor([row[4] for row in rows], dtype=torch.float32),
    }


def tensors_of(arrays: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    """Return arrays as tensors that share their memory."""
    return {name: torch.from_numpy(array) for name, array in arrays.items()}
