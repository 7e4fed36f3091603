"""Documents that wait for a model: which are read next, and which nobody waits for any more.

Whatever is taken or dropped is found without a look at all the others, so that a long queue is no slower.
"""

from __future__ import annotations

import heapq
import math
import time
import weakref
from bisect import bisect_left, insort
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from itertools import count

from eventune.events import Document

Annotate = Callable[[Sequence[Document]], list[Document]]
"""Finds what there is in documents, which come back in their order."""


@dataclass(eq=False, slots=True, weakref_slot=True)
class Job:
    """The documents of one request; who gives it up cancels `future`.

    Attributes:
        run: Name of the run that is asked.
        annotate: Its model.
        deadline: When nobody waits any more.
        count: How many documents there are.
        results: What was found so far, by the documents' places.
        future: What will be found.
        submitted: When it came.
    """

    run: str
    annotate: Annotate
    deadline: float
    count: int
    results: dict[int, Document] = field(default_factory=dict)
    future: Future[list[Document]] = field(default_factory=Future)
    submitted: float = field(default_factory=time.monotonic)

    def take(self, place: int, found: Document) -> None:
        """Take what was found in a document; the last one answers the request."""
        self.results[place] = found
        if len(self.results) == self.count:
            self._finish(lambda: self.future.set_result([self.results[place] for place in range(self.count)]))

    def fail(self, error: Exception) -> None:
        """Answer the request with an error."""
        self._finish(lambda: self.future.set_exception(error))

    def _finish(self, finish: Callable[[], None]) -> None:
        try:
            finish()
        except InvalidStateError:
            # Given up just now, or another of its documents failed before.
            return


@dataclass(eq=False, frozen=True, slots=True)
class Item:
    """One document of a job.

    Attributes:
        job: The job.
        place: Its number in the job.
        document: The document.
        cost: What it takes to read it, in tokens.
        number: Its number among all that ever waited.
    """

    job: Job
    place: int
    document: Document
    cost: int
    number: int


class Queue:
    """Documents that wait, in their order; jobs may be given up from any thread, all else is one thread's at a time.

    Attributes:
        cost: What it takes to read them all.
    """

    def __init__(self) -> None:
        self.cost = 0
        self._numbers = count()
        self._items: OrderedDict[Item, None] = OrderedDict()
        self._of_models: dict[Annotate, _ByCost] = {}
        self._of_jobs: dict[Job, set[Item]] = {}
        self._deadlines: list[tuple[float, int, Job]] = []
        self._ended: deque[weakref.ref[Job]] = deque()

    def __len__(self) -> int:
        return len(self._items)

    def add(self, job: Job, documents: Sequence[Document], costs: Sequence[int]) -> None:
        """Let the documents of a job wait, of which there is one at least, with what it costs to read each."""
        pairs = enumerate(zip(documents, costs, strict=True))
        items = [Item(job, place, document, cost, next(self._numbers)) for place, (document, cost) in pairs]
        self._of_jobs[job] = set(items)
        insort(self._deadlines, (job.deadline, id(job), job))
        alike = self._of_models.setdefault(job.annotate, _ByCost())
        for item in items:
            self._items[item] = None
            alike.add(item)
            self.cost += item.cost
        ended, own = self._ended, weakref.ref(job)
        job.future.add_done_callback(lambda _: ended.append(own))

    def take(self, most: int) -> list[Item]:
        """Take the document that has waited longest, with others of its model that are about as long.

        Args:
            most: Tokens of all together, padding included; one document may have more.
        """
        first = next(iter(self._items))
        batch: list[Item] = []
        longest = 0
        for item in self._of_models[first.job.annotate].nearest(first.cost):
            longest = max(longest, item.cost)
            if batch and longest * (len(batch) + 1) > most:
                break
            batch.append(item)
        self._remove(batch)
        return batch

    def drop_given_up(self) -> None:
        """Drop what nobody waits for any more."""
        while self._ended:
            if job := self._ended.popleft()():
                self._remove(tuple(self._of_jobs.get(job, ())))
        now = time.monotonic()
        while self._deadlines and self._deadlines[0][0] < now:
            self._remove(tuple(self._of_jobs[self._deadlines[0][2]]))

    def _remove(self, items: Iterable[Item]) -> None:
        for item in items:
            job = item.job
            del self._items[item]
            self.cost -= item.cost
            alike = self._of_models[job.annotate]
            alike.remove(item)
            if not alike:
                del self._of_models[job.annotate]
            left = self._of_jobs[job]
            left.remove(item)
            if not left:
                del self._of_jobs[job]
                del self._deadlines[bisect_left(self._deadlines, (job.deadline, id(job), job))]


class _ByCost:
    """Documents of one model by their cost; those of one cost in their order."""

    def __init__(self) -> None:
        self._costs: list[int] = []
        self._items: dict[int, OrderedDict[Item, None]] = {}

    def __bool__(self) -> bool:
        return bool(self._costs)

    def add(self, item: Item) -> None:
        if item.cost not in self._items:
            insort(self._costs, item.cost)
            self._items[item.cost] = OrderedDict()
        self._items[item.cost][item] = None

    def remove(self, item: Item) -> None:
        of_cost = self._items[item.cost]
        del of_cost[item]
        if not of_cost:
            del self._items[item.cost]
            del self._costs[bisect_left(self._costs, item.cost)]

    def nearest(self, cost: int) -> Iterator[Item]:
        """Yield the documents by how little their cost differs from another, those that waited longer first."""
        above = bisect_left(self._costs, cost)
        below = above - 1
        while below >= 0 or above < len(self._costs):
            less = cost - self._costs[below] if below >= 0 else math.inf
            more = self._costs[above] - cost if above < len(self._costs) else math.inf
            chosen: list[OrderedDict[Item, None]] = []
            if less <= more:
                chosen.append(self._items[self._costs[below]])
                below -= 1
            if more <= less:
                chosen.append(self._items[self._costs[above]])
                above += 1
            yield from heapq.merge(*chosen, key=lambda item: item.number)
