"""Responses from a model: batched or streamed, cached, and the same each time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import (
    GenerationConfig,
    GenerationMixin,
    LogitsProcessorList,
    PreTrainedTokenizerBase,
    StoppingCriteria,
    StoppingCriteriaList,
)
from transformers.generation import BaseStreamer

from eventune.errors import EventuneError, InvalidValueError
from eventune.generation.choosing import Drawing, Repetition

UNFINISHED = "\ufffd"
"""What a tokenizer shows of a character whose bytes are not all there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GenerationSettings:
    """How responses are generated.

    Attributes:
        max_new_tokens: Tokens of the longest response.
        do_sample: Draw tokens in place of taking the likeliest.
        temperature: Flattens (above 1) or sharpens what is drawn from.
        top_p: Draw from the likeliest tokens of this total probability.
        top_k: Draw from so many tokens; 0 for all.
        num_beams: Beams of the search.
        repetition_penalty: Above 1: less of what was said already.
        seed: Seed of what is drawn.
    """

    max_new_tokens: int = 128
    do_sample: bool = False
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    num_beams: int = 1
    repetition_penalty: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        rules = (
            ("max_new_tokens", "an integer >= 1", self.max_new_tokens >= 1),
            ("temperature", "a number > 0", self.temperature > 0),
            ("top_p", "a number in (0, 1]", 0 < self.top_p <= 1),
            ("top_k", "an integer >= 0", self.top_k >= 0),
            ("num_beams", "an integer >= 1", self.num_beams >= 1),
            ("num_beams", "1 beside do_sample", self.num_beams == 1 or not self.do_sample),
            ("repetition_penalty", "a number > 0", self.repetition_penalty > 0),
            ("seed", "an integer >= 0", self.seed >= 0),
        )
        for name, expected, holds in rules:
            if not holds:
                raise InvalidValueError(name, expected, str(getattr(self, name)))


def generate(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Sequence[int]],
    settings: GenerationSettings,
    *,
    batch_size: int,
    progress: Callable[[int], None] = lambda _: None,
) -> list[str]:
    """Generate a response to each prompt.

    Greedily or with beams, the model's own settings of generation count for nothing but the tokens that end a text.
    What is drawn depends on the seed and on the prompt's place among all, not on the batch that it is in.

    Args:
        model: A causal LM, with or without an adapter, in any mode; it is in the same one afterwards.
        tokenizer: Its tokenizer.
        prompts: Token ids of the prompts.
        settings: How to generate.
        batch_size: Prompts at a time, those of like length together.
        progress: Hears how many responses a batch brought.

    Returns:
        The responses in the prompts' order, without special tokens and surrounding space.

    Raises:
        EventuneError: If a prompt is empty, or the model does not generate.
    """
    empty = next((number for number, prompt in enumerate(prompts) if not prompt), None)
    if empty is not None:
        raise EventuneError(f"prompt {empty + 1}: expected one token at least, found none")
    texts = [""] * len(prompts)
    # The longest first: memory that does not suffice is found out at once.
    order = sorted(range(len(prompts)), key=lambda number: -len(prompts[number]))
    with _made_ready(model) as own:
        config, ends = _generation_config(own, tokenizer, settings)
        for start in range(0, len(order), batch_size):
            numbers = order[start : start + batch_size]
            ids, mask = _padded([prompts[number] for number in numbers], int(config.pad_token_id))
            output = _run(model, ids, mask, config, settings, numbers)
            for number, row in zip(numbers, output[:, ids.shape[1] :].tolist(), strict=True):
                texts[number] = _decode(tokenizer, _until_end(row, ends)).strip()
            progress(len(numbers))
    return texts


def stream(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    prompt: Sequence[int],
    settings: GenerationSettings,
    *,
    number: int = 0,
) -> Iterator[str]:
    """Generate one response, piece by piece; a search with beams gives it in one.

    Args:
        model: A causal LM, with or without an adapter.
        tokenizer: Its tokenizer.
        prompt: Token ids of the prompt.
        settings: How to generate.
        number: Which draw this is of the seed's.

    Yields:
        Pieces of whole characters; together they are what `generate` returns. Closing the iterator ends generation.

    Raises:
        EventuneError: If the prompt is empty, or the model does not generate.
    """
    if settings.num_beams > 1 or not prompt:
        yield from filter(None, generate(model, tokenizer, [prompt], settings, batch_size=1))
        return
    with _made_ready(model) as own:
        config, ends = _generation_config(own, tokenizer, settings)
        ids: list[int] = []
        shown = ""
        for token in _tokens(model, prompt, config, settings, number):
            if token in ends:
                break
            ids.append(token)
            # What follows may complete the last character, or show that the last spaces are not the end.
            text = _decode(tokenizer, ids).rstrip(UNFINISHED).strip()
            if len(text) > len(shown):
                yield text[len(shown) :]
                shown = text
        rest = _decode(tokenizer, ids).strip()[len(shown) :]
        if rest:
            yield rest


