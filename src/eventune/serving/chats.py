"""Runs of `eventune sft` in memory, and the one thread that they answer in."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eventune.errors import exception_of
from eventune.serving.batcher import BusyError, ClosedError
from eventune.serving.replies import TOO_LATE, RefusedError
from eventune.serving.runs import names_of

if TYPE_CHECKING:
    from eventune.chat.models import ChatModels
    from eventune.generation.conversation import Message
    from eventune.generation.generating import GenerationSettings
    from eventune.generation.streaming import Tally

_SMOOTHING = 0.2


@dataclass(frozen=True)
class ServedChat:
    """A run of `eventune sft` in memory.

    Attributes:
        name: What requests call it.
        models: The run on its base.
    """

    name: str
    models: ChatModels

    @property
    def max_length(self) -> int:
        """The most tokens that it reads and writes at once."""
        return self.models.max_length

    def describe(self) -> dict[str, Any]:
        """Return what `GET /v1/models` tells of it."""
        return {"id": self.name, "object": "model", "chats": True}

    def answer(
        self, messages: Sequence[Message], settings: GenerationSettings, tally: Tally
    ) -> Generator[str, None, None]:
        """Answer the last of some messages, piece by piece; see `ChatSession.ask`."""
        session = self.models.session(settings)
        session.messages = tuple(messages[:-1])
        yield from session.ask(messages[-1].content, tally)


def load_chats(
    folders: Sequence[Path], *, model_name_or_path: str | None = None, device: str, dtype: str
) -> dict[str, ServedChat]:
    """Load runs of `eventune sft`.

    Args:
        folders: The run directories.
        model_name_or_path: See `open_chat_models`.
        device: See `open_chat_models`.
        dtype: See `open_chat_models`.

    Returns:
        The runs by name, in their order.

    Raises:
        EventuneError: As `open_chat_models` does, or if two folders are one.
    """
    options = {"model_name_or_path": model_name_or_path, "device": device, "dtype": dtype}
    return {
        name: ServedChat(name, _opened(folder, options))
        for name, folder in zip(names_of(folders), folders, strict=True)
    }


def _opened(folder: Path, options: dict[str, Any]) -> ChatModels:
    # Exports are served where there is no torch.
    from eventune.chat.models import open_chat_models

    return open_chat_models(str(folder), {}, **options)


class Talk:
    """One thread that owns the models that chat, and gives one answer at a time."""

    def __init__(self, *, capacity: int, max_seconds: float) -> None:
        """Set up.

        Args:
            capacity: Requests that may wait, the one that is answered among them.
            max_seconds: Seconds until an answer is given up.
        """
        self._capacity, self._max_seconds = capacity, max_seconds
        self._pool = ThreadPoolExecutor(1, "eventune-chat")
        self._lock = threading.Lock()
        self._waiting, self._seconds, self._closed = 0, 1.0, False

    @property
    def waiting(self) -> int:
        """Requests that wait, the one that is answered among them."""
        return self._waiting

    async def pieces(self, answer: Callable[[], Generator[str, None, None]]) -> AsyncGenerator[str, None]:
        """Wait for an answer's turn, and yield it piece by piece; who stops listening ends it.

        Args:
            answer: Gives the answer; called in the thread.

        Yields:
            Its pieces.

        Raises:
            EventuneError: If too many wait, it took too long, or the answer fails.
        """
        loop, stop = asyncio.get_running_loop(), threading.Event()
        heard: asyncio.Queue[str | Exception | None] = asyncio.Queue()
        end = time.monotonic() + self._max_seconds

        def tell(piece: str | Exception | None) -> None:
            loop.call_soon_threadsafe(heard.put_nowait, piece)

        self._submit(lambda: _speak(answer, tell, stop))
        try:
            while (piece := await asyncio.wait_for(heard.get(), max(0.0, end - time.monotonic()))) is not None:
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        except TimeoutError:
            hint = "ask for a shorter one with max_tokens, or raise --max_seconds"
            message = f"time: expected an answer within {self._max_seconds:g} s"
            raise RefusedError(TOO_LATE, message, hint) from None
        finally:
            stop.set()

    def close(self) -> None:
        """Take nothing more, and finish what was taken."""
        with self._lock:
            self._closed = True
        self._pool.shutdown()

    def _submit(self, speak: Callable[[], None]) -> None:
        with self._lock:
            if self._closed:
                raise ClosedError
            if self._waiting >= self._capacity:
                retry = max(1, math.ceil(self._seconds * self._waiting))
                raise BusyError(self._waiting, self._capacity, retry, what="requests")
            self._waiting += 1
        self._pool.submit(self._take_turn, speak)

    def _take_turn(self, speak: Callable[[], None]) -> None:
        begun = time.monotonic()
        try:
            speak()
        finally:
            with self._lock:
                self._waiting -= 1
                self._seconds += _SMOOTHING * (time.monotonic() - begun - self._seconds)


def _speak(
    answer: Callable[[], Generator[str, None, None]],
    tell: Callable[[str | Exception | None], None],
    stop: threading.Event,
) -> None:
    """Tell the pieces of an answer, and None or what went wrong at its end, for as long as somebody listens."""
    if stop.is_set():
        return
    try:
        with closing(answer()) as pieces:
            for piece in pieces:
                if stop.is_set():
                    return
                tell(piece)
    except BaseException as error:
        tell(exception_of(error))
    else:
        tell(None)
