"""Encoders and their tokenizers, loaded from local files."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import cast

import torch
from transformers import (
    AutoModel,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from eventune.backbones.backbone import Backbone
from eventune.backbones.configuration import read_config, require_weights_for
from eventune.backbones.quiet import quiet
from eventune.backbones.resolve import BaseModel
from eventune.errors import EventuneError, first_line

VOCABULARIES = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
)
"""Files that a fast tokenizer can be made of."""
HIDDEN_DROPOUT = ("hidden_dropout_prob", "dropout", "embedding_dropout", "mlp_dropout")
"""What configurations call the dropout of hidden states; the last two are ModernBERT's."""


def load_tokenizer(folder: Path, *, for_words: bool = True) -> PreTrainedTokenizerBase:
    """Load a model's fast tokenizer.

    Args:
        folder: The model's folder, or a run's.
        for_words: Whether it gets words, each of which needs a space before it where the model was trained so; whole
            texts otherwise, which are read as the tokenizer's own configuration says.

    Returns:
        The tokenizer.

    Raises:
        EventuneError: If the folder holds no tokenizer.
    """
    # Without its vocabulary transformers would make an empty tokenizer and say nothing.
    if not any((folder / name).is_file() for name in VOCABULARIES):
        raise EventuneError(
            f"{folder}: expected a tokenizer, found none of {', '.join(VOCABULARIES)}",
            "copy the whole folder anew",
        )
    options = {"add_prefix_space": True} if for_words else {}
    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=True, trust_remote_code=False, **options)
    except Exception as error:  # the tokenizers library raises a bare Exception for a damaged file
        raise EventuneError(f"{folder}: no tokenizer could be loaded: {first_line(error)}") from error
    return tokenizer


def require_known_tokens(backbone: Backbone, folder: Path) -> Backbone:
    """Refuse a tokenizer with tokens that the model has no embedding of: it may be another model's.

    Args:
        backbone: The model, with the tokenizer.
        folder: Where the tokenizer came from.

    Returns:
        The backbone.

    Raises:
        EventuneError: If there is such a token.
    """
    known = len(cast("torch.Tensor", backbone.model.get_input_embeddings().weight))
    highest = max(backbone.tokenizer.get_vocab().values(), default=0)
    if highest >= known:
        raise EventuneError(
            f"{folder}: expected a tokenizer of {backbone.base.name}, whose tokens have numbers below {known}; found "
            f"the token {highest}",
            "copy the whole folder anew; tokenizer_config.json may only name tokens that the model has",
        )
    return backbone


def load_encoder(
    base: BaseModel, *, dropout: float | None = None, dtype: str = "float32", tokenizer_folder: Path | None = None
) -> Backbone:
    """Load an encoder for training or extraction.

    Attention dropout is off: it would keep the fused attention kernel from being used, which costs more in time and
    memory than it gives.

    Args:
        base: The model.
        dropout: Dropout of the hidden states in training; the model's own if None.
        dtype: Type of the weights: `float32`, `bfloat16` or `float16`.
        tokenizer_folder: Where its tokenizer is, if not beside its weights.

    Returns:
        The encoder without a pooler, which no extractor reads.

    Raises:
        EventuneError: If the weights are damaged or the model is no encoder.
    """
    config = read_config(base.folder)
    # Before the weights: what is no model of texts may want other things to be loaded with it.
    if getattr(config, "is_encoder_decoder", False) or not hasattr(config, "hidden_size"):
        raise EventuneError(f"{base.name}: expected an encoder such as BERT, found {config.model_type}")
    require_weights_for(AutoModel, config, base.folder)
    for name in ("attention_probs_dropout_prob", "attention_dropout"):
        if hasattr(config, name):
            setattr(config, name, 0.0)
    if dropout is not None:
        for name in dropout_names(config):
            setattr(config, name, dropout)
    options = {"add_pooling_layer": False} if _has_pooler(config) else {}
    try:
        with quiet():
            model, report = AutoModel.from_pretrained(
                base.folder,
                config=config,
                dtype=getattr(torch, dtype),
                use_safetensors=True,
                trust_remote_code=False,
                output_loading_info=True,
                **options,
            )
    except Exception as error:  # safetensors, transformers and torch each raise their own kind for damaged files
        raise EventuneError(f"{base.folder}: the model could not be loaded: {first_line(error)}") from error
    folder = tokenizer_folder or base.folder
    new_modules = sorted({key.rpartition(".")[0] for key in report["missing_keys"]})
    backbone = Backbone(base, model, load_tokenizer(folder), _max_length(model), tuple(new_modules))
    return require_known_tokens(backbone, folder)


def dropout_names(config: PreTrainedConfig) -> list[str]:
    """Return what a configuration calls the dropout of hidden states; nothing where it has none of the known names."""
    return [name for name in HIDDEN_DROPOUT if hasattr(config, name)]


def _has_pooler(config: PreTrainedConfig) -> bool:
    from transformers.models.auto.modeling_auto import MODEL_MAPPING

    found = MODEL_MAPPING[type(config)]
    model_class = found[0] if isinstance(found, tuple) else found
    return "add_pooling_layer" in inspect.signature(cast("type", model_class)).parameters


def _max_length(model: PreTrainedModel) -> int:
    positions = int(getattr(model.config, "max_position_embeddings", 512))
    for name, module in model.named_modules():
        padding = getattr(module, "padding_idx", None)
        if name.rpartition(".")[2] == "position_embeddings" and padding is not None:
            # As in RoBERTa, positions start behind the padding's.
            return positions - int(padding) - 1
    return positions
