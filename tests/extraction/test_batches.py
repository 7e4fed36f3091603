"""What is read at once."""

import itertools
from dataclasses import dataclass

import pytest

from eventune.extraction.batches import CPU_TOKENS, by_length


@dataclass(frozen=True)
class Example:
    input_ids: tuple[int, ...]


def example(length):
    return Example(tuple(range(length)))


def batches(lengths, size, *, on_cpu):
    heard = []
    examples = list(map(example, lengths))
    found = list(by_length(examples, size, lambda *done: heard.append(done), on_cpu=on_cpu))
    assert sorted(map(id, itertools.chain(*found))) == sorted(map(id, examples))
    assert [done for done, _ in heard] == [sum(map(len, found[: n + 1])) for n in range(len(found))]
    return [[len(example.input_ids) for example in batch] for batch in found]


@pytest.mark.parametrize("on_cpu", [True, False])
def test_examples_are_read_with_others_of_their_length_the_longest_first(on_cpu):
    assert batches([3, 9, 4, 8, 1], 2, on_cpu=on_cpu) == [[9, 8], [4, 3], [1]]


def test_a_cpu_reads_fewer_long_ones_at_once():
    assert batches([500] * 6 + [60] * 40, 32, on_cpu=True) == [[500] * 4, [500] * 2 + [60] * 2, [60] * 32, [60] * 6]
    assert batches([500] * 6 + [60] * 40, 32, on_cpu=False) == [[500] * 6 + [60] * 26, [60] * 14]
    assert batches([CPU_TOKENS + 1, 5], 32, on_cpu=True) == [[CPU_TOKENS + 1], [5]]
