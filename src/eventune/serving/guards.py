"""What every request passes before it is looked at: who asks, from where, and how much is sent how fast.

They are plain ASGI, so that a body is counted while it streams.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eventune.serving.replies import TOO_LARGE, RefusedError, error_reply

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class SafeHeaders:
    """Adds headers against framing, sniffing and scripts to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the headers."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)


class Admission:
    """Refuses strangers: pages of other sites, other names of this machine, and who lacks the token."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        token: str,
        open_paths: Iterable[str],
        local_only: bool,
        browsed_paths: tuple[str, ...] = (),
    ) -> None:
        """Set up what is asked of a request.

        Args:
            app: What it is let through to.
            token: The bearer token, or empty where everybody may ask.
            open_paths: What needs no token: paths, or beginnings of paths that end in `/`.
            local_only: Whether the server is called by names of this machine alone.
            browsed_paths: Beginnings of what a browser opens by itself, so that it has to ask for the token.
        """
        self._app, self._token, self._local_only = app, token.encode(), local_only
        self._open, self._browsed = frozenset(open_paths), browsed_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] == "http":
            refusal = self._refusal(scope["path"], Headers(scope=scope))
            if refusal is not None:
                response = error_reply(refusal)
                if refusal.status == 401:
                    is_browsed = scope["path"].startswith(self._browsed)
                    response.headers["WWW-Authenticate"] = 'Basic realm="eventune"' if is_browsed else "Bearer"
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, path: str, headers: Headers) -> RefusedError | None:
        host = headers.get("host", "")
        if self._local_only and _name_of(f"//{host}") not in LOCAL_NAMES:
            # Else a site whose name leads to 127.0.0.1 could ask from a browser.
            return RefusedError(403, f"host: expected localhost, found {host[:60]!r}", "listen on another --host")
        origin = headers.get("origin")
        if origin is not None and _place_of(origin) != host:
            return RefusedError(403, f"origin: expected this server's own page, found {origin[:60]!r}")
        if self._token and not self._is_open(path) and not self._has_token(headers.get("authorization", "")):
            return RefusedError(401, "authorization: expected the server's token", "Authorization: Bearer TOKEN")
        return None

    def _is_open(self, path: str) -> bool:
        return path in self._open or any(path.startswith(start) for start in self._open if start[1:].endswith("/"))

    def _has_token(self, authorization: str) -> bool:
        scheme, _, given = authorization.partition(" ")
        if scheme.lower() == "basic":
            # Label Studio knows no other way; the user's name is of no matter.
            try:
                given = base64.b64decode(given, validate=True).decode().partition(":")[2]
            except (binascii.Error, ValueError):
                given = ""
        return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._token)


class BoundedBody:
    """Reads bodies that are not too long and come in time, and refuses others while they stream."""

    def __init__(self, app: ASGIApp, *, max_bytes: int, max_seconds: float) -> None:
        self._app, self._max_bytes, self._max_seconds = app, max_bytes, max_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through with its whole body, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            declared = Headers(scope=scope).get("content-length", "0")
            if declared.isascii() and declared.isdigit() and int(declared[:20]) > self._max_bytes:
                raise self._too_large(declared[:20])
            body = await asyncio.wait_for(self._read(receive), self._max_seconds)
        except TimeoutError:
            slow = RefusedError(408, f"body: expected within {self._max_seconds:g} s, found a part of it")
            await self._refuse(slow, scope, receive, send)
            return
        except RefusedError as error:
            await self._refuse(error, scope, receive, send)
            return
        if body is None:
            return
        pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return pending.pop() if pending else await receive()

        await self._app(scope, replay, send)

    async def _read(self, receive: Receive) -> bytes | None:
        """Return the body; None if the client left."""
        parts: list[bytes] = []
        length = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            parts.append(message.get("body", b""))
            length += len(parts[-1])
            if length > self._max_bytes:
                raise self._too_large("more")
            if not message.get("more_body", False):
                return b"".join(parts)

    def _too_large(self, found: str) -> RefusedError:
        hint = "send the documents in several requests, or raise --max_bytes"
        return RefusedError(TOO_LARGE, f"body: expected at most {self._max_bytes} bytes, found {found}", hint)

    async def _refuse(self, error: RefusedError, scope: Scope, receive: Receive, send: Send) -> None:
        response = error_reply(error)
        # What is still coming is nobody's business.
        response.headers["Connection"] = "close"
        await response(scope, receive, send)


def _place_of(address: str) -> str | None:
    try:
        return urlsplit(address).netloc
    except ValueError:
        return None


def _name_of(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
