"""Whether vLLM can serve an adapter as it is, by the rules of vLLM's own check (its `lora/peft_helper.py`)."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from safetensors import SafetensorError, safe_open

from eventune.adapters.configuration import LoraFields, read_adapter_fields
from eventune.adapters.methods import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from eventune.adapters.store import PEFT_PREFIX
from eventune.errors import EventuneError
from eventune.storage.paths import check_is_file, is_file

RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""What `--max-lora-rank` may be."""
_TEMPLATE = "chat_template.jinja"
DEFAULT_RANK = 16
"""What it is where nothing is said."""


def problems_in_vllm(folder: Path) -> list[str]:
    """Return what keeps vLLM from serving an adapter, or from serving it as it was trained.

    Args:
        folder: A run, or any folder with a PEFT adapter.

    Returns:
        One sentence for each; none for an adapter that can be served.

    Raises:
        EventuneError: If there is no adapter, or its files are damaged.
    """
    if not is_file(folder / ADAPTER_CONFIG):
        raise EventuneError(
            f"{folder}: expected an adapter, found no {ADAPTER_CONFIG}",
            "vLLM serves a model that was trained in full, or merged, by its folder",
        )
    return list(_problems(folder))


def _problems(folder: Path) -> Iterator[str]:
    fields = read_adapter_fields(folder)
    if not isinstance(fields, LoraFields):
        yield f"expected LoRA, found {fields.peft_type}: vLLM serves no other adapter"
        return
    if fields.use_dora:
        yield "use_dora: vLLM has no DoRA"
    if fields.bias != "none":
        yield f"bias: expected none, found {fields.bias}"
    if fields.modules_to_save:
        yield f"modules_to_save: expected none, found {', '.join(fields.modules_to_save)}"
    for name in ("rank_pattern", "alpha_pattern"):
        if getattr(fields, name):
            yield f"{name}: vLLM scales every layer by lora_alpha / r and would not read it"
    if fields.r > RANKS[-1]:
        yield f"r: expected an integer from 1 to {RANKS[-1]}, found {fields.r}"
    foreign = [name for name in _tensors(folder) if not _is_lora(name)]
    if foreign:
        yield f"{ADAPTER_WEIGHTS}: expected lora_A and lora_B of linear layers alone, found {foreign[0]}"


def _tensors(folder: Path) -> list[str]:
    check_is_file(folder / ADAPTER_WEIGHTS)
    try:
        with safe_open(folder / ADAPTER_WEIGHTS, framework="pt") as file:
            return list(file.keys())
    except (OSError, SafetensorError) as error:
        raise EventuneError(f"{folder / ADAPTER_WEIGHTS}: cannot be read: {error}", "copy the run anew") from None


def _is_lora(name: str) -> bool:
    return name.startswith(PEFT_PREFIX) and name.endswith((".lora_A.weight", ".lora_B.weight"))


def vllm_command(folder: Path, *, base: str = "") -> str:
    """Return the command, ready for a shell, that serves an adapter on its base.

    Args:
        folder: A run whose adapter `problems_in_vllm` finds nothing wrong with.
        base: Folder or hub id of the base; what the adapter calls it by default.
    """
    fields = read_adapter_fields(folder)
    rank = next(rank for rank in RANKS if rank >= getattr(fields, "r", 1))
    words = ["vllm", "serve", base or fields.base_model_name_or_path or "BASE", "--enable-lora"]
    if rank > DEFAULT_RANK:
        words += ["--max-lora-rank", str(rank)]
    if (folder / _TEMPLATE).is_file():
        words += ["--chat-template", str(folder / _TEMPLATE)]
    return shlex.join([*words, "--lora-modules", f"arguments={folder}"])
