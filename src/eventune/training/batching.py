"""Batches of like length, in an order that the seed and the epoch alone decide."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from torch.utils.data import Sampler

BATCHES_A_POOL = 20
"""Lengths are sorted inside random pools of so many batches: like lengths meet, yet batches differ by epoch."""


class LengthGroupedSampler(Sampler[int]):
    """Yields indices so that consecutive batches hold examples of like length.

    The order depends on seed and epoch only, never on a global random state: a resumed run sees the same batches.
    The longest examples come first in every epoch, so that memory peaks at once and not in the middle of the night.
    """

    def __init__(self, lengths: Sequence[int], *, batch_size: int, seed: int) -> None:
        self.lengths = lengths
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of that epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        """Yield every index once."""
        # A string seed is hashed by random itself, the same way on every machine.
        generator = random.Random(f"{self.seed}/{self.epoch}")
        order = list(range(len(self.lengths)))
        generator.shuffle(order)
        pool = self.batch_size * BATCHES_A_POOL
        batches: list[list[int]] = []
        rest: list[int] = []
        for start in range(0, len(order), pool):
            indices = sorted(order[start : start + pool], key=lambda index: -self.lengths[index])
            full = len(indices) - len(indices) % self.batch_size
            batches += [indices[at : at + self.batch_size] for at in range(0, full, self.batch_size)]
            rest += indices[full:]
        if batches:
            generator.shuffle(batches)
            longest = max(range(len(batches)), key=lambda number: self.lengths[batches[number][0]])
            batches.insert(0, batches.pop(longest))
        for batch in [*batches, rest]:
            yield from batch
