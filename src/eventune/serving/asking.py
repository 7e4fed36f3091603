"""From requests to documents as an extractor takes them, and to what goes back of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from starlette.requests import Request

from eventune.corpora.jsonl import read_document, write_document
from eventune.corpora.raw_text import document_of
from eventune.corpora.records import half_pair_in
from eventune.errors import EventuneError, InvalidValueError
from eventune.events import Document, Event
from eventune.inference.extractor import Extractor, no_event_error
from eventune.inference.pools import cost_of
from eventune.inference.questions import questions
from eventune.serving.arguments import ServeSettings
from eventune.serving.requests import ExtractRequest

_SUSPECT = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]|\x00")
"""Surrogates, escaped or as bytes; and what JSON in UTF-16, which Python reads as well, has and UTF-8 has not."""


def asked(request: ExtractRequest, extractor: Extractor, settings: ServeSettings) -> list[Document]:
    """Return the documents that a request asks about.

    Raises:
        EventuneError: If there are too many, one is wrong, or has no event and the run finds none.
    """
    are_raw = request.documents is None
    documents = _triggered(request, _given(request, settings), extractor)
    found = list(questions(extractor, documents, request.types, are_raw=are_raw))
    if not extractor.detects and not any(document.events for document in found):
        raise no_event_error("a document")
    check_tokens(found, settings)
    return found


def read_documents(records: Sequence[Any], field: str, settings: ServeSettings) -> list[Document]:
    """Read documents of a request.

    Raises:
        InvalidValueError: If there are too many, or one is wrong; `field` says where.
    """
    check_count(len(records), field, settings)
    documents = []
    for number, record in enumerate(records):
        try:
            documents.append(read_document(record))
        except InvalidValueError as error:
            raise error.inside(f"{field}[{number}]") from None
    return documents


async def check_unicode(request: Request) -> None:
    """Refuse a body with half of a surrogate pair, wherever it stands: it could be neither read, saved nor sent back.

    Raises:
        InvalidValueError: If it has one.
    """
    if _SUSPECT.search(await request.body()):
        try:
            error = half_pair_in(await request.json(), "body")
        except (ValueError, RecursionError):
            # No JSON, which is told where some is expected.
            return
        if error is not None:
            raise error


def check_tokens(documents: Iterable[Document], settings: ServeSettings) -> None:
    """Refuse documents that would keep the model for too long."""
    tokens = sum(map(cost_of, documents))
    if tokens > settings.max_tokens:
        hint = "send the documents in several requests, or raise --max_tokens"
        raise InvalidValueError("tokens", f"at most {settings.max_tokens}", str(tokens), hint)


def above(document: Document, threshold: float) -> Document:
    """Return a document without the events and arguments that are less probable."""
    return document.with_events(
        event.with_arguments(a for a in event.arguments if a.score is None or a.score >= threshold)
        for event in document.events
        if score_of(event) >= threshold
    )


def record_of(document: Document) -> dict[str, Any]:
    """Return a document as JSON values."""
    return next(write_document(document))


def _given(request: ExtractRequest, settings: ServeSettings) -> list[Document]:
    given = {name: value for name in ("text", "texts", "documents") if (value := getattr(request, name)) is not None}
    if len(given) != 1:
        found = " and ".join(given) or "none"
        raise InvalidValueError("request", "one of text, texts and documents", found, 'e.g. {"text": "Gunmen shot …"}')
    if request.documents is not None:
        return read_documents(request.documents, "documents", settings)
    texts = {"text": request.text} if request.text is not None else dict(_numbered(request.texts or []))
    check_count(len(texts), "texts", settings)
    if empty := next((id for id, text in texts.items() if not text.strip()), None):
        where = "text" if request.texts is None else f"texts[{int(empty) - 1}]"
        raise InvalidValueError(where, "a text", "an empty one")
    return [document_of(text, id=id, language=request.language) for id, text in texts.items()]


def _numbered(texts: Sequence[str]) -> Iterable[tuple[str, str]]:
    return ((str(number), text) for number, text in enumerate(texts, 1))


def check_count(count: int, field: str, settings: ServeSettings) -> None:
    """Refuse a request without documents, or with too many."""
    if not 1 <= count <= settings.max_documents:
        hint = "send several requests, or raise --max_documents" if count else ""
        raise InvalidValueError(field, f"1 to {settings.max_documents} documents", str(count), hint)


def _triggered(request: ExtractRequest, documents: list[Document], extractor: Extractor) -> list[Document]:
    """Return the documents with the events that the request wants to be looked at."""
    if request.triggers == "detected":
        if not extractor.detects:
            expected = "auto, given or marked for a run that finds no triggers"
            raise InvalidValueError("triggers", expected, "detected", "choose a run that detects events")
        return [document.with_events(()) for document in documents]
    if request.triggers == "marked" and request.documents is not None:
        raise InvalidValueError("triggers", "given or detected for documents", "marked", "mark triggers in texts")
    if request.triggers != "auto":
        for document in documents:
            if not document.events and not request.types:
                raise EventuneError(
                    f"document {document.id!r}: expected a {request.triggers} trigger, found none",
                    "triggers: auto takes those there are, and detects others where the run can",
                )
    return documents


def score_of(event: Event) -> float:
    """Return an event's probability; one that was given is certain."""
    score = event.attributes.get("score")
    return float(score) if isinstance(score, int | float) and not isinstance(score, bool) else 1.0
