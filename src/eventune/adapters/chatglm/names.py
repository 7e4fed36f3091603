"""What the published ChatGLM2 and transformers' GlmForCausalLM call the same modules."""

from __future__ import annotations

import re
from collections.abc import Iterable

from eventune.errors import EventuneError, did_you_mean

FUSED = "query_key_value"
"""The published layer that computes queries, keys and values at once, in this order of rows."""
PARTS = ("q_proj", "k_proj", "v_proj")
"""What stands in its place."""
_BLOCK: dict[str, tuple[str, ...]] = {
    f"self_attention.{FUSED}": tuple(f"self_attn.{part}" for part in PARTS),
    "self_attention.dense": ("self_attn.o_proj",),
    "mlp.dense_h_to_4h": ("mlp.gate_up_proj",),
    "mlp.dense_4h_to_h": ("mlp.down_proj",),
    "input_layernorm": ("input_layernorm",),
    "post_attention_layernorm": ("post_attention_layernorm",),
}
_OUTSIDE: dict[str, tuple[str, ...]] = {
    "transformer.embedding.word_embeddings": ("model.embed_tokens",),
    "transformer.encoder.final_layernorm": ("model.norm",),
    "transformer.output_layer": ("lm_head",),
}
_MODELS = ("the published ChatGLM2", "GlmForCausalLM")
_LAYERS = ("transformer.encoder.layers", "model.layers")


def leaf_of(module: str) -> str:
    """Return the last part of a module's name."""
    return module.rpartition(".")[2]


def _reversed(table: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {native: (published,) for published, natives in table.items() for native in natives}


_LEAVES: dict[str, tuple[str, ...]] = {
    leaf_of(old): tuple(map(leaf_of, news)) for old, news in {**_BLOCK, **_OUTSIDE}.items()
}
# The way there, and the way back.
_BLOCKS = (_BLOCK, _reversed(_BLOCK))
_OUTSIDES = (_OUTSIDE, _reversed(_OUTSIDE))
_ALL_LEAVES = (_LEAVES, _reversed(_LEAVES))

LINEAR = {leaf_of(old): tuple(map(leaf_of, news)) for old, news in _BLOCK.items() if "." in old}
"""The published names of the blocks' linear layers, and the native ones."""


def translated(module: str, *, back: bool) -> tuple[str, ...]:
    """Return a module's whole names in the other model.

    Args:
        module: Its whole name, e.g. `transformer.encoder.layers.0.self_attention.query_key_value`.
        back: Whether it is a native one's, to be translated to the published one.

    Returns:
        The names: three for the fused layer, else one.

    Raises:
        EventuneError: If the model has no such module.
    """
    if module in _OUTSIDES[back]:
        return _OUTSIDES[back][module]
    match = re.fullmatch(rf"{re.escape(_LAYERS[back])}\.(\d+)\.(.+)", module)
    if match is None or match[2] not in _BLOCKS[back]:
        known = [*_OUTSIDES[back], *(f"{_LAYERS[back]}.0.{name}" for name in _BLOCKS[back])]
        hint = did_you_mean(module, known) or f"its names are like {known[-1]}"
        if module.startswith(_LAYERS[not back]):
            hint = f"it is one of {_MODELS[not back]}: {'leave --back out' if back else 'give --back'}"
        raise EventuneError(f"{module!r} is no module of {_MODELS[back]}", hint)
    return tuple(f"{_LAYERS[not back]}.{match[1]}.{name}" for name in _BLOCKS[back][match[2]])


def translated_leaves(names: Iterable[str], *, back: bool, setting: str) -> list[str]:
    """Return the last parts of modules' names in the other model, each once.

    Args:
        names: Last parts of names, such as `query_key_value`, or `q_proj` on the way back.
        back: Whether they are native ones.
        setting: Where they stand, for the error.

    Raises:
        EventuneError: If the model has no such module.
    """
    leaves = _ALL_LEAVES[back]
    for name in names:
        if name not in leaves:
            hint = did_you_mean(name, leaves) or f"known: {', '.join(leaves)}"
            raise EventuneError(f"{setting}: {name!r} is no module of {_MODELS[back]}", hint)
    return list(dict.fromkeys(new for name in names for new in leaves[name]))
