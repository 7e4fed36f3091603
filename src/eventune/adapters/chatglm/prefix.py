"""P-tuning v2 checkpoints of ChatGLM's own scripts as PEFT's prefix tuning.

The published prefix encoder is an embedding of shape (positions, layers · 2 · key heads · head size): for each position
and layer first the keys, then the values. That is how PEFT stores a prefix, too. With a projection the embedding is
narrower, and two linear layers with a tanh between them widen it; what they compute does not depend on the text, so it
is computed once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from eventune.adapters.chatglm.rows import sizes_of_base
from eventune.adapters.checkpoints import read_state
from eventune.adapters.peft_library import PrefixTuningConfig
from eventune.adapters.store import PROMPT, Saved, write_adapter
from eventune.errors import EventuneError

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
    if source.is_file():
        return source
    return next((path for path in (source / name for name in _FILES) if path.is_file()), None)


def convert_prefix(path: Path, folder: Path, *, base: Path) -> ConvertedPrefix:
    """Write a P-tuning v2 checkpoint as an adapter that PEFT and `load_into` read.

    Args:
        path: The checkpoint's weights, `pytorch_model.bin` or safetensors.
        folder: An existing folder.
        base: Folder of the base, published or converted; its sizes are read off it, and the configuration names it.

    Returns:
        What became of it.

    Raises:
        EventuneError: If the file holds no such prefix, or one of another base's sizes.
    """
    sizes = sizes_of_base(base)
    state = read_state(path)
    own = {name.partition(_ENCODER)[2]: tensor for name, tensor in state.items() if _ENCODER in name}
    flat = _flattened(own, path)
    width = 2 * sizes.rows.key_value
    if flat.shape[1] != sizes.layers * width:
        raise EventuneError(
            f"{path}: expected {sizes.layers} layers of {width} numbers at each position, found {flat.shape[1]}",
            "give --base with the folder of the base that the prefix was trained on",
        )
    config = PrefixTuningConfig(
        task_type="CAUSAL_LM",
        base_model_name_or_path=str(base),
        num_virtual_tokens=flat.shape[0],
        token_dim=sizes.rows.key_value,
        num_attention_heads=sizes.key_heads,
        num_layers=sizes.layers,
        inference_mode=True,
    )
    saved = write_adapter(folder, {PROMPT: flat}, config)
    return ConvertedPrefix(saved, flat.shape[0], len(own) > 1)


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
