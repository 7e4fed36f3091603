"""Encoders and their tokenizers, loaded from local files."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import torch
from transformers import (
    AutoConfig,
    AutoModel,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging as transformers_logging

from eventune.backbones.resolve import BaseModel
from eventune.errors import EventuneError

VOCABULARIES = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
)
"""Files that a fast tokenizer can be made of."""


@dataclass(frozen=True, slots=True)
class Backbone:
    """A pretrained encoder with what a task needs to know of it.

    Attributes:
        base: Where it comes from.
        model: The encoder, in float32.
        tokenizer: Its fast tokenizer.
        max_length: The most pieces it reads at once.
        new_modules: Modules of the encoder that the checkpoint lacks, hence random; they must be trained.
    """

    base: BaseModel
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    max_length: int
    new_modules: tuple[str, ...]


def load_tokenizer(base: BaseModel, *, for_words: bool = True) -> PreTrainedTokenizerBase:
    """Load a model's fast tokenizer.

    Args:
        base: The model.
        for_words: Whether it gets words, each of which needs a space before it where the model was trained so; whole
            texts otherwise, which are read as the tokenizer's own configuration says.

    Returns:
        The tokenizer.

    Raises:
        EventuneError: If the folder holds no tokenizer.
    """
    # Without its vocabulary transformers would make an empty tokenizer and say nothing.
    if not any((base.folder / name).is_file() for name in VOCABULARIES):
        raise EventuneError(
            f"{base.folder}: expected a tokenizer, found none of {', '.join(VOCABULARIES)}",
            "copy the whole folder anew",
        )
    options = {"add_prefix_space": True} if for_words else {}
    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(base.folder, use_fast=True, trust_remote_code=False, **options)
    except Exception as error:  # the tokenizers library raises a bare Exception for a damaged file
        raise EventuneError(f"{base.folder}: no tokenizer could be loaded: {first_line(error)}") from error
    return tokenizer


def load_encoder(base: BaseModel, *, dropout: float | None = None) -> Backbone:
    """Load an encoder in float32 for training or extraction.

    Attention dropout is off: it would keep the fused attention kernel from being used, which costs more in time and
    memory than it gives.

    Args:
        base: The model.
        dropout: Dropout of the hidden states in training; the model's own if None.

    Returns:
        The encoder without a pooler, which no extractor reads.

    Raises:
        EventuneError: If the weights are damaged or the model is no encoder.
    """
    try:
        config = AutoConfig.from_pretrained(base.folder, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise EventuneError(f"{base.folder}: its config.json cannot be read: {first_line(error)}") from error
    for name in ("attention_probs_dropout_prob", "attention_dropout"):
        if hasattr(config, name):
            setattr(config, name, 0.0)
    if dropout is not None:
        for name in ("hidden_dropout_prob", "dropout"):
            if hasattr(config, name):
                setattr(config, name, dropout)
    options = {"add_pooling_layer": False} if _has_pooler(config) else {}
    try:
        with quiet():
            model, report = AutoModel.from_pretrained(
                base.folder,
                config=config,
                dtype=torch.float32,
                use_safetensors=True,
                trust_remote_code=False,
                output_loading_info=True,
                **options,
            )
    except Exception as error:  # safetensors, transformers and torch each raise their own kind for damaged files
        raise EventuneError(f"{base.folder}: the model could not be loaded: {first_line(error)}") from error
    if getattr(config, "is_encoder_decoder", False) or not hasattr(config, "hidden_size"):
        raise EventuneError(f"{base.name}: expected an encoder such as BERT, found {type(model).__name__}")
    tokenizer = load_tokenizer(base)
    new_modules = sorted({key.rpartition(".")[0] for key in report["missing_keys"]})
    return Backbone(base, model, tokenizer, _max_length(config), tuple(new_modules))


def _has_pooler(config: PreTrainedConfig) -> bool:
    from transformers.models.auto.modeling_auto import MODEL_MAPPING

    found = MODEL_MAPPING[type(config)]
    model_class = found[0] if isinstance(found, tuple) else found
    return "add_pooling_layer" in inspect.signature(cast("type", model_class)).parameters


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or its kind where it has none."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _max_length(config: PreTrainedConfig) -> int:
    positions = int(getattr(config, "max_position_embeddings", 512))
    # RoBERTa's positions start behind the padding id.
    if getattr(config, "model_type", "") in {"roberta", "xlm-roberta", "camembert"}:
        positions -= int(getattr(config, "pad_token_id", 1) or 0) + 1
    return positions


@contextmanager
def quiet() -> Iterator[None]:
    """Hold back the loading bars and reports; what is missing from a checkpoint is handled, not printed."""
    verbosity, bars = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]
