"""What goes back: JSON as the command line writes it, and errors in its style."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from eventune.corpora.records import json_text
from eventune.errors import EventuneError, InvalidValueError
from eventune.serving.batcher import BusyError, ClosedError

JSON = "application/json"
UNPROCESSABLE, TOO_LARGE, BUSY, TOO_LATE, UNAVAILABLE = 422, 413, 429, 504, 503
GONE = 499
"""What proxies log for a client that left; nobody sees it."""


class RefusedError(EventuneError):
    """A request that is not taken.

    Attributes:
        status: The HTTP status that says so.
    """

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.status = status


def status_of(error: EventuneError) -> int:
    """Return the HTTP status of an error."""
    if isinstance(error, RefusedError):
        return error.status
    if isinstance(error, BusyError):
        return BUSY
    return UNAVAILABLE if isinstance(error, ClosedError) else UNPROCESSABLE


def reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON value.

    Raises:
        InvalidValueError: If a text in it is no Unicode, or a number not finite.
    """
    try:
        content = json_text(value).encode()
    except UnicodeEncodeError as error:
        raise InvalidValueError("request", "Unicode", f"half a surrogate pair: {error.object[error.start]!r}") from None
    return Response(content, status, headers, JSON)


def error_reply(error: EventuneError, status: int | None = None) -> Response:
    """Return an error as `--json` prints it, `{"error": {"message", "hint"}}`."""
    retry = {"Retry-After": str(error.retry_seconds)} if isinstance(error, BusyError) else None
    return reply(error_of(error), status or status_of(error), retry)


def error_of(error: EventuneError) -> dict[str, dict[str, str]]:
    """Return what is told of an error."""
    return {"error": {"message": _printable(error.message), "hint": _printable(error.hint)}}


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
