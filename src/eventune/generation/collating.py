"""Batches of encoded rows: padded to the longest of them, or packed without any padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from eventune.generation.encoding import IGNORED, EncodedRow


@dataclass(frozen=True, slots=True)
class Pack:
    """Rows that are read as one sequence, each by itself.

    Attributes:
        examples: The rows.
    """

    examples: tuple[EncodedRow, ...]


def pack(examples: Sequence[EncodedRow], capacity: int) -> list[Pack]:
    """Fill sequences with rows, the longest rows first, each into the fullest sequence that has room for it.

    Args:
        examples: The rows.
        capacity: Tokens of a sequence; a longer row has one to itself.

    Returns:
        The sequences.
    """
    packs: list[list[EncodedRow]] = []
    by_room: dict[int, list[int]] = {}
    for example in sorted(examples, key=lambda row: -len(row.input_ids)):
        length = len(example.input_ids)
        room = min((left for left, open_packs in by_room.items() if open_packs and left >= length), default=None)
        if room is None:
            number, room = len(packs), max(capacity, length)
            packs.append([])
        else:
            number = by_room[room].pop()
        packs[number].append(example)
        by_room.setdefault(room - length, []).append(number)
    return [Pack(tuple(rows)) for rows in packs]


@dataclass(frozen=True, slots=True)
class RowCollator:
    """Makes a batch of rows, or of packs of rows.

    Attributes:
        pad_token_id: What stands on padding; nothing reads it.
        padding_side: `right`, or `left`.
        length: Least length of the batch, for padding to a maximum; 0 for the longest row's.
    """

    pad_token_id: int
    padding_side: str = "right"
    length: int = 0

    def __call__(self, rows: Sequence[EncodedRow | Pack]) -> dict[str, Tensor]:
        """Make a batch.

        Args:
            rows: Rows, or packs.

        Returns:
            `input_ids`, `labels`, `attention_mask` and `position_ids`, *shape* (rows, longest).
            Positions begin anew with each row of a pack.
        """
        packs = [row if isinstance(row, Pack) else Pack((row,)) for row in rows]
        ids = [[token for row in pack.examples for token in row.input_ids] for pack in packs]
        # The first token of a row is not what the row before it predicts.
        labels = [[label for row in pack.examples for label in [IGNORED, *row.labels[1:]]] for pack in packs]
        positions = [[at for row in pack.examples for at in range(len(row.input_ids))] for pack in packs]
        return {
            "input_ids": self._padded(ids, self.pad_token_id),
            "labels": self._padded(labels, IGNORED),
            "attention_mask": self._padded([[1] * len(row) for row in ids], 0),
            "position_ids": self._padded(positions, 0),
        }

    def _padded(self, rows: Sequence[Sequence[int]], value: int) -> Tensor:
        length = max(self.length, *(len(row) for row in rows))
        batch = torch.full((len(rows), length), value, dtype=torch.int64)
        for number, row in enumerate(rows):
            place = slice(length - len(row), None) if self.padding_side == "left" else slice(len(row))
            batch[number, place] = torch.tensor(row, dtype=torch.int64)
        return batch
