"""A folder with a LoRA adapter for the published ChatGLM2 to one for GlmForCausalLM, and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from eventune.adapters.chatglm.layers import A, B, Layer, join, split
from eventune.adapters.chatglm.names import FUSED, PARTS, leaf_of, translated, translated_leaves
from eventune.adapters.chatglm.reading import CARRIED, LoraFiles, read_lora
from eventune.adapters.chatglm.rows import Rows, rows_of_adapter, rows_of_base
from eventune.adapters.injection import as_pattern
from eventune.adapters.peft_library import LoraConfig
from eventune.adapters.store import PEFT_PREFIX, Saved, write_adapter
from eventune.errors import EventuneError
from eventune.storage.paths import expanded, is_folder


@dataclass(frozen=True, slots=True)
class ConvertedLora:
    """What became of an adapter.

    Attributes:
        saved: What was written.
        rank: The highest rank of its layers before.
        new_rank: The highest rank of its layers now.
        notices: What a user should know.
    """

    saved: Saved
    rank: int
    new_rank: int
    notices: tuple[str, ...]


def convert_lora(source: Path, folder: Path, *, back: bool = False, base: str = "") -> ConvertedLora:
    """Write a LoRA adapter for the other model, which computes the same with it.

    Args:
        source: Folder of a PEFT adapter: `adapter_config.json` with `adapter_model.safetensors` or `.bin`.
        folder: An existing folder.
        back: Whether it is one for GlmForCausalLM.
        base: What the new configuration calls the base. Where it is a folder, the sizes of heads are read off it.

    Returns:
        What became of it.

    Raises:
        EventuneError: If a setting, module or weight is none that can be converted; it is named.
    """
    files = read_lora(source)
    base_folder = expanded(base)
    rows = rows_of_base(base_folder) if base and is_folder(base_folder) else None
    conversion = _Conversion(files, back=back, rows=rows)
    conversion.convert()
    weights = dict(conversion.saved)
    for module, layer in conversion.layers.items():
        weights |= {f"{module}.{key}": tensor for key, tensor in layer.tensors.items()}
    config = LoraConfig(**conversion.settings(base))
    saved = write_adapter(folder, {f"{PEFT_PREFIX}{name}": tensor for name, tensor in weights.items()}, config)
    rank, new_rank = (max(layer.rank for layer in layers.values()) for layers in (files.layers, conversion.layers))
    return ConvertedLora(saved, rank, new_rank, tuple(conversion.notices(base)))


class _Conversion:
    """One adapter on its way to the other model.

    Attributes:
        layers: The adapted layers of the other model, by module.
        saved: What else is saved of it.
    """

    def __init__(self, files: LoraFiles, *, back: bool, rows: Rows | None) -> None:
        self.old, self.back, self.rows = files, back, rows
        self.layers: dict[str, Layer] = {}
        self.saved: dict[str, Tensor] = {}

    def convert(self) -> None:
        """Translate layers and whole modules."""
        for module, together in self._by_target(self.old.layers).items():
            if self.back and leaf_of(module) == FUSED:
                parts = {leaf_of(name): self.old.layers[name] for name in together}
                rows = self._rows_of_parts(parts)
                self.layers[module] = join(parts, rows, module, use_rslora=self.old.use_rslora)
                continue
            (name,) = together
            layer = self.old.layers[name]
            targets = translated(name, back=self.back)
            pieces = split(layer, self._rows_of_fused(layer), name) if len(targets) > 1 else [layer]
            self.layers |= zip(targets, pieces, strict=True)
        for name, tensor in self.old.saved.items():
            self._convert_saved(name, tensor)

    def _by_target(self, modules: Iterable[str]) -> dict[str, list[str]]:
        """Return the old modules by the first new one that they become, or become a part of."""
        found: dict[str, list[str]] = {}
        for module in modules:
            found.setdefault(translated(module, back=self.back)[0], []).append(module)
        return found

    def _convert_saved(self, name: str, tensor: Tensor) -> None:
        path, _, parameter = name.rpartition(".")
        module = path.removesuffix(".base_layer")
        targets = translated(module, back=self.back)
        if self.back and leaf_of(targets[0]) == FUSED:
            pieces = [self._joined(name, module)]
        else:
            pieces = self._required_rows().split(tensor, name) if len(targets) > 1 else [tensor]
        for target, piece in zip(targets, pieces, strict=True):
            # What PEFT of today calls the bias of a layer under an adapter.
            inside = ".base_layer" if target in self.layers else ""
            self.saved[f"{target}{inside}.{parameter}"] = piece

    def _joined(self, name: str, module: str) -> Tensor:
        owner = module.rpartition(".")[0]
        names = [name.replace(f"{module}.", f"{owner}.{part}.", 1) for part in PARTS]
        missing = [part for part in names if part not in self.old.saved]
        if missing:
            raise EventuneError(
                f"{name} is saved in full, {missing[0]} is not: the fused layer has one tensor for both",
                "merge the adapter into its base, and convert the base back",
            )
        return torch.cat([self.old.saved[part] for part in names])

    def _rows_of_fused(self, layer: Layer) -> Rows:
        if self.rows is None:
            self.rows = rows_of_adapter(layer.tensors[B].shape[0], layer.tensors[A].shape[1])
        return self.rows

    def _rows_of_parts(self, parts: Mapping[str, Layer]) -> Rows:
        if self.rows is None:
            sizes = {part: layer.tensors[B].shape[0] for part, layer in parts.items()}
            query = sizes.get(PARTS[0], next(iter(parts.values())).tensors[A].shape[1])
            key_value = sizes.get(PARTS[1], sizes.get(PARTS[2]))
            if key_value is None:
                raise EventuneError(
                    "the adapter has queries alone, which do not tell the number of key heads",
                    "give --base with the folder of the base that it was trained on",
                )
            self.rows = Rows(query, key_value, is_certain=PARTS[0] in sizes)
        return self.rows

    def _required_rows(self) -> Rows:
        if self.rows is None:
            raise EventuneError(
                f"{FUSED} is saved in full, which does not tell its rows of queries, keys and values",
                "give --base with the folder of the base that it was trained on",
            )
        return self.rows

    def settings(self, base: str) -> dict[str, Any]:
        """Return the new adapter's settings."""
        old = self.old.settings
        targets = old.get("target_modules")
        are_leaves = isinstance(targets, list) and not any("." in name for name in targets)
        are_leaves = are_leaves and not old.get("exclude_modules")
        ranks = {module: layer.rank for module, layer in self.layers.items()}
        alphas = {module: layer.alpha for module, layer in self.layers.items()}
        return {
            **{name: old[name] for name in CARRIED if old.get(name) is not None},
            "base_model_name_or_path": base or old.get("base_model_name_or_path"),
            "r": _commonest(ranks),
            "lora_alpha": _commonest(alphas),
            "rank_pattern": _pattern(ranks),
            "alpha_pattern": _pattern(alphas),
            "target_modules": translated_leaves(targets or (), back=self.back, setting="target_modules")
            if are_leaves
            else as_pattern(list(self.layers)),
            # An expression names the layers by itself.
            "layers_to_transform": old.get("layers_to_transform") if are_leaves else None,
            "layers_pattern": "layers" if are_leaves and old.get("layers_pattern") else None,
            "modules_to_save": self._modules_to_save() or None,
        }

    def _modules_to_save(self) -> list[str]:
        modules = dict.fromkeys(name.rpartition(".")[0] for name in self.old.saved)
        new: list[str] = []
        for wanted in self.old.settings.get("modules_to_save") or ():
            found = [module for module in modules if module == wanted or module.endswith(f".{wanted}")]
            if not found:
                translated_leaves([leaf_of(wanted)], back=self.back, setting="modules_to_save")
                raise EventuneError(f"modules_to_save: {wanted!r} is not in the adapter's file", "copy it anew")
            names = [name for module in found for name in translated(module, back=self.back)]
            # PEFT compares the ends of names, and those of all norms end in `norm`.
            new += names if "." in wanted else ["model.norm" if n == "model.norm" else leaf_of(n) for n in names]
        return list(dict.fromkeys(new))

    def notices(self, base: str) -> list[str]:
        """Return what a user should know of the conversion."""
        found = []
        ranks = {(self.old.layers[name].rank, self.layers[target].rank) for name, target in self._pairs()}
        grown = sorted({pair for pair in ranks if pair[1] > pair[0]})
        if grown:
            growth = ", ".join(f"from {before} to {after}" for before, after in grown)
            found.append(f"rank grew {growth}, because {', '.join(PARTS)} have A's of their own; alpha grew alike")
        if self.rows is not None and not self.rows.is_certain:
            found.append(
                f"rows: {self.rows.query} of queries, {self.rows.key_value} of keys and of values, taken from the "
                "adapter's shapes; --base FOLDER reads them off the base"
            )
        if base and not is_folder(expanded(base)):
            found.append(f"--base {base}: no folder of that name here, so that it is taken as a name alone")
        if not base:
            name = self.old.settings.get("base_model_name_or_path")
            found.append(f"base_model_name_or_path is still {name!r}; --base sets it")
        return found

    def _pairs(self) -> Iterable[tuple[str, str]]:
        return ((name, translated(name, back=self.back)[0]) for name in self.old.layers)


def _commonest(values: Mapping[str, float]) -> float:
    return Counter(values.values()).most_common(1)[0][0]


def _pattern(values: Mapping[str, float]) -> dict[str, float]:
    """Return what differs from the commonest value, as PEFT's configuration has it."""
    others = [value for value in dict.fromkeys(values.values()) if value != _commonest(values)]
    return {as_pattern([module for module in values if values[module] == value]): value for value in others}
