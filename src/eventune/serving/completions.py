"""Chat completions in OpenAI's shape, by runs of `eventune sft`."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from eventune.corpora.records import json_text
from eventune.errors import EventuneError, InvalidValueError
from eventune.serving.api import ERRORS, service_of
from eventune.serving.chats import ServedChat
from eventune.serving.replies import error_of, reply
from eventune.serving.service import Service

if TYPE_CHECKING:
    from eventune.generation.conversation import Message
    from eventune.generation.generating import GenerationSettings
    from eventune.generation.streaming import Tally

EVENTS = "text/event-stream"
PATH = "/v1/chat/completions"
_LONGEST = 256
"""Tokens of the longest answer where a request does not say; half of what the model reads and writes at the most."""

router = APIRouter()


class TextPart(BaseModel):
    """A part of a message."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["text"]
    text: str


class ChatMessage(BaseModel):
    """A turn of a conversation."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["system", "user", "assistant"]
    content: str | list[TextPart]

    @property
    def text(self) -> str:
        """What was said."""
        return self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)


class StreamOptions(BaseModel):
    """What else a stream tells."""

    model_config = ConfigDict(extra="forbid")

    include_usage: bool = False


class ChatRequest(BaseModel):
    """A conversation whose next turn is sought."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"messages": [{"role": "user", "content": "Who are you?"}], "max_tokens": 16},
                {"messages": [{"role": "user", "content": "Who are you?"}], "max_tokens": 16, "stream": True},
            ]
        },
    )

    model: Annotated[str, Field(description="name of a run; may be empty where there is one that chats")] = ""
    messages: Annotated[list[ChatMessage], Field(min_length=1, description="the turns, the last of them a user's")]
    stream: Annotated[bool, Field(description="whether the answer comes piece by piece, as server-sent events")] = False
    stream_options: StreamOptions = StreamOptions()
    max_tokens: Annotated[int | None, Field(ge=1, description="tokens of the longest answer")] = None
    max_completion_tokens: Annotated[int | None, Field(ge=1, description="the newer name of max_tokens")] = None
    temperature: Annotated[float, Field(ge=0.0, le=2.0, description="0 takes the likeliest tokens")] = 0.0
    top_p: Annotated[float, Field(gt=0.0, le=1.0, description="draw from the likeliest of this probability")] = 1.0
    seed: Annotated[int, Field(ge=0, description="seed of what is drawn")] = 0
    n: Literal[1] = 1
    user: Annotated[str, Field(description="passed over")] = ""


@router.post(
    PATH,
    responses={200: {"description": "the answer", "content": {"application/json": {}, EVENTS: {}}}, **ERRORS},
    response_class=Response,
)
async def complete(body: ChatRequest, request: Request) -> Response:
    """Answer the last message of a conversation."""
    from eventune.generation.streaming import Tally

    service = service_of(request)
    chat = service.chat_named(body.model)
    messages, settings, tally = _messages(body), _settings(body, chat, service), Tally()
    pieces = service.talk.pieces(partial(chat.answer, messages, settings, tally))
    head = {"id": f"chatcmpl-{secrets.token_hex(12)}", "created": int(time.time()), "model": chat.name}
    if not body.stream:
        text = await service.unless_gone(request, _joined(pieces))
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": _reason(tally)}
        return reply({**head, "object": "chat.completion", "choices": [choice], "usage": _usage(tally)})
    # What is refused has a status of its own, so the stream begins with the first piece.
    first = await service.unless_gone(request, _first(pieces))
    with_usage = body.stream_options.include_usage
    return StreamingResponse(_events(head, first, pieces, tally, with_usage=with_usage), media_type=EVENTS)


def _messages(body: ChatRequest) -> list[Message]:
    from eventune.generation.conversation import Message

    last = body.messages[-1]
    if last.role != "user" or not last.text.strip():
        found = f"an empty one of the {last.role}" if not last.text.strip() else f"one of the {last.role}"
        raise InvalidValueError("messages", "the last to be a question of the user", found)
    return [Message(message.role, message.text) for message in body.messages]


def _settings(body: ChatRequest, chat: ServedChat, service: Service) -> GenerationSettings:
    from eventune.generation.generating import GenerationSettings

    asked = body.max_completion_tokens or body.max_tokens or min(_LONGEST, max(1, chat.max_length // 2))
    if asked > service.settings.max_tokens:
        hint = "ask for less, or raise --max_tokens"
        raise InvalidValueError("max_tokens", f"at most {service.settings.max_tokens}", str(asked), hint)
    drawn: dict[str, Any] = {"do_sample": True, "temperature": body.temperature} if body.temperature else {}
    return GenerationSettings(max_new_tokens=asked, top_p=body.top_p, seed=body.seed, **drawn)


async def _joined(pieces: AsyncGenerator[str, None]) -> str:
    return "".join([piece async for piece in pieces])


async def _first(pieces: AsyncGenerator[str, None]) -> str:
    return await anext(pieces, "")


async def _events(
    head: dict[str, Any], first: str, pieces: AsyncGenerator[str, None], tally: Tally, *, with_usage: bool
) -> AsyncGenerator[str, None]:
    """Yield an answer as server-sent events."""

    def event(delta: dict[str, str], reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return _event({**head, "object": "chat.completion.chunk", "choices": [choice]})

    async with aclosing(pieces):
        yield event({"role": "assistant", "content": first})
        try:
            async for piece in pieces:
                yield event({"content": piece})
        except EventuneError as error:
            yield _event(error_of(error))
            return
    yield event({}, _reason(tally))
    if with_usage:
        yield _event({**head, "object": "chat.completion.chunk", "choices": [], "usage": _usage(tally)})
    yield "data: [DONE]\n\n"


def _event(content: dict[str, Any]) -> str:
    return f"data: {json_text(content)}\n\n"


def _reason(tally: Tally) -> str:
    return "stop" if tally.is_whole else "length"


def _usage(tally: Tally) -> dict[str, int]:
    total = tally.prompt_tokens + tally.tokens
    return {"prompt_tokens": tally.prompt_tokens, "completion_tokens": tally.tokens, "total_tokens": total}
