import random

import pytest

from eventune.training.batching import BATCHES_A_POOL, LengthGroupedSampler

LENGTHS = random.Random(7).choices(range(10, 400), k=1003)
BATCH_SIZE = 8


def order(lengths=LENGTHS, *, batch_size=BATCH_SIZE, seed=0, epoch=0):
    sampler = LengthGroupedSampler(lengths, batch_size=batch_size, seed=seed)
    sampler.set_epoch(epoch)
    return list(sampler)


def batches(indices, batch_size=BATCH_SIZE):
    return [indices[at : at + batch_size] for at in range(0, len(indices), batch_size)]


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, BATCH_SIZE * BATCHES_A_POOL, 1003])
def test_every_example_comes_once_an_epoch(count):
    assert sorted(order(LENGTHS[:count])) == list(range(count))
    assert len(LengthGroupedSampler(LENGTHS[:count], batch_size=BATCH_SIZE, seed=0)) == count


def test_the_order_depends_on_seed_and_epoch_alone():
    first = order(seed=3, epoch=2)
    random.seed(99)

    assert order(seed=3, epoch=2) == first
    assert order(seed=3, epoch=3) != first
    assert order(seed=4, epoch=2) != first


def test_one_sampler_gives_the_order_of_the_epoch_that_is_set():
    sampler = LengthGroupedSampler(LENGTHS, batch_size=BATCH_SIZE, seed=0)
    epochs = []
    for epoch in range(3):
        sampler.set_epoch(epoch)
        epochs.append(list(sampler))

    assert epochs == [order(epoch=epoch) for epoch in range(3)]


def test_batches_differ_between_epochs_and_not_only_their_order():
    first, second = ({tuple(sorted(batch)) for batch in batches(order(epoch=epoch))} for epoch in (0, 1))

    assert not first & second


def test_a_batch_holds_examples_of_like_length():
    def padding(indices):
        padded = sum(len(batch) * max(LENGTHS[index] for index in batch) for batch in batches(indices))
        return 1 - sum(LENGTHS) / padded

    assert padding(range(len(LENGTHS))) > 0.35
    assert padding(order()) < 0.06


@pytest.mark.parametrize("epoch", range(5))
def test_the_longest_full_batch_comes_first_in_every_epoch(epoch):
    found = batches(order(epoch=epoch))

    assert LENGTHS[found[0][0]] == max(LENGTHS[batch[0]] for batch in found[:-1])


def test_only_the_last_batch_is_short():
    assert [len(batch) for batch in batches(order())] == [8] * 125 + [3]
