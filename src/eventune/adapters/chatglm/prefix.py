"""P-tuning v2 checkpoints of ChatGLM's own scripts as PEFT's prefix tuning.

The published prefix encoder is an embedding of shape (positions, layers · 2 · key heads · head size): for each position
and layer first the keys, then the values. That is how PEFT stores a prefix, too. With a projection the embedding is
narrower, and two linear layers with a tanh between them widen it; what they compute does not depend on the text, so it
is computed once.

One thing differs. The published model counts the text's positions from 0, with a prefix too; PEFT and transformers
count the prefix along, so that the text begins at its length N. Keys of a prefix are not rotated in either. What a
query at p sees of the key k is R(p)ᵀ k there and R(p + N)ᵀ k here; with R(N) k in place of k it is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import GlmConfig
from transformers.models.glm.modeling_glm import GlmRotaryEmbedding, apply_rotary_pos_emb

from eventune.adapters.checkpoints import read_state
from eventune.adapters.peft_library import PrefixTuningConfig
from eventune.adapters.store import PROMPT, Saved, write_adapter
from eventune.errors import EventuneError
from eventune.storage.json_files import read_json
from eventune.storage.paths import is_file

_ENCODER = "prefix_encoder."
_PROJECTION = ("trans.0.weight", "trans.0.bias", "trans.2.weight", "trans.2.bias")
_FILES = ("model.safetensors", "pytorch_model.bin")


@dataclass(frozen=True, slots=True)
class ConvertedPrefix:
    """What became of a prefix.

    Attributes:
        saved: What was written.
        positions: Number of learned positions.
        had_projection: Whether a network computed them.
    """

    saved: Saved
    positions: int
    had_projection: bool


def prefix_file(source: Path) -> Path | None:
    """Return the file of weights at a path: the file itself, or the one in a folder; None where there is none."""
    if is_file(source):
        return source
    return next((path for path in (source / name for name in _FILES) if is_file(path)), None)


def convert_prefix(path: Path, folder: Path, *, base: Path) -> ConvertedPrefix:
    """Write a P-tuning v2 checkpoint as an adapter that PEFT and `load_into` read.

    Args:
        path: The checkpoint's weights, `pytorch_model.bin` or safetensors.
        folder: An existing folder.
        base: Folder of the converted base; sizes and rotations are read off it, and the new configuration names it.

    Returns:
        What became of it.

    Raises:
        EventuneError: If the file holds no such prefix, or one of another base's sizes.
    """
    config = _config_of(base)
    state = read_state(path)
    own = {name.partition(_ENCODER)[2]: tensor for name, tensor in state.items() if _ENCODER in name}
    flat = _flattened(own, path)
    layers, heads, size = int(config.num_hidden_layers), int(config.num_key_value_heads or 0), int(config.head_dim or 0)
    if flat.shape[1] != layers * 2 * heads * size:
        raise EventuneError(
            f"{path}: expected keys and values of {layers} layers · {heads} heads · {size}, found {flat.shape[1]}",
            "give --base with the folder of the base that the prefix was trained on",
        )
    settings = PrefixTuningConfig(
        task_type="CAUSAL_LM",
        base_model_name_or_path=str(base),
        num_virtual_tokens=flat.shape[0],
        token_dim=heads * size,
        num_attention_heads=heads,
        num_layers=layers,
        inference_mode=True,
    )
    prefix = _with_rotated_keys(flat.view(-1, layers, 2, heads, size), config)
    saved = write_adapter(folder, {PROMPT: prefix.flatten(1)}, settings)
    return ConvertedPrefix(saved, flat.shape[0], len(own) > 1)


def _config_of(base: Path) -> GlmConfig:
    model_type = read_json(base / "config.json").get("model_type")
    if model_type != "glm":
        hint = f"eventune convert chatglm2 {base} NEW, then --base NEW" if model_type == "chatglm" else ""
        raise EventuneError(f"{base}: expected a converted base (model_type glm), found {model_type!r}", hint)
    return GlmConfig.from_pretrained(base)


def _with_rotated_keys(prefix: Tensor, config: GlmConfig) -> Tensor:
    """Rotate keys by as many positions as the prefix has; *shape* (positions, layers, 2, key heads, head size)."""
    keys, values = prefix.unbind(2)
    at = torch.full((len(prefix), 1), len(prefix))
    cosine, sine = GlmRotaryEmbedding(config)(keys, at)
    # The layers stand where a sequence's places do, all of them at one position.
    by_head = keys.transpose(1, 2)
    rotated, _ = apply_rotary_pos_emb(by_head, by_head, cosine, sine)  # type: ignore[no-untyped-call]
    return torch.stack([rotated.transpose(1, 2), values], dim=2)


def _flattened(own: Mapping[str, Tensor], path: Path) -> Tensor:
    """Return keys and values, *shape* (positions, layers · 2 · key heads · head size)."""
    known = {"embedding.weight", *_PROJECTION}
    if own.keys() not in ({"embedding.weight"}, known):
        found = ", ".join(sorted(own)) or "no tensor of a prefix_encoder"
        raise EventuneError(
            f"{path}: expected prefix_encoder.embedding.weight, alone or with {', '.join(_PROJECTION)}; found {found}",
            "give the folder that the P-tuning script wrote, e.g. checkpoint-3000",
        )
    embedded = own["embedding.weight"].float()
    if len(own) == 1:
        return embedded
    first, first_bias, second, second_bias = (own[name].float() for name in _PROJECTION)
    with torch.inference_mode():
        hidden = torch.tanh(nn.functional.linear(embedded, first, first_bias))
        return nn.functional.linear(hidden, second, second_bias)
