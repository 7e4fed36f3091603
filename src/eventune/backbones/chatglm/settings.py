"""ChatGLM2's `config.json` and that of transformers' Glm, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transformers import GlmConfig

from eventune.errors import EventuneError, did_you_mean

RENAMED = {
    "padded_vocab_size": "vocab_size",
    "num_layers": "num_hidden_layers",
    "ffn_hidden_size": "intermediate_size",
    "kv_channels": "head_dim",
    "multi_query_group_num": "num_key_value_heads",
    "layernorm_epsilon": "rms_norm_eps",
    "seq_length": "max_position_embeddings",
    "hidden_size": "hidden_size",
    "num_attention_heads": "num_attention_heads",
}
"""ChatGLM2's name and Glm's of what every configuration states."""
DEFAULTS = {
    "add_qkv_bias": ("attention_bias", False),
    "attention_dropout": ("attention_dropout", 0.0),
    "use_cache": ("use_cache", True),
}
"""Glm's name, and what the published code takes where a configuration is silent."""
FIXED: Mapping[str, tuple[bool, bool]] = {
    "rmsnorm": (True, True),
    "post_layer_norm": (True, True),
    "multi_query_attention": (True, False),
    "add_bias_linear": (False, False),
    "apply_residual_connection_post_layernorm": (False, False),
    "fp32_residual_connection": (False, False),
    "tie_word_embeddings": (False, False),
    "interleaved_qkv": (False, False),
    "prefix_projection": (False, False),
}
"""The one value that Glm computes with, and what the published code takes where a configuration is silent."""
NUMBERS = ("hidden_dropout", "quantization_bit", "pre_seq_len")
"""Zero or absent in what Glm computes."""
NO_EFFECT = {
    "original_rope": True,
    "apply_query_key_layer_scaling": True,
    "attention_softmax_in_fp32": True,
    "bias_dropout_fusion": True,
}
"""What changes how the published code computes and not what, with the value that the 6B checkpoint has."""
ABOUT = (
    *("_name_or_path", "_attn_implementation", "architectures", "auto_map", "classifier_dropout", "dtype"),
    *("model_type", "num_hidden_layers", "problem_type", "rope_theta", "torch_dtype", "transformers_version"),
    *("vocab_size", "bos_token_id", "eos_token_id", "pad_token_id", "rope_ratio", "return_dict"),
)
"""What is read by name, or says nothing about the computation."""
THETA = 10_000.0
GLM4_VOCABULARY = 151_552
_HINTS = {
    "quantization_bit": "dequantise it first: load the published float16 checkpoint, or one that was not quantised",
    "pre_seq_len": "this is a base with a prefix (P-tuning v2); convert the base without it",
    "rope_ratio": "ChatGLM2-32k divides positions by it, ChatGLM3-32k multiplies the base: these are not converted",
}


def native_settings(settings: Mapping[str, Any], *, source: str) -> dict[str, Any]:
    """Return Glm's settings for a configuration of ChatGLM2, ChatGLM3 or GLM-4-9B.

    Args:
        settings: The content of `config.json`.
        source: What an error message calls it.

    Returns:
        Keyword arguments of `GlmConfig`; nothing is left to its defaults, which are another vocabulary's, but the type
        of the weights, which these tell themselves.

    Raises:
        EventuneError: With every setting that is missing, unknown, or asks for what Glm does not compute.
    """
    if "position_encoding_2d" in settings or "inner_hidden_size" in settings:
        raise EventuneError(
            f"{source}: expected ChatGLM2 or a later one, found the first ChatGLM-6B, whose architecture is another",
            "choose THUDM/chatglm2-6b",
        )
    problems = [*_problems(settings)]
    if problems:
        hint = next((text for name, text in _HINTS.items() if any(line.startswith(name) for line in problems)), "")
        raise EventuneError(f"{source}: {'; '.join(problems)}", hint)
    values = {name: settings[own] for own, name in RENAMED.items()}
    values |= {name: settings.get(own, default) for own, (name, default) in DEFAULTS.items()}
    rope = {"rope_type": "default", "rope_theta": THETA * _rope_ratio(settings), "partial_rotary_factor": 0.5}
    return values | {
        "hidden_act": "silu",
        "rope_parameters": rope,
        "tie_word_embeddings": False,
        "eos_token_id": _or(settings.get("eos_token_id"), 2),
        "pad_token_id": _or(settings.get("pad_token_id"), 0),
        "bos_token_id": settings.get("bos_token_id"),
        "architectures": ["GlmForCausalLM"],
    }


