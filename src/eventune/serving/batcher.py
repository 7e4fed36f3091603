"""One thread owns the models, and takes what waits for them in batches of like lengths.

It never waits for a batch to become full: when it is idle, what comes is taken at once; while it works, what comes
meanwhile makes up the next batch.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from eventune.errors import EventuneError, exception_of
from eventune.events import Document
from eventune.inference.pools import cost_of
from eventune.serving.waiting import Annotate, Item, Job, Queue

_LONGEST_RETRY = 60
_SMOOTHING = 0.2
_T = TypeVar("_T")


class BusyError(EventuneError):
    """So much waits already that more would only wait longer.

    Attributes:
        retry_seconds: When it is worth another try.
    """

    def __init__(self, waiting: int, capacity: int, retry_seconds: int, *, what: str = "documents") -> None:
        super().__init__(
            f"queue: expected at most {capacity} {what} to wait, found {waiting} and those of this request",
            f"try again in {retry_seconds} s",
        )
        self.retry_seconds = retry_seconds


class ClosedError(EventuneError):
    """The server is shutting down."""

    def __init__(self) -> None:
        super().__init__("server: expected one that runs, found one that is shutting down", "ask another, or later")


@dataclass(frozen=True, slots=True)
class BatchReport:
    """A batch that is done.

    Attributes:
        run: Whose model read it.
        documents: How many documents it had.
        tokens: What they cost together.
        waited: Seconds that each of them had waited.
        seconds: What reading them took.
    """

    run: str
    documents: int
    tokens: int
    waited: tuple[float, ...]
    seconds: float


class Batcher:
    """Hands out documents to models, one batch at a time; all methods may be called from any thread."""

    def __init__(
        self,
        *,
        batch_tokens: int,
        capacity: int,
        on_batch: Callable[[BatchReport], None] = lambda _: None,
    ) -> None:
        """Start the thread.

        Args:
            batch_tokens: Tokens that are read together, padding included.
            capacity: Documents that may wait.
            on_batch: Hears of each batch.
        """
        self._batch_tokens, self._capacity, self._on_batch = batch_tokens, capacity, on_batch
        self._queue = Queue()
        self._between: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._tokens_a_second = float(batch_tokens)
        self._thread = threading.Thread(target=self._work, name="eventune-batcher", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Documents that wait."""
        return len(self._queue)

    @property
    def is_open(self) -> bool:
        """Whether it takes anything."""
        return not self._closed and self.is_alive

    @property
    def is_alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    def submit(
        self, run: str, annotate: Annotate, documents: Sequence[Document], *, seconds: float
    ) -> Future[list[Document]]:
        """Take the documents of a request.

        Args:
            run: Name of the run that is asked.
            annotate: Its model; documents of one model are read together.
            documents: The documents.
            seconds: How long they are of interest; what is not begun then is dropped.

        Returns:
            What will be found in them, in their order. Whoever cancels it has them dropped.

        Raises:
            BusyError: If too many documents wait.
            ClosedError: If it was closed.
        """
        job = Job(run, annotate, time.monotonic() + seconds, len(documents))
        if not documents:
            job.future.set_result([])
            return job.future
        costs = [cost_of(document) for document in documents]
        with self._changed:
            if not self.is_open:
                raise ClosedError
            self._queue.drop_given_up()
            if len(self._queue) + len(documents) > self._capacity:
                raise BusyError(len(self._queue), self._capacity, self._retry_seconds())
            self._queue.add(job, documents, costs)
            self._changed.notify()
        return job.future

    def between(self, work: Callable[[], _T]) -> Future[_T]:
        """Do something between two batches, in the thread that owns the models, such as loading another one.

        Args:
            work: What to do; what waits meanwhile waits longer.

        Returns:
            What it will return or raise.

        Raises:
            ClosedError: If it was closed.
        """
        future: Future[_T] = Future()

        def do() -> None:
            try:
                future.set_result(work())
            except BaseException as error:
                future.set_exception(exception_of(error))

        with self._changed:
            if not self.is_open:
                raise ClosedError
            self._between.append(do)
            self._changed.notify()
        return future

    def close(self) -> None:
        """Take nothing more, finish what was taken, and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while (work := self._next()) is not None:
            work()

    def _next(self) -> Callable[[], None] | None:
        """Return what is to be done now; None when nothing is left and it was closed."""
        with self._changed:
            self._queue.drop_given_up()
            while not (self._queue or self._between):
                if self._closed:
                    return None
                self._changed.wait()
                self._queue.drop_given_up()
            if self._between:
                return self._between.popleft()
            return partial(self._read, self._queue.take(self._batch_tokens))

    def _read(self, batch: Sequence[Item]) -> None:
        begun = time.monotonic()
        outcomes = self._annotate(batch)
        seconds = time.monotonic() - begun
        tokens = sum(item.cost for item in batch)
        self._tokens_a_second += _SMOOTHING * (tokens / max(seconds, 1e-6) - self._tokens_a_second)
        waited = tuple(begun - item.job.submitted for item in batch)
        # Before the answers, so that who has one finds it counted.
        self._on_batch(BatchReport(batch[0].job.run, len(batch), tokens, waited, seconds))
        for item, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Exception):
                item.job.fail(outcome)
            else:
                item.job.take(item.place, outcome)

    def _annotate(self, batch: Sequence[Item]) -> Sequence[Document | Exception]:
        try:
            return batch[0].job.annotate([item.document for item in batch])
        except BaseException as error:
            if len(batch) == 1:
                return [exception_of(error)]
            # One request's document must not fail another's.
            return [outcome for item in batch for outcome in self._annotate([item])]

    def _retry_seconds(self) -> int:
        return min(_LONGEST_RETRY, max(1, math.ceil(self._queue.cost / self._tokens_a_second)))
