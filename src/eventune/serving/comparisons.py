"""The pages that `eventune compare` wrote, listed and shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from eventune.errors import EventuneError
from eventune.serving.api import service_of
from eventune.serving.replies import RefusedError, reply
from eventune.serving.runs import names_of
from eventune.storage.paths import is_file

PATH = "/comparisons/"
_PAGE = "comparison.html"
_POLICY = "; ".join(
    (
        "default-src 'none'",
        # Its styles and pictures are in the page itself; a script would be a stranger's.
        "style-src 'unsafe-inline'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "sandbox",
    )
)

router = APIRouter()


def read_comparisons(folders: Sequence[Path]) -> dict[str, bytes]:
    """Read the pages of comparisons.

    Args:
        folders: Folders that `eventune compare` made.

    Returns:
        The pages by the folders' names: no path from a request reaches the disk.

    Raises:
        EventuneError: If a folder is none of a comparison, or is named twice.
    """
    for folder in folders:
        if not is_file(folder / _PAGE):
            hint = "give the --output_dir of eventune compare"
            raise EventuneError(f"--comparisons: expected a comparison, found no {_PAGE} in {folder}", hint)
    names = names_of(folders, "--comparisons")
    return {name: (folder / _PAGE).read_bytes() for name, folder in zip(names, folders, strict=True)}


@router.get("/v1/comparisons", response_class=Response)
async def listed(request: Request) -> Response:
    """List the comparisons, and where their pages are."""
    names = service_of(request).comparisons
    return reply({"data": [{"id": name, "path": f"{PATH[1:]}{quote(name)}"} for name in names]})


@router.get(PATH + "{name:path}", include_in_schema=False)
async def page(name: str, request: Request) -> Response:
    """Return a comparison's page, in which nothing is run and from which nothing is asked."""
    pages = service_of(request).comparisons
    if name not in pages:
        raise RefusedError(404, f"comparison: expected one that is listed, found {name[:60]!r}", "GET /v1/comparisons")
    headers = {"Content-Security-Policy": _POLICY}
    return Response(pages[name], headers=headers, media_type="text/html; charset=utf-8")
