"""A run as tools of assistants, by the Model Context Protocol: over standard input and output, or HTTP."""

from __future__ import annotations

import asyncio
from typing import Annotated

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp

import eventune
from eventune.errors import EventuneError
from eventune.events import Argument, Document, Event
from eventune.inference.extractor import Extractor
from eventune.serving.arguments import ServeSettings
from eventune.serving.asking import above, asked, score_of
from eventune.serving.batcher import Batcher
from eventune.serving.guards import Admission, BoundedBody, SafeHeaders
from eventune.serving.requests import ExtractRequest

PATH = "/mcp"
_INSTRUCTIONS = (
    "Finds events (who did what to whom, where, when) in texts with a model trained for the event types that "
    "list_event_types tells. All places are character offsets into the text given: text[start:end] is what is quoted."
)
_MARKS = "mark the word that names each event with its type, such as [[shot|attack]]; offsets are of the text without"


class FoundArgument(BaseModel):
    """A piece of the text that fills a role of an event."""

    role: str
    text: str
    start: Annotated[int, Field(description="first character")]
    end: Annotated[int, Field(description="behind the last character")]
    score: Annotated[float | None, Field(description="probability that it is right")]


class FoundEvent(BaseModel):
    """An event; trigger, start and end are null where no single word names it."""

    type: str
    trigger: str | None
    start: int | None
    end: int | None
    score: Annotated[float, Field(description="probability that it is right; 1 where the trigger was marked")]
    arguments: list[FoundArgument]


class Extraction(BaseModel):
    """What was found in a text."""

    text: Annotated[str, Field(description="the text that the offsets are of")]
    events: list[FoundEvent]


class KnownRole(BaseModel):
    """What can take part in an event."""

    name: str
    description: str
    at_most: Annotated[int, Field(description="how many arguments of the role one event has at the most")]


class KnownType(BaseModel):
    """A type of events that can be found."""

    name: str
    description: str
    roles: list[KnownRole]


class KnownTypes(BaseModel):
    """What can be found."""

    finds_triggers: Annotated[bool, Field(description="whether events are found in plain text, without marks")]
    types: list[KnownType]


class AssistantTools:
    """The tools, and the thread that owns the model.

    Attributes:
        server: The tools as a server of the protocol.
    """

    def __init__(self, extractor: Extractor, settings: ServeSettings) -> None:
        self._extractor, self._settings = extractor, settings
        self._batcher = Batcher(batch_tokens=settings.batch_tokens, capacity=settings.max_queue)
        self.server: MCPServer = MCPServer(
            "eventune", version=eventune.__version__, instructions=_INSTRUCTIONS, log_level="WARNING"
        )
        how = "events and their arguments" if extractor.detects else f"the arguments of marked events: {_MARKS}"
        self.server.tool(description=f"Find in a text {how}.")(self.extract_events)
        self.server.tool()(self.list_event_types)

    async def extract_events(
        self,
        text: Annotated[str, Field(description="the text, in any language that the model was trained for")],
        event_types: Annotated[
            list[str], Field(description="look for one event of each of these types, without a trigger")
        ] = [],  # noqa: B006
        threshold: Annotated[float, Field(ge=0.0, le=1.0, description="leave out what is less probable")] = 0.0,
    ) -> Extraction:
        """Find events and their arguments in a text."""
        request = ExtractRequest(text=text, types=event_types, threshold=threshold)
        seconds = self._settings.max_seconds
        try:
            documents = await run_in_threadpool(asked, request, self._extractor, self._settings)
            future = self._batcher.submit("", self._extractor.extract_all, documents, seconds=seconds)
            found = await asyncio.wait_for(asyncio.wrap_future(future), seconds)
        except TimeoutError:
            raise ToolError(f"time: expected an answer within {seconds:g} s; send a shorter text") from None
        except EventuneError as error:
            raise ToolError(f"{error.message}; {error.hint}" if error.hint else error.message) from None
        return extraction_of(above(found[0], threshold))

    def list_event_types(self) -> KnownTypes:
        """List the types of events that can be found, with their roles."""
        types = [
            KnownType(
                name=known.name,
                description=known.description,
                roles=[
                    KnownRole(name=role.name, description=role.description, at_most=role.multiplicity)
                    for role in known.roles
                ],
            )
            for known in self._extractor.ontology.types.values()
        ]
        return KnownTypes(finds_triggers=self._extractor.detects, types=types)

    def http_app(self, *, token: str) -> ASGIApp:
        """Return the server as an application that refuses strangers, as `eventune serve` does.

        Args:
            token: The bearer token that requests must have; empty where everybody who reaches it may ask.
        """
        settings = self._settings
        app = self.server.streamable_http_app(
            streamable_http_path=PATH,
            json_response=True,
            stateless_http=True,
            max_request_body_size=settings.max_bytes,
            host=settings.host,
        )
        bounded = BoundedBody(app, max_bytes=settings.max_bytes, max_seconds=settings.max_seconds)
        return SafeHeaders(Admission(bounded, token=token, open_paths=(), local_only=settings.is_loopback))

    def close(self) -> None:
        """Finish what was asked, and end the thread."""
        self._batcher.close()


def extraction_of(document: Document) -> Extraction:
    """Return what was found in a document, in characters."""
    return Extraction(text=document.text, events=[_event(document, event) for event in document.events])


def _event(document: Document, event: Event) -> FoundEvent:
    trigger = None if event.trigger is None else document.characters_of(event.trigger)
    return FoundEvent(
        type=event.type,
        trigger=None if event.trigger is None else document.text_of(event.trigger),
        start=trigger.start if trigger else None,
        end=trigger.end if trigger else None,
        score=score_of(event),
        arguments=[_argument(document, argument) for argument in event.arguments],
    )


def _argument(document: Document, argument: Argument) -> FoundArgument:
    pieces = document.pieces_of(argument)
    start, end = min(piece.start for piece in pieces), max(piece.end for piece in pieces)
    return FoundArgument(role=argument.role, text=document.text[start:end], start=start, end=end, score=argument.score)