def _tokens(
    model: nn.Module, prompt: Sequence[int], config: GenerationConfig, settings: GenerationSettings, number: int
) -> Iterator[int]:
    """Yield tokens as they come from a thread of their own, whose errors are raised here."""
    found: queue.Queue[int | BaseException | None] = queue.Queue()
    stop = threading.Event()

    def work() -> None:
        try:
            ids, mask = _padded([prompt], int(config.pad_token_id))
            _run(
                model,
                ids,
                mask,
                config,
                settings,
                [number],
                streamer=_Listener(found.put),
                stopping_criteria=StoppingCriteriaList([_Told(stop)]),
            )
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

    def __call__(self, input_ids: Tensor, scores: Tensor, **kwargs: Any) -> Tensor:  # type: ignore[override]  # noqa: ARG002
        return torch.full((len(input_ids),), self._stop.is_set(), dtype=torch.bool, device=input_ids.device)


@contextmanager
def _made_ready(model: nn.Module) -> Iterator[GenerationMixin]:
    """Put a model into evaluation without generation settings of its own, and back; yield the part that generates."""
    own = next((module for module in model.modules() if isinstance(module, GenerationMixin)), None)
    if own is None:
        raise EventuneError(f"expected a causal LM such as Llama, found {type(model).__name__}, which cannot generate")
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield own
    finally:
        for module in training:
            module.training = True


def _generation_config(
    own: Any, tokenizer: PreTrainedTokenizerBase, settings: GenerationSettings
) -> tuple[GenerationConfig, set[int]]:
    """Return transformers' settings, and the tokens that end a text: the tokenizer's and the checkpoint's own."""
    named = getattr(own.generation_config, "eos_token_id", None)
    ends = {int(token) for token in (named if isinstance(named, list) else [named]) if token is not None}
    if tokenizer.eos_token_id is not None:
        ends.add(int(tokenizer.eos_token_id))
    padding = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else min(ends, default=0)
    config = GenerationConfig(  # type: ignore[no-untyped-call]
        max_new_tokens=settings.max_new_tokens,
        # Tokens are drawn by a processor of our own, see `_run`.
        do_sample=False,
        num_beams=settings.num_beams,
        use_cache=True,
        eos_token_id=sorted(ends) or None,
        pad_token_id=int(padding),
    )
    return config, ends


def _padded(prompts: Sequence[Sequence[int]], padding: int) -> tuple[Tensor, Tensor]:
    """Return ids and attention mask, padded on the left."""
    length = max(len(prompt) for prompt in prompts)
    ids = torch.full((len(prompts), length), padding, dtype=torch.int64)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, length - len(prompt) :] = torch.tensor(prompt)
        mask[row, length - len(prompt) :] = 1
    return ids, mask


def _run(
    model: Any,
    ids: Tensor,
    mask: Tensor,
    config: GenerationConfig,
    settings: GenerationSettings,
    numbers: Sequence[int],
    **options: Any,
) -> Tensor:
    """Let transformers generate; penalty and draws are applied here, since its own would depend on padding and batch."""
    own = next(module for module in model.modules() if isinstance(module, GenerationMixin))
    processors = LogitsProcessorList()
    if settings.repetition_penalty != 1.0:
        processors.append(Repetition(settings.repetition_penalty, mask))
    if settings.do_sample:
        processors.append(
            Drawing(
                numbers,
                prompt_length=ids.shape[1],
                max_new_tokens=settings.max_new_tokens,
                seed=settings.seed,
                temperature=settings.temperature,
                top_k=settings.top_k,
                top_p=settings.top_p,
            )
        )
    device = next(model.parameters()).device
    # A model in a wrapper such as DistributedDataParallel generates by itself.
    generator: Any = model if hasattr(model, "generate") else own
    recorded = own.generation_config
    # What the caller leaves open is filled in from it.
    own.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]
    try:
        with torch.no_grad():
            output: Tensor = generator.generate(
                input_ids=ids.to(device),
                attention_mask=mask.to(device),
                generation_config=config,
                logits_processor=processors,
                **options,
            )
    finally:
        own.generation_config = recorded
    return output


def _until_end(ids: Sequence[int], ends: set[int]) -> Sequence[int]:
    """Cut by position: behind the first end there is only padding, which may be the same token."""
    return ids[: next((at for at, token in enumerate(ids) if token in ends), len(ids))]


def _decode(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> str:
    return str(tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False))
