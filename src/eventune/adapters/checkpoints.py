"""Adapters out of checkpoints that hold a whole model's state, as `torch.save(model.state_dict(), …)` writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from eventune.adapters.injection import as_pattern
from eventune.adapters.peft_library import LoraConfig
from eventune.adapters.store import PEFT_PREFIX, Saved, write_adapter
from eventune.adapters.weight_files import read_weights
from eventune.errors import EventuneError, did_you_mean, first_line

_WRAPPERS = re.compile(r"(^|\.)(module|_orig_mod)(?=\.)")
_LORA = re.compile(
    r"^(?P<module>.+)\.(?P<part>lora_[AB]|lora_embedding_[AB]|lora_magnitude_vector)"
    r"(\.(?P<adapter>(?!weight$)[\w-]+))?(?P<rest>\.weight)?$"
)


def read_state(path: Path) -> dict[str, Tensor]:
    """Read a model's state from a file of `torch.save` or safetensors; nothing in it is executed.

    Args:
        path: The file: `.pkl`, `.pt`, `.bin`, `.safetensors` …

    Returns:
        Tensors by name, without the names of wrappers such as `module.`.

    Raises:
        EventuneError: If the file is missing, or holds anything but tensors and plain containers.
    """
    if path.suffix == ".safetensors":
        state: Any = read_weights(path)
    elif not path.is_file():
        raise EventuneError(f"{path}: no such file")
    else:
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # the unpickler raises whatever a damaged or unsafe file makes it
            reason = first_line(error)
            raise EventuneError(
                f"{path}: expected weights alone, as torch.save(model.state_dict(), …) writes them, found: {reason}",
                "a whole model that was saved cannot be read without running its code; save its state_dict()",
            ) from error
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict) or not state or not all(isinstance(tensor, Tensor) for tensor in state.values()):
        raise EventuneError(f"{path}: expected tensors by name, found {type(state).__name__}")
    return {_WRAPPERS.sub("", name).lstrip("."): tensor for name, tensor in state.items()}


def save_adapter_of(
    state: Mapping[str, Tensor], folder: Path, *, lora_alpha: int, heads: tuple[str, ...] = (), base_name: str = ""
) -> Saved:
    """Write the adapter and the heads that a whole model's state holds as a folder that PEFT reads.

    Args:
        state: What `read_state` read, of a model with LoRA.
        folder: An existing folder.
        lora_alpha: The scale that the model was trained with; no state tells it.
        heads: Names of the heads. By default every module beside the one that has the adapters: a state does not tell
            what of it was new.
        base_name: What the adapter's configuration calls the base.

    Returns:
        What was written.

    Raises:
        EventuneError: If there is no adapter in it, adapters of several ranks or kinds that one file cannot hold, or no
            such head.
    """
    plain = {name.removeprefix(PEFT_PREFIX): tensor for name, tensor in state.items()}
    lora = {name: match for name in plain if (match := _LORA.match(name))}
    modules = list(dict.fromkeys(match["module"] for match in lora.values()))
    if not modules:
        raise EventuneError(
            f"expected a LoRA adapter among {len(plain)} tensors, found none",
            "a model that was trained in full has nothing to extract",
        )
    adapters = {match["adapter"] for match in lora.values()} - {None}
    if len(adapters) > 1:
        raise EventuneError(f"expected one adapter, found {', '.join(sorted(adapters))}", "save the state with one")
    adapter = next(iter(adapters), "default")
    plain = {name.replace(f".modules_to_save.{adapter}", ""): tensor for name, tensor in plain.items()}
    _require_pairs(lora, modules)
    found = _heads_of(plain, modules, heads)
    weights = {f"{PEFT_PREFIX}{match['module']}.{_saved_part(match)}": plain[name] for name, match in lora.items()}
    for name, tensor in plain.items():
        if ".original_module." not in name and name.startswith(tuple(f"{head}." for head in found)):
            weights[f"{PEFT_PREFIX}{name}"] = tensor
    first = {"lora_A", "lora_embedding_A"}
    ranks = {m["module"]: plain[name].shape[0] for name, m in lora.items() if m["part"] in first}
    r = max(ranks.values(), key=list(ranks.values()).count)
    config = LoraConfig(
        task_type=None,
        base_model_name_or_path=base_name,
        r=r,
        lora_alpha=lora_alpha,
        rank_pattern={re.escape(module): rank for module, rank in ranks.items() if rank != r},
        target_modules=as_pattern(modules),
        modules_to_save=list(found),
        use_dora=any(match["part"] == "lora_magnitude_vector" for match in lora.values()),
        inference_mode=True,
    )
    return write_adapter(folder, weights, config)


def _require_pairs(lora: Mapping[str, re.Match[str]], modules: list[str]) -> None:
    for module in modules:
        parts = {match["part"] for match in lora.values() if match["module"] == module}
        if not ({"lora_A", "lora_B"} <= parts or {"lora_embedding_A", "lora_embedding_B"} <= parts):
            raise EventuneError(f"{module}: expected both A and B of its adapter, found {', '.join(sorted(parts))}")


def _saved_part(match: re.Match[str]) -> str:
    """Return what PEFT's file calls a part of an adapter."""
    rest = "" if match["part"] == "lora_magnitude_vector" else match["rest"] or ""
    return f"{match['part']}{rest}"


def _heads_of(plain: Mapping[str, Tensor], modules: list[str], wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Return the heads' names: those asked for, or every top-level module without an adapter."""
    names = [name.replace(".original_module", "") for name in plain]
    if wanted:
        for head in wanted:
            if not any(name.startswith(f"{head}.") for name in names):
                tops = sorted({name.partition(".")[0] for name in names})
                raise EventuneError(
                    f"heads: {head!r} is none of the state's modules", did_you_mean(head, tops) or ", ".join(tops)
                )
        return wanted
    adapted = {module.partition(".")[0] for module in modules}
    return tuple(dict.fromkeys(top for name in names if (top := name.partition(".")[0]) not in adapted))
