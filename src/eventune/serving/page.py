"""The page, and what it needs beside the API: cutting a text, exporting, and saving what was corrected."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib import resources
from itertools import count
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from eventune.corpora import write_corpus
from eventune.corpora.raw_text import document_of
from eventune.events import Document
from eventune.serving.annotations import Annotations
from eventune.serving.api import service_of
from eventune.serving.asking import check_tokens, read_documents, record_of
from eventune.serving.replies import RefusedError, reply
from eventune.serving.requests import Record

OPEN_PATHS = ("/", "/static/")
"""What is in the page is no secret; it asks for the token."""
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
# Read once: no path from a request reaches the disk.
_FILES = {
    file.name: file.read_bytes()
    for file in resources.files("eventune.serving").joinpath("static").iterdir()
    if PurePosixPath(file.name).suffix in _TYPES
}

router = APIRouter()


class TextRequest(BaseModel):
    """A text to cut into tokens and sentences."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1, description="triggers may be marked: [[shot|attack]]")]
    id: Annotated[str, Field(min_length=1)] = "text"
    language: str = "auto"


class ExportRequest(BaseModel):
    """Documents to write in another format."""

    model_config = ConfigDict(extra="forbid")

    documents: list[Record]
    format: Literal["jsonl", "brat", "label_studio", "doccano"]


class SaveRequest(BaseModel):
    """A document that a person corrected."""

    model_config = ConfigDict(extra="forbid")

    document: Record


@router.get("/", include_in_schema=False)
async def page() -> Response:
    """Return the page."""
    return Response(_FILES["index.html"], media_type=_TYPES[".html"])


@router.get("/static/{name}", include_in_schema=False)
async def file(name: str) -> Response:
    """Return a file of the page."""
    if name not in _FILES:
        raise RefusedError(404, f"page: expected one of its files, found {name[:60]!r}")
    return Response(_FILES[name], media_type=_TYPES[PurePosixPath(name).suffix])


@router.post("/v1/document", response_class=Response)
async def cut(body: TextRequest, request: Request) -> Response:
    """Cut a text into tokens and sentences; its events are those marked in it."""
    service = service_of(request)
    document = await service.prepare(lambda: document_of(body.text, id=body.id, language=body.language))
    check_tokens([document], service.settings)
    return reply({"document": record_of(document)})


@router.post("/v1/export", response_class=Response)
async def export(body: ExportRequest, request: Request) -> Response:
    """Write documents in a format, as `eventune data convert` does."""
    service = service_of(request)
    files = await service.prepare(
        lambda: _written(read_documents(body.documents, "documents", service.settings), body.format)
    )
    return reply({"files": files})


def _written(documents: list[Document], format: str) -> list[dict[str, str]]:
    if format == "brat":
        # Its files are named by the documents.
        names = _file_names(document.id for document in documents)
        documents = [replace(document, id=name) for document, name in zip(documents, names, strict=True)]
    with TemporaryDirectory() as folder:
        suffix = {"brat": "", "label_studio": ".json"}.get(format, ".jsonl")
        target = Path(folder) / f"documents{suffix}"
        write_corpus(documents, target, format)
        paths = sorted(target.rglob("*")) if target.is_dir() else [target]
        return [{"name": path.name, "content": path.read_text(encoding="utf-8")} for path in paths if path.is_file()]


def _file_names(ids: Iterable[str]) -> Iterator[str]:
    """Yield a file's name for each identifier, with a number where another file has it."""
    taken: set[str] = set()
    for id in ids:
        name = stem = re.sub(r"[^\w-]", "_", id)[:80]
        numbers = count(1)
        # Not every file system tells capitals from small letters.
        while name.casefold() in taken:
            name = f"{stem}-{next(numbers)}"
        taken.add(name.casefold())
        yield name


@router.get("/v1/annotations", response_class=Response)
async def listed(request: Request) -> Response:
    """List the documents to work through, and whether each was saved."""
    annotations = service_of(request).annotations
    return reply(_listed(annotations))


@router.get("/v1/annotations/document", response_class=Response)
async def one(id: Annotated[str, Query()], request: Request) -> Response:
    """Return a document to work on, as it was saved last."""
    return reply({"document": record_of(_required(request).document(id))})


@router.put("/v1/annotations", response_class=Response)
async def save(body: SaveRequest, request: Request) -> Response:
    """Save a corrected document; an earlier one of its identifier is replaced, and the file is whole at any moment."""
    service, annotations = service_of(request), _required(request)
    [document] = read_documents([body.document], "document", service.settings)
    await service.prepare(lambda: annotations.save(document))
    return reply(_listed(annotations))


def _listed(annotations: Annotations | None) -> dict[str, Any]:
    found = [] if annotations is None else annotations.listed()
    documents = [{"id": id, "is_saved": is_saved} for id, is_saved in found]
    return {"can_save": annotations is not None, "documents": documents}


def _required(request: Request) -> Annotations:
    annotations = service_of(request).annotations
    if annotations is None:
        raise RefusedError(403, "annotations: expected a server that saves them, found one without", "--annotate DIR")
    return annotations
