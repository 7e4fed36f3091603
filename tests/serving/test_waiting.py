"""The queue: what is taken and dropped of it, in the order of one that is looked through as a whole."""

import random
import time

import pytest

from eventune.events import Document
from eventune.serving.waiting import Job, Queue

DOCUMENT = Document.from_sentences("d", [["word"]])


def waiting(queue, *costs, model=list, seconds=60.0):
    job = Job("run", model, time.monotonic() + seconds, len(costs))
    queue.add(job, [DOCUMENT] * len(costs), costs)
    return job


class Plain:
    """The same, looked through as a whole each time."""

    def __init__(self):
        self.items = []

    def add(self, job, costs):
        self.items += [(job, place, cost) for place, cost in enumerate(costs)]

    def take(self, most):
        job, _, first = self.items[0]
        alike = sorted(
            (each for each in self.items if each[0].annotate == job.annotate), key=lambda i: abs(i[2] - first)
        )
        batch = []
        while alike and (not batch or max(i[2] for i in [*batch, alike[0]]) * (len(batch) + 1) <= most):
            batch.append(alike.pop(0))
        self.items = [each for each in self.items if each not in batch]
        return batch

    def drop(self, job):
        self.items = [each for each in self.items if each[0] is not job]


@pytest.mark.parametrize("seed", range(20))
def test_it_gives_what_one_gives_that_is_looked_through(seed):
    draw = random.Random(seed)
    queue, plain, jobs = Queue(), Plain(), []
    for _ in range(200):
        if draw.random() < 0.5 or not plain.items:
            costs = [draw.randint(1, 12) for _ in range(draw.randint(1, 6))]
            jobs.append(waiting(queue, *costs, model=draw.choice((list, tuple))))
            plain.add(jobs[-1], costs)
        elif draw.random() < 0.2:
            job = draw.choice(jobs)
            job.future.cancel()
            plain.drop(job)
            queue.drop_given_up()
        else:
            most = draw.randint(1, 60)
            assert [(item.job, item.place, item.cost) for item in queue.take(most)] == plain.take(most)
        assert (len(queue), queue.cost) == (len(plain.items), sum(cost for *_, cost in plain.items))


def test_what_is_too_late_is_dropped_whoever_came_first():
    queue = Queue()
    waiting(queue, 1)
    waiting(queue, 2, 3, seconds=-1.0)
    queue.drop_given_up()
    assert len(queue) == queue.cost == 1


def test_a_long_queue_takes_no_more_time_for_each_document():
    queue, count = Queue(), 20_000
    for number in range(count):
        waiting(queue, 1 + number % 100)
    begun, taken = time.process_time(), 0
    while queue:
        queue.drop_given_up()
        taken += len(queue.take(200))
    assert taken == count
    # With time that grows by the square it would be a minute.
    assert time.process_time() - begun < 5
