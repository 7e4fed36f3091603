"""Causal LMs and their tokenizers, loaded from local files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    MODEL_FOR_MASKED_LM_MAPPING,
    AutoModelForCausalLM,
    PreTrainedConfig,
    PreTrainedTokenizerBase,
)

from eventune.backbones.arguments import DTYPES
from eventune.backbones.backbone import Backbone
from eventune.backbones.configuration import read_config, require_weights_for
from eventune.backbones.load import load_tokenizer, require_known_tokens
from eventune.backbones.quiet import quiet
from eventune.backbones.resolve import BaseModel
from eventune.errors import EventuneError, InvalidValueError, first_line

_LENGTHS = ("max_position_embeddings", "max_seq_len", "seq_length")
_UNSTATED_LENGTH = 2048
"""Most positions of a model that has no table of positions and says nothing of those it was trained on."""
_MOST_NAMED = 5


def load_causal_lm(base: BaseModel, *, dtype: str = "float32", tokenizer_folder: Path | None = None) -> Backbone:
    """Load a causal LM; its attention is PyTorch's fused one where the architecture has it.

    Args:
        base: The model.
        dtype: Type of the weights: `float32`, `bfloat16` or `float16`.
        tokenizer_folder: Where its tokenizer is, if not beside its weights.

    Returns:
        The model with all weights from its checkpoint, in evaluation mode, dropout as its configuration says.

    Raises:
        EventuneError: If the model is no causal LM, its weights are damaged or not all there, or its tokenizer is
            missing or has no token that ends a text.
    """
    if dtype not in DTYPES:
        raise InvalidValueError("dtype", f"one of {', '.join(DTYPES)}", repr(dtype))
    config = _read_config(base)
    require_weights_for(AutoModelForCausalLM, config, base.folder)
    # Before the weights, which may take minutes.
    tokenizer = load_causal_tokenizer(tokenizer_folder or base.folder)
    try:
        with quiet():
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                base.folder,
                config=config,
                dtype=getattr(torch, dtype),
                use_safetensors=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
    except Exception as error:  # safetensors, transformers and torch each raise their own kind for damaged files
        raise EventuneError(f"{base.folder}: the model could not be loaded: {first_line(error)}") from error
    model, report = loaded
    if missing := sorted(report["missing_keys"]):
        more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
        raise EventuneError(
            f"{base.folder}: expected all weights of a {type(model).__name__}, found no "
            f"{', '.join(missing[:_MOST_NAMED])}{more}",
            "copy the whole folder anew, or choose a checkpoint that has its output layer",
        )
    return require_known_tokens(Backbone(base, model, tokenizer, _max_length(config)), tokenizer_folder or base.folder)


def _read_config(base: BaseModel) -> PreTrainedConfig:
    config = read_config(base.folder)
    # Encoders such as BERT have a causal class as well, for checkpoints that were trained as decoders.
    is_encoder = type(config) in MODEL_FOR_MASKED_LM_MAPPING and not getattr(config, "is_decoder", False)
    is_both = getattr(config, "is_encoder_decoder", False)
    if is_encoder or is_both or type(config) not in MODEL_FOR_CAUSAL_LM_MAPPING:
        kind = "an encoder with a decoder" if is_both else "an encoder" if is_encoder else "an architecture without one"
        raise EventuneError(
            f"{base.name}: expected a causal LM such as Llama or Qwen, found {kind}: {config.model_type}",
            "choose a model that generates text, e.g. smollm2",
        )
    return config


def load_causal_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """Load a causal LM's fast tokenizer; one without a padding token pads with the token that ends a text.

    Args:
        folder: The model's folder, or a run's.

    Raises:
        EventuneError: If the folder holds no tokenizer, or one without a token that ends a text.
    """
    tokenizer = load_tokenizer(folder, for_words=False)
    if tokenizer.eos_token_id is None:
        raise EventuneError(
            f"{folder}: expected a tokenizer with a token that ends a text (eos_token), found none in "
            f"{type(tokenizer).__name__}",
            'name the token in tokenizer_config.json: "eos_token": "…"',
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _max_length(config: PreTrainedConfig) -> int:
    text = config.get_text_config(decoder=True)
    stated = (getattr(text, name, None) for name in _LENGTHS)
    return next((int(length) for length in stated if length), _UNSTATED_LENGTH)
