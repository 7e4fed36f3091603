"""A pretrained model in memory."""

from __future__ import annotations

from dataclasses import dataclass

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from eventune.backbones.resolve import BaseModel


@dataclass(frozen=True, slots=True)
class Backbone:
    """A pretrained encoder or causal LM with what a task needs to know of it.

    Attributes:
        base: Where it comes from.
        model: The model; a causal LM has its output layer.
        tokenizer: Its fast tokenizer.
        max_length: The most subword tokens it reads, and writes, at once.
        new_modules: Modules that the checkpoint lacks, hence random; they must be trained.
    """

    base: BaseModel
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    max_length: int
    new_modules: tuple[str, ...] = ()
