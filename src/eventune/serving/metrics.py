"""Figures for Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eventune.serving.batcher import BatchReport
from eventune.serving.replies import BUSY, GONE, TOO_LATE

TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
_DOCUMENTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_REASONS = {BUSY: "busy", GONE: "gone", TOO_LATE: "late"}


class Meter:
    """Counts what the server does; no text goes in."""

    def __init__(self, waiting: Callable[[], int], chats: Callable[[], int]) -> None:
        """Set up the figures.

        Args:
            waiting: Tells how many documents wait.
            chats: Tells how many conversations wait for an answer.
        """
        self._registry = CollectorRegistry()
        Gauge("eventune_queue_documents", "Documents that wait", registry=self._registry).set_function(waiting)
        Gauge("eventune_queue_chats", "Chats that wait", registry=self._registry).set_function(chats)
        self._batch = Histogram(
            "eventune_batch_documents", "Documents a batch", ["model"], buckets=_DOCUMENTS, registry=self._registry
        )
        self._tokens = Counter("eventune_tokens", "Tokens read", ["model"], registry=self._registry)
        self._steps = Histogram(
            "eventune_step_seconds", "Seconds by step", ["step"], buckets=_SECONDS, registry=self._registry
        )
        self._requests = Counter("eventune_requests", "Requests answered", ["path", "status"], registry=self._registry)
        self._refusals = Counter(
            "eventune_refusals", "Requests not answered, by reason", ["reason"], registry=self._registry
        )

    def batch(self, report: BatchReport) -> None:
        """Hear of a batch."""
        self._batch.labels(report.run).observe(report.documents)
        self._tokens.labels(report.run).inc(report.tokens)
        self.step("model", report.seconds)
        for seconds in report.waited:
            self.step("queue", seconds)

    def step(self, name: str, seconds: float) -> None:
        """Hear what a step took: prepare, queue, model or total."""
        self._steps.labels(name).observe(seconds)

    def answered(self, path: str, status: int) -> None:
        """Hear of an answer, or of a refusal."""
        self._requests.labels(path, str(status)).inc()
        if reason := _REASONS.get(status):
            self._refusals.labels(reason).inc()

    def text(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return bytes(generate_latest(self._registry))


class Counted:
    """Tells a meter of every answer, whoever gives it."""

    def __init__(self, app: ASGIApp, *, meter: Meter) -> None:
        self._app, self._meter = app, meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through."""
        is_answered = False

        async def heard(message: Message) -> None:
            nonlocal is_answered
            if message["type"] == "http.response.start":
                is_answered = True
                self._meter.answered(_path_of(scope), message["status"])
            await send(message)

        try:
            await self._app(scope, receive, heard)
        except Exception:
            # It is answered further out, where nobody counts.
            if not is_answered:
                self._meter.answered(_path_of(scope), 500)
            raise


def _path_of(scope: Scope) -> str:
    """Return the path as the application declares it: what strangers invent must not fill the figures."""
    return str(getattr(scope.get("route"), "path", "other"))
