"""The server as an ASGI application."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

import eventune
from eventune.errors import EventuneError, InvalidValueError
from eventune.serving import api, comparisons, completions, label_studio, page
from eventune.serving.annotations import Annotations
from eventune.serving.arguments import ServeSettings
from eventune.serving.asking import check_unicode
from eventune.serving.chats import ServedChat
from eventune.serving.guards import Admission, BoundedBody, SafeHeaders
from eventune.serving.metrics import Counted
from eventune.serving.replies import RefusedError, error_reply
from eventune.serving.runs import ServedRun
from eventune.serving.service import Service
from eventune.serving.training import Training

_logger = logging.getLogger(__name__)
_OPEN = ("/healthz", "/readyz", *page.OPEN_PATHS)


def make_app(
    runs: Mapping[str, ServedRun],
    settings: ServeSettings,
    *,
    token: str = "",
    annotations: Annotations | None = None,
    comparison_pages: Mapping[str, bytes] | None = None,
    training: Training | None = None,
    chats: Mapping[str, ServedChat] | None = None,
) -> FastAPI:
    """Make the application that serves runs.

    Args:
        runs: The runs by name.
        settings: Limits, and where it listens.
        token: The bearer token that requests must have; empty where everybody who reaches it may ask.
        annotations: Where the page saves what people corrected; nowhere by default.
        comparison_pages: What `read_comparisons` returned.
        training: What makes a new run where it is asked to; nothing by default.
        chats: Runs that chat, by name.

    Returns:
        The application; its lifespan's end finishes what was accepted.
    """
    service = Service(runs, settings, annotations, comparison_pages, training, chats)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(service.close)

    app = FastAPI(
        title="eventune",
        version=eventune.__version__,
        summary="Finds events and their arguments in text.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        dependencies=[Depends(check_unicode)],
        middleware=[
            Middleware(Counted, meter=service.meter),
            Middleware(SafeHeaders),
            Middleware(
                Admission,
                token=token,
                open_paths=_OPEN,
                browsed_paths=(comparisons.PATH,),
                local_only=settings.is_loopback,
            ),
            Middleware(BoundedBody, max_bytes=settings.max_bytes, max_seconds=settings.max_seconds),
        ],
    )
    app.state.service = service
    for router in (api.router, completions.router, page.router, comparisons.router, label_studio.router):
        app.include_router(router)
    app.add_exception_handler(EventuneError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _failed)
    app.add_exception_handler(Exception, _broken)
    return app


def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, EventuneError)
    return error_reply(error)


def _invalid(_: Request, error: Exception) -> Response:
    """Answer in the command line's style what pydantic found wrong."""
    assert isinstance(error, RequestValidationError)
    return error_reply(_first_of(error.errors()))


def _first_of(problems: Any) -> EventuneError:
    first = problems[0]
    place = ".".join(map(str, first["loc"][1:])) or "body"
    if first["type"] == "json_invalid":
        return InvalidValueError("body", "JSON", f"{first['ctx']['error']} at {first['loc'][-1]}")
    if first["type"] == "extra_forbidden":
        return InvalidValueError(place, "no such field", "one", "see /openapi.json")
    expected = str(first["msg"]).removeprefix("Input should be ")
    return InvalidValueError(place, expected, repr(first.get("input"))[:60])


def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    hint = "see /openapi.json" if error.status_code in {404, 405} else ""
    message = f"{request.method} {request.url.path[:100]}: {error.detail}"
    return error_reply(RefusedError(error.status_code, message, hint))


def _broken(request: Request, error: Exception) -> Response:
    _logger.error("%s: %s", request.url.path, type(error).__name__)
    refused = RefusedError(500, f"server: expected an answer, found {type(error).__name__}", "its log has more")
    return error_reply(refused)
