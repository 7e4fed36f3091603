"""The application on a socket."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from contextlib import ExitStack

import uvicorn
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eventune.errors import EventuneError
from eventune.serving.arguments import ServeSettings

_HEADER_BYTES = 16 << 10
_GRACE_SECONDS = 0.5


def bind(settings: ServeSettings) -> socket.socket:
    """Take the address, so that one in use shows before any model is loaded.

    Raises:
        EventuneError: If it is in use, or not of this machine.
    """
    with ExitStack() as stack:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            # With the protocol by name: asyncio turns off Nagle's delay, 40 ms an answer, where it says TCP.
            taken = stack.enter_context(socket.socket(family, kind, protocol))
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(address)
            # Linux gives an address to several that may use it again, until one of them listens.
            taken.listen()
        except (OSError, UnicodeError) as error:
            raise _not_taken(settings, error) from None
        stack.pop_all()
    return taken


def _not_taken(settings: ServeSettings, error: Exception) -> EventuneError:
    in_use = getattr(error, "errno", None) == errno.EADDRINUSE
    what = "in use already" if in_use else getattr(error, "strerror", None) or str(error)
    message = f"--host, --port: expected an address to listen on, found {settings.host}:{settings.port}: {what}"
    return EventuneError(message, "choose another --port" if in_use else "e.g. --host 127.0.0.1")


def url_of(taken: socket.socket) -> str:
    """Return the URL of an address."""
    host, port = taken.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


class _Stopping:
    """Closes each connection with its answer once the server stops, and says so: nobody sends on one that is closed."""

    def __init__(self, app: ASGIApp) -> None:
        self.is_begun = False
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_header(message: Message) -> None:
            if self.is_begun and message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self._app(scope, receive, with_header)


def run_server(app: ASGIApp, taken: socket.socket, *, on_start: Callable[[], None]) -> None:
    """Serve until a signal says to stop; what was accepted until then is answered.

    Args:
        app: The application.
        taken: What `bind` returned.
        on_start: Called when requests are taken.
    """
    stopping = _Stopping(app)

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            on_start()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            stopping.is_begun = True
            for server in self.servers:
                server.close()
            # Requests may be on their way on connections that seem idle.
            await asyncio.sleep(_GRACE_SECONDS)
            await super().shutdown(sockets)

    config = uvicorn.Config(
        stopping,
        log_level="warning",
        access_log=False,
        server_header=False,
        h11_max_incomplete_event_size=_HEADER_BYTES,
        http="h11",
        ws="none",
    )
    Server(config).run(sockets=[taken])
