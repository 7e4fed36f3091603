"""`eventune mcp`: a run as tools of assistants that speak the Model Context Protocol."""

from __future__ import annotations

import argparse
import asyncio
import os
from contextlib import closing
from typing import TYPE_CHECKING

from eventune.cli.evaluate import add_model_arguments, load_extractor
from eventune.cli.output import notify
from eventune.cli.serve import add_setting_flags, check_reach
from eventune.errors import EventuneError, require_library
from eventune.serving.arguments import TOKEN_VARIABLE, ServeSettings

if TYPE_CHECKING:
    from eventune.serving.assistants import AssistantTools

_INSTALL = "pip install 'eventune[mcp]'"
_OF_HTTP = ("host", "port", "max_bytes")
_OF_TEXTS = ("max_tokens", "max_seconds", "batch_tokens")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the run, the way it is reached, and the limits."""
    parser.add_argument("run_directory", metavar="RUN", help="run directory, or warmup, or an export of a run")
    parser.add_argument(
        "--http",
        action="store_true",
        help="listen for streamable HTTP, in place of speaking over standard input and output",
    )
    add_setting_flags(parser, *_OF_HTTP, note="; with --http")
    add_setting_flags(parser, *_OF_TEXTS)
    add_model_arguments(parser)
    parser.epilog = f"With --http, a token in the environment variable {TOKEN_VARIABLE} must come with each request."


def run(arguments: argparse.Namespace) -> int:
    """Load the run and answer until the assistant hangs up, or a signal says to stop."""
    settings = ServeSettings(**{name: getattr(arguments, name) for name in (*_OF_HTTP, *_OF_TEXTS)})
    token = os.environ.get(TOKEN_VARIABLE, "")
    if not arguments.http:
        changed = [name for name in _OF_HTTP if getattr(settings, name) != getattr(ServeSettings, name)]
        if changed:
            raise EventuneError(f"--{changed[0]}: expected --http beside it, found none")
    check_reach(settings, token)
    require_library("mcp", "eventune mcp needs mcp", _INSTALL)
    if arguments.http:
        _listen(arguments, settings, token)
    else:
        with closing(_tools(arguments, settings)) as tools:
            asyncio.run(tools.server.run_stdio_async())
    return 0


def _listen(arguments: argparse.Namespace, settings: ServeSettings, token: str) -> None:
    from eventune.serving.server import bind, run_server, url_of

    with closing(bind(settings)) as taken, closing(_tools(arguments, settings)) as tools:
        from eventune.serving.assistants import PATH

        run_server(tools.http_app(token=token), taken, on_start=lambda: notify(f"{url_of(taken)}{PATH}; Ctrl-C stops"))


def _tools(arguments: argparse.Namespace, settings: ServeSettings) -> AssistantTools:
    extractor = load_extractor(arguments)
    from eventune.serving.assistants import AssistantTools

    return AssistantTools(extractor, settings)
