"""Causal LMs and their tokenizers, loaded from local files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from transformers import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    MODEL_FOR_MASKED_LM_MAPPING,
    AutoConfig,
    AutoModelForCausalLM,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from eventune.backbones.load import first_line, load_tokenizer, quiet
from eventune.backbones.resolve import BaseModel
from eventune.errors import EventuneError, InvalidValueError

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
"""Types that weights can be loaded in."""
_LENGTHS = ("max_position_embeddings", "max_seq_len", "seq_length")
_UNSTATED_LENGTH = 2048
"""Most positions of a model that has no table of positions and says nothing of those it was trained on."""
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class CausalLM:
    """A pretrained causal LM with what a task needs to know of it.

    Attributes:
        base: Where it comes from.
        model: The model with its output layer, in evaluation mode.
        tokenizer: Its fast tokenizer; one without a padding token pads with the token that ends a text.
        max_length: The most positions it reads and writes at once.
    """

    base: BaseModel
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    max_length: int


def load_causal_lm(base: BaseModel, *, dtype: str = "float32") -> CausalLM:
    """Load a causal LM; its attention is PyTorch's fused one where the architecture has it.

    Args:
        base: The model.
        dtype: Type of the weights: `float32`, `bfloat16` or `float16`.

    Returns:
        The model with all weights from its checkpoint, dropout as its configuration says.

    Raises:
        EventuneError: If the model is no causal LM, its weights are damaged or not all there, or its tokenizer is
            missing or has no token that ends a text.
    """
    if dtype not in DTYPES:
        raise InvalidValueError("dtype", f"one of {', '.join(DTYPES)}", repr(dtype))
    config = _read_config(base)
    # Before the weights, which may take minutes.
    tokenizer = _load_tokenizer(base)
    try:
        with quiet():
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                base.folder,
                config=config,
                dtype=DTYPES[dtype],
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
    return CausalLM(base, model, tokenizer, _max_length(config))


def _read_config(base: BaseModel) -> PreTrainedConfig:
    try:
        with quiet():
            config: PreTrainedConfig = AutoConfig.from_pretrained(base.folder, trust_remote_code=False)
    except Exception as error:  # wrong values raise an error of huggingface_hub's own, whose cause says more
        raise EventuneError(
            f"{base.folder}: its config.json cannot be read: {first_line(error.__cause__ or error)}",
            "an architecture that is newer than the installed transformers needs: pip install --upgrade transformers",
        ) from error
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


def _load_tokenizer(base: BaseModel) -> PreTrainedTokenizerBase:
    tokenizer = load_tokenizer(base, for_words=False)
    if tokenizer.eos_token_id is None:
        raise EventuneError(
            f"{base.folder}: expected a tokenizer with a token that ends a text (eos_token), found none in "
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