def published_settings(config: GlmConfig) -> dict[str, Any]:
    """Return ChatGLM2's settings for a Glm.

    Args:
        config: The configuration, e.g. of a folder that was converted.

    Returns:
        What `native_settings` makes the same configuration of. `auto_map` is not in it: it names files of code.

    Raises:
        EventuneError: If the model computes what ChatGLM2 does not.
    """
    rope = dict(config.rope_parameters or {})
    ratio = float(rope.get("rope_theta", THETA)) / THETA
    expected: dict[str, tuple[Any, Any]] = {
        "rope_type": (rope.get("rope_type", "default"), "default"),
        "partial_rotary_factor": (rope.get("partial_rotary_factor", 0.5), 0.5),
        "hidden_act": (config.hidden_act, "silu"),
        "tie_word_embeddings": (config.tie_word_embeddings, False),
    }
    problems = [
        f"{name}: expected {right!r}, found {found!r}" for name, (found, right) in expected.items() if found != right
    ]
    if ratio != 1.0 and config.vocab_size != GLM4_VOCABULARY:
        problems.append(f"rope_theta: expected {THETA}, found {THETA * ratio}")
    if problems:
        raise EventuneError(f"expected a Glm that ChatGLM2 computes too, found: {'; '.join(problems)}")
    values = {own: getattr(config, name) for own, name in RENAMED.items()}
    values |= {own: getattr(config, name) for own, (name, _) in DEFAULTS.items()}
    values |= {own: right for own, (right, _) in FIXED.items() if own not in {"interleaved_qkv", "prefix_projection"}}
    values |= {"hidden_dropout": 0.0, **NO_EFFECT}
    if ratio != 1.0:
        values["rope_ratio"] = ratio
    if config.bos_token_id is not None:
        values["bos_token_id"] = config.bos_token_id
    return values | {
        "model_type": "chatglm",
        "architectures": ["ChatGLMModel"],
        "eos_token_id": config.eos_token_id,
        "pad_token_id": config.pad_token_id,
    }


def _problems(settings: Mapping[str, Any]) -> list[str]:
    known = {*RENAMED, *DEFAULTS, *FIXED, *NUMBERS, *NO_EFFECT, *ABOUT}
    problems = []
    for name in settings:
        if name not in known:
            hint = did_you_mean(name, known)
            problems.append(
                f"{name}: an unknown setting, which may change what is computed{f' ({hint})' if hint else ''}"
            )
    problems += _ill_typed(settings)
    for name, (right, silent) in FIXED.items():
        if (found := settings.get(name, silent)) is not right:
            problems.append(f"{name}: expected {str(right).lower()}, found {found!r}")
    problems += [f"{name}: expected none, found {settings[name]!r}" for name in NUMBERS if settings.get(name)]
    ratio, vocabulary = _rope_ratio(settings), settings.get("padded_vocab_size")
    if ratio != 1.0 and vocabulary != GLM4_VOCABULARY:
        problems.append(f"rope_ratio: expected 1 in a vocabulary other than GLM-4's, found {settings['rope_ratio']!r}")
    for name, alias in (("vocab_size", "padded_vocab_size"), ("num_hidden_layers", "num_layers")):
        if name in settings and settings[name] != settings.get(alias):
            problems.append(f"{name}: expected {alias}'s {settings.get(alias)!r}, found {settings[name]!r}")
    return problems


def _ill_typed(settings: Mapping[str, Any]) -> list[str]:
    problems = []
    for name in RENAMED:
        value = settings.get(name)
        kinds, expected = (int | float, "a number") if name == "layernorm_epsilon" else (int, "an integer")
        if not isinstance(value, kinds) or isinstance(value, bool) or value <= 0:
            problems.append(f"{name}: expected {expected} > 0, found {'nothing' if value is None else repr(value)}")
    for name in ("add_qkv_bias", "use_cache"):
        if not isinstance(settings.get(name, False), bool):
            problems.append(f"{name}: expected true or false, found {settings[name]!r}")
    for name in ("attention_dropout", "rope_ratio"):
        if not isinstance(settings.get(name) or 0.0, int | float):
            problems.append(f"{name}: expected a number, found {settings[name]!r}")
    for name in ("eos_token_id", "pad_token_id", "bos_token_id"):
        value = settings.get(name)
        ids = value if isinstance(value, list) and name == "eos_token_id" else [value or 0]
        if not all(type(index) is int and index >= 0 for index in ids):
            problems.append(f"{name}: expected the number of a token, found {value!r}")
    return problems


def _or(value: Any, silent: int) -> Any:
    return silent if value is None else value


def _rope_ratio(settings: Mapping[str, Any]) -> float:
    ratio = settings.get("rope_ratio") or 1.0
    return float(ratio) if isinstance(ratio, int | float) else 1.0
