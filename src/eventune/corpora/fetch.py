"""Downloads that are either complete and checked, or not there."""

from __future__ import annotations

import hashlib
import http.client
import re
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eventune.corpora.published import PublishedFile
from eventune.errors import EventuneError
from eventune.storage.locks import locked

MAX_BYTES = 1 << 30
"""No corpus is larger than this; a server that sends more is not followed."""
_CHUNK_BYTES = 1 << 20
_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that was downloaded, or was there already.

    Attributes:
        path: Where it is.
        sha256: Checksum of its bytes.
        size: Its size in bytes.
        is_verified: Whether the checksum was known before, and is the same.
    """

    path: Path
    sha256: str
    size: int
    is_verified: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the file as JSON values."""
        return {"file": str(self.path), "sha256": self.sha256, "bytes": self.size, "verified": self.is_verified}


def fetch(file: PublishedFile, folder: Path) -> Fetched:
    """Download a file into a folder; a download that was cut off goes on where it stopped.

    Args:
        file: The file; without a known checksum it is taken as it comes, or as it is there already.
        folder: The folder, which exists.

    Returns:
        The file, which has its name only when it is complete and its checksum is right.

    Raises:
        LockedError: If another process is fetching it into the same folder.
        EventuneError: If a file of that name with another checksum is there, it cannot be downloaded or written, is cut
            off or too large, or has another checksum.
    """
    with locked(folder / file.name):
        return _fetch(file, folder)


def _fetch(file: PublishedFile, folder: Path) -> Fetched:
    target, part = folder / file.name, folder / f"{file.name}.part"
    try:
        if target.exists():
            found = _checksum(target)
            if file.sha256 and file.sha256 != found:
                expected = f"sha256 {file.sha256}"
                raise EventuneError(f"{target}: expected {expected}, found a file with sha256 {found}", "move it away")
            return Fetched(target, found, target.stat().st_size, bool(file.sha256))
        _download(file, part)
        found = _checksum(part)
        if file.sha256 and found != file.sha256:
            part.unlink()
            hint = "the publisher has changed the file, or the network has; it was not kept"
            raise EventuneError(f"{file.url}: expected sha256 {file.sha256}, found {found}", hint)
        part.replace(target)
    except OSError as error:
        raise EventuneError(f"{target}: cannot be written: {error.strerror or error}") from None
    return Fetched(target, found, target.stat().st_size, bool(file.sha256))


def _download(file: PublishedFile, part: Path) -> None:
    """Add to a partial file what is missing of it."""
    have = part.stat().st_size if part.exists() else 0
    if file.size and have >= file.size:
        return
    if not file.sha256:
        # Without a checksum nothing tells whether the rest belongs to what is there.
        have = 0
    request = urllib.request.Request(file.url, headers={"Range": f"bytes={have}-"} if have else {})
    if request.type not in ("http", "https"):
        raise EventuneError(f"{file.url}: expected an address with http or https, found {request.type}")
    try:
        with _OPENER.open(request, timeout=_TIMEOUT_SECONDS) as response:
            goes_on = response.status == http.HTTPStatus.PARTIAL_CONTENT and _starts_at(response, have)
            _receive(response, part, have if goes_on else 0, file)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                part.unlink(missing_ok=True)
            raise EventuneError(f"{file.url}: the server answers {error.code} {error.reason}", "try later") from None
    except urllib.error.URLError as error:
        raise EventuneError(f"{file.url}: cannot be reached: {error.reason}", "is there a network?") from None
    except (http.client.HTTPException, TimeoutError, ConnectionError, ssl.SSLError) as error:
        hint = "run the same command again: it goes on where it stopped"
        raise EventuneError(f"{file.url}: the connection broke off: {type(error).__name__}", hint) from None


def _receive(response: Any, part: Path, have: int, file: PublishedFile) -> None:
    limit = file.size or MAX_BYTES
    announced = response.headers.get("Content-Length", "")
    total = have + int(announced) if announced.isdecimal() else file.size
    if total > limit:
        raise EventuneError(f"{file.url}: expected at most {limit:,} bytes, the server announces {total:,}")
    with part.open("ab" if have else "wb") as output:
        while chunk := response.read(_CHUNK_BYTES):
            have += len(chunk)
            if have > limit:
                break
            output.write(chunk)
    if have > limit:
        part.unlink()
        raise EventuneError(f"{file.url}: expected at most {limit:,} bytes, the server sends more")
    if total and have < total:
        hint = "run the same command again: it goes on where it stopped"
        raise EventuneError(f"{file.url}: expected {total:,} bytes, the connection ended after {have:,}", hint)


def _starts_at(response: Any, have: int) -> bool:
    return re.match(rf"bytes {have}-", response.headers.get("Content-Range", "")) is not None


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _build_opener() -> urllib.request.OpenerDirector:
    """An opener for http and https alone, wherever a server redirects to."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.UnknownHandler,
    ):
        opener.add_handler(handler())
    return opener


_OPENER = _build_opener()
