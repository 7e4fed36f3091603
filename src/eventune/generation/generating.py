"""Responses from a model: batched, cached, and the same each time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from transformers import (
    GenerationConfig,
    GenerationMixin,
    LogitsProcessor,
    LogitsProcessorList,
    PreTrainedTokenizerBase,
)

from eventune.errors import EventuneError, InvalidValueError
from eventune.generation.arguments import MOST_BEAMS
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
            ("num_beams", "an integer >= 1", self.num_beams >= 1),
            ("num_beams", f"an integer <= {MOST_BEAMS:,}", self.num_beams <= MOST_BEAMS),
            ("num_beams", "1 beside do_sample", self.num_beams == 1 or not self.do_sample),
            ("seed", "an integer >= 0", self.seed >= 0),
        )
        for error in chain(_broken(self, rules), sampling_problems(self)):
            raise error


def sampling_problems(settings: Any) -> Iterator[InvalidValueError]:
    """Yield one error for each setting of how tokens are chosen that is out of range.

    Args:
        settings: What has `temperature`, `top_p`, `top_k` and `repetition_penalty` as attributes.
    """
    rules = (
        ("temperature", "a number > 0", settings.temperature > 0),
        ("top_p", "a number in (0, 1]", 0 < settings.top_p <= 1),
        ("top_k", "an integer >= 0", settings.top_k >= 0),
        ("repetition_penalty", "a number > 0", settings.repetition_penalty > 0),
    )
    return _broken(settings, rules)


def _broken(settings: Any, rules: Iterable[tuple[str, str, bool]]) -> Iterator[InvalidValueError]:
    for name, expected, holds in rules:
        if not holds:
            yield InvalidValueError(name, expected, str(getattr(settings, name)))


def generate(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Sequence[int]],
    settings: GenerationSettings,
    *,
    batch_size: int,
    on_batch: Callable[[int, int], None] | None = None,
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
        on_batch: Called after each batch, with how many responses of how many are there.

    Returns:
        The responses in the prompts' order, without special tokens, surrounding space, and a last character that the
        limit cut in two.

    Raises:
        EventuneError: If a prompt is empty, or the model does not generate.
    """
    empty = next((number for number, prompt in enumerate(prompts) if not prompt), None)
    if empty is not None:
        raise EventuneError(f"prompt {empty + 1}: expected one token at least, found none")
    texts = [""] * len(prompts)
    # The longest first: memory that does not suffice is found out at once.
    order = sorted(range(len(prompts)), key=lambda number: -len(prompts[number]))
    with prepared(model, tokenizer, settings) as ready:
        for start in range(0, len(order), batch_size):
            numbers = order[start : start + batch_size]
            found = ready.run([prompts[number] for number in numbers], numbers)
            for number, ids in zip(numbers, found, strict=True):
                texts[number] = decode(tokenizer, ids)
            if on_batch is not None:
                on_batch(start + len(numbers), len(order))
    return texts


@dataclass(frozen=True, slots=True)
class PreparedModel:
    """A model that is ready to generate.

    Attributes:
        generator: What is called; a model in a wrapper such as DistributedDataParallel generates by itself.
        config: Settings for transformers.
        ends: Tokens that end a text.
        settings: Our own settings.
        device: Where the model is.
    """

    generator: Any
    config: GenerationConfig
    ends: set[int]
    settings: GenerationSettings
    device: torch.device

    def pad(self, prompts: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """Return ids and attention mask, padded on the left."""
        length = max(len(prompt) for prompt in prompts)
        ids = torch.full((len(prompts), length), int(self.config.pad_token_id), dtype=torch.int64)
        mask = torch.zeros_like(ids)
        for row, prompt in enumerate(prompts):
            ids[row, length - len(prompt) :] = torch.tensor(prompt)
            mask[row, length - len(prompt) :] = 1
        return ids, mask

    def run(
        self,
        prompts: Sequence[Sequence[int]],
        numbers: Sequence[int],
        *,
        processors: Sequence[LogitsProcessor] = (),
        **options: Any,
    ) -> list[list[int]]:
        """Generate a batch; penalty and draws are ours, since transformers' would depend on padding and batch."""
        ids, mask = self.pad(prompts)
        settings = self.settings
        own = LogitsProcessorList(processors)
        if settings.repetition_penalty != 1.0:
            own.append(Repetition(settings.repetition_penalty, mask))
        if settings.do_sample:
            own.append(
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
        with torch.no_grad():
            output: Tensor = self.generator.generate(
                input_ids=ids.to(self.device),
                attention_mask=mask.to(self.device),
                generation_config=self.config,
                logits_processor=own,
                **options,
            )
        rows: list[list[int]] = output[:, ids.shape[1] :].tolist()
        # By position: behind the first end there is only padding, which may be the same token.
        return [row[: next((at for at, token in enumerate(row) if token in self.ends), len(row))] for row in rows]


@contextmanager
def prepared(
    model: nn.Module, tokenizer: PreTrainedTokenizerBase, settings: GenerationSettings
) -> Iterator[PreparedModel]:
    """Put a model into evaluation and take its own generation settings away, and give both back."""
    own: Any = next((module for module in model.modules() if isinstance(module, GenerationMixin)), None)
    if own is None:
        raise EventuneError(f"expected a causal LM such as Llama, found {type(model).__name__}, which cannot generate")
    config, ends = _generation_config(own, tokenizer, settings)
    training = [module for module in model.modules() if module.training]
    recorded = own.generation_config
    # Else transformers fills in from it what is not given, such as a temperature.
    own.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]
    model.eval()
    try:
        generator = model if hasattr(model, "generate") else own
        yield PreparedModel(generator, config, ends, settings, next(model.parameters()).device)
    finally:
        own.generation_config = recorded
        for module in training:
            module.training = True


def _generation_config(
    own: Any, tokenizer: PreTrainedTokenizerBase, settings: GenerationSettings
) -> tuple[GenerationConfig, set[int]]:
    """Return transformers' settings, and the tokens that end a text: the tokenizer's and the checkpoint's own."""
    named = getattr(own.generation_config, "eos_token_id", None)
    # A checkpoint's file may hold anything there.
    ends = {token for token in (named if isinstance(named, list) else [named]) if type(token) is int and token >= 0}
    if tokenizer.eos_token_id is not None:
        ends.add(int(tokenizer.eos_token_id))
    padding = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else min(ends, default=0)
    config = GenerationConfig(  # type: ignore[no-untyped-call]
        max_new_tokens=settings.max_new_tokens,
        # Tokens are drawn by a processor of our own.
        do_sample=False,
        num_beams=settings.num_beams,
        use_cache=True,
        eos_token_id=sorted(ends) or None,
        pad_token_id=int(padding),
    )
    return config, ends


def decode(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> str:
    """Return the text of some tokens without special tokens, surrounding space, and a last character cut in two."""
    text = str(tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False))
    return text.strip().rstrip(UNFINISHED).rstrip()
