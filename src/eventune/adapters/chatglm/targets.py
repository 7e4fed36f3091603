"""Targets under the published ChatGLM2's names, on a base that is transformers' own Glm."""

from __future__ import annotations

from collections.abc import Sequence

from eventune.adapters.chatglm.names import LINEAR


def native_targets(wanted: str | Sequence[str], model_type: str) -> str | Sequence[str]:
    """Return targets by the base's own names.

    Args:
        wanted: Names, or one name, a choice or an expression.
        model_type: The base's architecture.

    Returns:
        The same, on a Glm with native names in place of published ones such as `query_key_value`.
    """
    if model_type != "glm":
        return wanted
    if isinstance(wanted, str):
        return LINEAR.get(wanted, wanted)
    return list(dict.fromkeys(new for name in wanted for new in LINEAR.get(name, (name,))))


def targets_notice(wanted: str | Sequence[str], model_type: str) -> str:
    """Return what a user should know of translated targets; empty where none is."""
    names = [wanted] if isinstance(wanted, str) else wanted
    published = [name for name in dict.fromkeys(names) if name in LINEAR] if model_type == "glm" else []
    if not published:
        return ""
    parts = "; ".join(f"{name} is {', '.join(LINEAR[name])}" for name in published)
    return f"lora_target_modules: in transformers' Glm {parts}"
