"""From encoded texts and types to the arrays of a batch, in numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from eventune.extraction.batches import MULTIPLE, padded, rounded
from eventune.extraction.detection.features import EncodedText, EncodedType
from eventune.extraction.detection.marks import TypeMark

AXES: Mapping[str, tuple[str, ...]] = {
    "input_ids": ("texts", "tokens"),
    "attention_mask": ("texts", "tokens"),
    "marks": ("texts", "tokens"),
    "word_starts": ("texts", "words"),
    "word_ends": ("texts", "words"),
    "sentences": ("texts", "words"),
}
"""What the sizes of each input mean, those that differ from batch to batch."""


def text_inputs(texts: Sequence[EncodedText], pad_token_id: int, *, multiple: int = MULTIPLE) -> dict[str, np.ndarray]:
    """Pad windows to a batch of what `TriggerDetector.forward` reads, but the types.

    Args:
        texts: The windows.
        pad_token_id: The tokenizer's padding id.
        multiple: What lengths in tokens and words are rounded up to.

    Returns:
        The inputs by name.
    """
    tokens = rounded(max(len(text.input_ids) for text in texts), multiple)
    words = rounded(max(len(text.word_starts) for text in texts), multiple)
    return {
        "input_ids": padded([text.input_ids for text in texts], tokens, pad_token_id),
        "attention_mask": padded([[1] * len(text.input_ids) for text in texts], tokens, 0),
        "marks": padded([text.marks for text in texts], tokens, int(TypeMark.NONE)),
        "word_starts": padded([text.word_starts for text in texts], words, 0),
        "word_ends": padded([text.word_ends for text in texts], words, 0),
        "sentences": padded([text.sentences for text in texts], words, -1),
    }


def type_inputs(types: Sequence[EncodedType], pad_token_id: int) -> dict[str, np.ndarray]:
    """Pad the types that are read by themselves: the last arguments of `TriggerDetector.forward`."""
    length = max((len(kind.input_ids) for kind in types), default=1)
    return {
        "type_ids": padded([kind.input_ids for kind in types], length, pad_token_id),
        "type_attention": padded([[1] * len(kind.input_ids) for kind in types], length, 0),
        "type_lengths": np.array([kind.name_tokens for kind in types], dtype=np.int64),
    }
