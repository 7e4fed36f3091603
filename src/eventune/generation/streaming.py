"""A response from a model, piece by piece while it is generated."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase, StoppingCriteria, StoppingCriteriaList
from transformers.generation.streamers import BaseStreamer

from eventune.generation.generating import GenerationSettings, PreparedModel, decode, generate, prepared


@dataclass
class Tally:
    """What a response took.

    Attributes:
        prompt_tokens: Tokens that were read.
        tokens: Tokens that were written.
        is_whole: Whether it ended by itself, and not because it may not be longer.
    """

    prompt_tokens: int = 0
    tokens: int = 0
    is_whole: bool = False


def stream(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    prompt: Sequence[int],
    settings: GenerationSettings,
    *,
    number: int = 0,
    tally: Tally | None = None,
) -> Iterator[str]:
    """Generate one response, piece by piece; a search with beams gives it in one.

    Args:
        model: A causal LM, with or without an adapter.
        tokenizer: Its tokenizer.
        prompt: Token ids of the prompt.
        settings: How to generate.
        number: Which draw this is of the seed's.
        tally: Takes what it took; nothing is counted of a search with beams.

    Yields:
        Pieces of whole characters; together they are what `generate` returns. Closing the iterator ends generation.

    Raises:
        EventuneError: If the prompt is empty, or the model does not generate.
    """
    if settings.num_beams > 1 or not prompt:
        yield from filter(None, generate(model, tokenizer, [prompt], settings, batch_size=1))
        return
    tally = tally or Tally()
    tally.prompt_tokens = len(prompt)
    with prepared(model, tokenizer, settings) as ready:
        ids: list[int] = []
        shown = ""
        for token in _tokens(ready, prompt, number):
            if token in ready.ends:
                tally.is_whole = True
                break
            ids.append(token)
            tally.tokens = len(ids)
            # Shown is what stays: the next token may complete a character, or show that spaces are not the end.
            text = decode(tokenizer, ids)
            if len(text) > len(shown):
                yield text[len(shown) :]
                shown = text


def _tokens(ready: PreparedModel, prompt: Sequence[int], number: int) -> Iterator[int]:
    """Yield tokens as they come from a thread of their own, whose errors are raised here."""
    found: queue.Queue[int | BaseException | None] = queue.Queue()
    stop = threading.Event()

    def work() -> None:
        try:
            criteria = StoppingCriteriaList([_Told(stop)])
            ready.run([prompt], [number], streamer=_Listener(found.put), stopping_criteria=criteria)
            found.put(None)
        except BaseException as error:  # raised in the caller's thread
            found.put(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while (token := found.get()) is not None:
            if isinstance(token, BaseException):
                raise token
            yield token
    finally:
        stop.set()
        thread.join()


class _Listener(BaseStreamer):
    """Hands on tokens; what comes first is the prompt."""

    def __init__(self, hear: Callable[[int], None]) -> None:
        self._hear = hear
        self._is_prompt = True

    def put(self, value: Tensor) -> None:
        if not self._is_prompt:
            self._hear(int(value.reshape(-1)[0]))
        self._is_prompt = False

    def end(self) -> None:
        """Do nothing: the thread tells when it is done."""


class _Told(StoppingCriteria):
    """Stops when nobody listens any more."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    def __call__(self, input_ids: Tensor, scores: Tensor, **kwargs: Any) -> Tensor:  # noqa: ARG002
        return torch.full((len(input_ids),), self._stop.is_set(), dtype=torch.bool, device=input_ids.device)
