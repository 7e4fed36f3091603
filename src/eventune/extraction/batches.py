"""From encoded windows to the arrays of a batch, in numpy: what torch reads and what a runtime without it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np

from eventune.extraction.features import EncodedWindow
from eventune.extraction.marks import Mark

MULTIPLE = 16
"""What lengths in tokens and words are rounded up to, so that only few shapes occur."""
CPU_TOKENS = 2048
"""How many tokens a CPU reads at once at the most: the states of more fall out of its caches."""
AXES: Mapping[str, tuple[str, ...]] = {
    "input_ids": ("events", "tokens"),
    "attention_mask": ("events", "tokens"),
    "marks": ("events", "tokens"),
    "role_tokens": ("events", "roles"),
    "word_starts": ("events", "words"),
    "word_ends": ("events", "words"),
    "sentences": ("events", "words"),
}
"""What the sizes of each input mean, those that differ from batch to batch."""


class Encoded(Protocol):
    """What is read at once."""

    @property
    def input_ids(self) -> Sequence[int]: ...  # noqa: D102


Example = TypeVar("Example", bound=Encoded)


def by_length(
    examples: Sequence[Example],
    size: int,
    on_batch: Callable[[int, int], None] | None = None,
    *,
    on_cpu: bool,
) -> Iterator[list[Example]]:
    """Yield examples in batches of like length, the longest first.

    Args:
        examples: The examples.
        size: How many a batch has at the most.
        on_batch: Called when a batch is done, with how many examples of how many are.
        on_cpu: Whether a batch has no more than `CPU_TOKENS`, padded to the longest of it.
    """
    ordered = sorted(examples, key=lambda example: len(example.input_ids), reverse=True)
    done = 0
    while done < len(ordered):
        room = CPU_TOKENS // rounded(len(ordered[done].input_ids)) if on_cpu else size
        chosen = ordered[done : done + max(1, min(size, room))]
        yield chosen
        done += len(chosen)
        if on_batch is not None:
            on_batch(done, len(ordered))


def window_inputs(
    examples: Sequence[EncodedWindow], pad_token_id: int, *, multiple: int = MULTIPLE, length: int = 0
) -> dict[str, np.ndarray]:
    """Pad examples to a batch of what `JointExtractor.forward` reads.

    Args:
        examples: The examples.
        pad_token_id: The tokenizer's padding id.
        multiple: What lengths in tokens and words are rounded up to.
        length: Tokens that the batch is padded to; 0 for as few as it needs.

    Returns:
        The inputs by name.
    """
    tokens = length or rounded(max(len(example.input_ids) for example in examples), multiple)
    words = rounded(max(len(example.word_starts) for example in examples), multiple)
    roles = max(len(example.role_tokens) for example in examples)
    return {
        "input_ids": padded([e.input_ids for e in examples], tokens, pad_token_id),
        "attention_mask": padded([[1] * len(e.input_ids) for e in examples], tokens, 0),
        "marks": padded([e.marks for e in examples], tokens, int(Mark.NONE)),
        "role_tokens": padded([e.role_tokens for e in examples], roles, (0, 0)),
        "word_starts": padded([e.word_starts for e in examples], words, 0),
        "word_ends": padded([e.word_ends for e in examples], words, 0),
        "sentences": padded([e.sentences for e in examples], words, -1),
    }


def padded(rows: Sequence[Sequence[Any]], length: int, value: Any) -> np.ndarray:
    """Return rows as an array of integers, each filled up to a length with a value."""
    return np.array([[*row, *[value] * (length - len(row))] for row in rows], dtype=np.int64)


def rounded(length: int, multiple: int = MULTIPLE) -> int:
    """Return a length, rounded up to a multiple."""
    return -(-length // multiple) * multiple
