"""The API: extraction, scoring, what is served, and how the server does."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from eventune.corpora import lines_of
from eventune.events import Document
from eventune.scoring.checks import check_gold, check_scorer, counts_triggers
from eventune.scoring.definitions import score_model
from eventune.scoring.textee import ALONE, GOLD, PREDICTED
from eventune.serving.asking import above, asked, check_tokens, read_documents, record_of
from eventune.serving.metrics import TYPE
from eventune.serving.replies import reply
from eventune.serving.requests import EXTRACTED, REFUSED, ExtractRequest, ScoreRequest
from eventune.serving.runs import ServedRun
from eventune.serving.service import Service
from eventune.serving.training import IDLE

LINES = "application/x-ndjson"
_QUICK_BYTES = 4 << 10
"""Requests of up to so many bytes, a document or a few, are prepared where they arrive."""

ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"description": meaning, "content": {"application/json": {"example": REFUSED}}}
    for status, meaning in {
        401: "the token is missing or wrong",
        404: "no such model",
        413: "the body is too long",
        422: "something in the request is wrong, or too many documents or tokens",
        429: "too much waits already; `Retry-After` says when to come again",
        503: "the server is shutting down",
        504: "it took too long",
    }.items()
}

router = APIRouter()


def service_of(request: Request) -> Service:
    """Return the state of the server that a request came to."""
    service: Service = request.app.state.service
    return service


@router.post(
    "/v1/extract",
    responses={
        200: {
            "description": "the documents with what was found, each as `eventune extract` writes it; as lines if the "
            f"request accepts {LINES}",
            "content": {"application/json": {"example": EXTRACTED}, LINES: {}},
        },
        **ERRORS,
    },
    response_class=Response,
)
async def extract(body: ExtractRequest, request: Request) -> Response:
    """Find events and their arguments in texts or documents."""
    begun, service = time.monotonic(), service_of(request)
    run = service.run_named(body.model)
    is_quick = len(await request.body()) <= _QUICK_BYTES
    documents = await service.prepare(lambda: asked(body, run.extractor, service.settings), is_quick=is_quick)
    found = await service.find(request, run, documents)
    if body.threshold > 0.0:
        found = [above(document, body.threshold) for document in found]
    response = await service.prepare(lambda: _extracted(request, run, found), is_quick=is_quick)
    service.meter.step("total", time.monotonic() - begun)
    return response


def _extracted(request: Request, run: ServedRun, found: list[Document]) -> Response:
    if LINES in request.headers.get("accept", ""):
        lines = (f"{line}\n" for document in found for line in lines_of(document))
        return Response("".join(lines).encode(), media_type=LINES)
    records = [record_of(document) for document in found]
    return reply({"model": run.name, "fingerprint": run.fingerprint, "documents": records})


@router.post("/v1/score", responses=ERRORS, response_class=Response)
async def score(body: ScoreRequest, request: Request) -> Response:
    """Score predicted documents, or what a run finds, against annotated ones."""
    service = service_of(request)
    run = service.run_named(body.model)
    finds_arguments, is_given = run.extractor.finds_arguments, body.predicted is not None
    scorer = check_scorer(body.scorer or run.scorer, "scorer", finds_arguments=finds_arguments or is_given)
    gold = await service.prepare(lambda: read_documents(body.gold, "gold", service.settings))
    with_arguments = finds_arguments or not counts_triggers(scorer)
    check_gold(gold, "gold", with_arguments=with_arguments, to_find="POST /v1/extract")
    triggers = (PREDICTED if run.extractor.detects else GOLD) if finds_arguments else ALONE
    if body.predicted is not None:
        records = body.predicted
        predicted = await service.prepare(lambda: read_documents(records, "predicted", service.settings))
    else:
        questions = [document.with_events(()) for document in gold] if run.extractor.detects else gold
        check_tokens(questions, service.settings)
        predicted = await service.find(request, run, questions)
    result = await service.prepare(lambda: score_model(gold, predicted, scorer, triggers=triggers).to_dict())
    return reply({"model": run.name, "triggers": triggers, **result})


@router.get("/v1/models", response_class=Response)
async def models(request: Request) -> Response:
    """List the runs that are served: ontology, scores, fingerprint; of those that chat, the name."""
    service = service_of(request)
    data = [run.describe() for run in service.runs.values()] + [chat.describe() for chat in service.chats.values()]
    return reply({"object": "list", "data": data})


@router.get("/v1/training", response_class=Response)
async def training(request: Request) -> Response:
    """Tell how the run fares that is made to be served next: idle, running, served or failed."""
    made = service_of(request).training
    return reply(
        {"can_train": made is not None, "state": made.state if made else IDLE, "run": made.run if made else ""}
    )


@router.get("/healthz", response_class=Response)
async def healthy(request: Request) -> Response:
    """Tell whether the server lives."""
    is_alive = service_of(request).batcher.is_alive
    return reply({"status": "ok" if is_alive else "broken"}, 200 if is_alive else 500)


@router.get("/readyz", response_class=Response)
async def ready(request: Request) -> Response:
    """Tell whether the server takes requests."""
    is_ready = service_of(request).batcher.is_open
    return reply({"status": "ready" if is_ready else "shutting down"}, 200 if is_ready else 503)


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """Return figures for Prometheus: queue, batches, tokens, seconds by step, refusals."""
    return Response(service_of(request).meter.text(), media_type=TYPE)
