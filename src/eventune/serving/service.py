"""A server's state, and how a request waits for its answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from eventune.errors import EventuneError, did_you_mean
from eventune.events import Document
from eventune.serving.annotations import Annotations
from eventune.serving.arguments import ServeSettings
from eventune.serving.batcher import Batcher
from eventune.serving.chats import ServedChat, Talk
from eventune.serving.metrics import Meter
from eventune.serving.replies import GONE, TOO_LATE, RefusedError
from eventune.serving.runs import ServedRun
from eventune.serving.training import Training

_T = TypeVar("_T")


class Service:
    """The runs, what asks them, and what counts.

    Attributes:
        runs: The runs by name.
        chats: Runs that chat, by name.
        settings: How they are served.
        annotations: What people corrected; None where nothing is saved.
        comparisons: Pages of comparisons by name.
        training: What makes a new run in place of the first; None where nothing does.
        meter: The figures.
        batcher: Asks them.
        talk: Asks those that chat.
    """

    def __init__(
        self,
        runs: Mapping[str, ServedRun],
        settings: ServeSettings,
        annotations: Annotations | None = None,
        comparisons: Mapping[str, bytes] | None = None,
        training: Training | None = None,
        chats: Mapping[str, ServedChat] | None = None,
    ) -> None:
        self.runs, self.settings, self.annotations = dict(runs), settings, annotations
        self.comparisons, self.training, self.chats = comparisons or {}, training, chats or {}
        self.meter = Meter(lambda: self.batcher.waiting, lambda: self.talk.waiting)
        self.batcher = Batcher(
            batch_tokens=settings.batch_tokens,
            capacity=settings.max_queue,
            on_batch=self.meter.batch,
        )

        self.talk = Talk(capacity=settings.max_queue, max_seconds=settings.max_seconds)

    def close(self) -> None:
        """Take nothing more, and finish what was taken."""
        if self.training is not None:
            self.training.stop()
        self.batcher.close()
        self.talk.close()

    def chat_named(self, name: str) -> ServedChat:
        """Return the run that a conversation names.

        Raises:
            RefusedError: If there is none of that name that chats, or none is named where there are several.
        """
        return _named(name, self.chats, "that chats")

    def run_named(self, name: str) -> ServedRun:
        """Return the run that a request names.

        Raises:
            RefusedError: If there is none of that name, or none is named where there are several.
        """
        return _named(name, self.runs, "that is served")

    @property
    def first_run(self) -> ServedRun:
        """The run that is asked where no name can be given.

        Raises:
            RefusedError: If no run is served that finds anything.
        """
        if not self.runs:
            return self.run_named("")
        return next(iter(self.runs.values()))

    def train(self) -> bool:
        """Begin to train a run that will be served in place of the first.

        Returns:
            Whether it was begun: False where one is being trained already, or nothing trains here.
        """
        return self.training is not None and self.training.start(self._exchange)

    def _exchange(self, load: Callable[[], ServedRun]) -> None:
        """Serve another run in place of the first; what was accepted before is answered by the one it was for."""
        made = self.batcher.between(load).result()
        name = self.first_run.name
        self.runs[name] = replace(made, name=name)

    async def prepare(self, work: Callable[[], _T], *, is_quick: bool = False) -> _T:
        """Do what takes time and no model, such as cutting texts into tokens.

        Args:
            work: What to do.
            is_quick: Whether it takes less than handing it to a thread of its own does, and waiting for that.
        """
        begun = time.monotonic()
        result = work() if is_quick else await run_in_threadpool(work)
        self.meter.step("prepare", time.monotonic() - begun)
        return result

    async def find(self, request: Request, run: ServedRun, documents: Sequence[Document]) -> list[Document]:
        """Wait for what a run finds in documents.

        Args:
            request: The request; when its client leaves, its documents are dropped.
            run: The run.
            documents: The documents.

        Returns:
            The documents with what was found, in their order.

        Raises:
            EventuneError: If too many wait already, it took too long, the client left, or a document is wrong.
        """
        seconds, annotate = self.settings.max_seconds, run.extractor.extract_all
        future = asyncio.wrap_future(self.batcher.submit(run.name, annotate, documents, seconds=seconds))
        return await self.unless_gone(request, future)

    async def unless_gone(self, request: Request, answer: Awaitable[_T]) -> _T:
        """Wait for an answer for as long as its client does, and not for too long.

        Args:
            request: The request.
            answer: What is waited for; it is cancelled when nobody waits any more.

        Raises:
            EventuneError: If it took too long, or the client left.
        """
        future, gone = asyncio.ensure_future(answer), asyncio.ensure_future(_gone(request))
        try:
            either: set[asyncio.Future[Any]] = {future, gone}
            seconds = self.settings.max_seconds
            await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if future.done():
                return future.result()
            raise _left() if gone.done() else self._late()
        finally:
            future.cancel()
            gone.cancel()

    def _late(self) -> EventuneError:
        hint = "send fewer documents at a time, try again when less is going on, or raise --max_seconds"
        return RefusedError(TOO_LATE, f"time: expected an answer within {self.settings.max_seconds:g} s", hint)


def _named(name: str, served: Mapping[str, _T], what: str) -> _T:
    if name in served:
        return served[name]
    if not name and len(served) == 1:
        return next(iter(served.values()))
    hint = did_you_mean(name, served) or (f"one of {', '.join(served)}" if served else "GET /v1/models")
    raise RefusedError(404, f"model: expected one {what}, found {name[:60]!r}", hint)


def _left() -> EventuneError:
    return RefusedError(GONE, "client: expected to wait for its answer, found gone")


async def _gone(request: Request) -> None:
    """Return when the client has left."""
    while (await request.receive())["type"] != "http.disconnect":
        continue
