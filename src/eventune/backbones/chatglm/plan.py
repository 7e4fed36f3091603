"""What a conversion will read and write, known before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import GlmConfig

from eventune.backbones.chatglm.settings import native_settings, published_settings
from eventune.backbones.chatglm.shards import Entry, Shard, read_entries, weight_files
from eventune.backbones.chatglm.weights import Layout
from eventune.backbones.tensor_files import DTYPES, NewTensor, Rows
from eventune.errors import EventuneError, InvalidValueError
from eventune.storage.json_files import read_json

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Plan:
    """A conversion that is known to fit.

    Attributes:
        source: The folder that is read.
        to_native: Whether Glm is made of ChatGLM2; the other way round otherwise.
        dtype: Type of what is written; empty where each tensor keeps its own.
        config: The model, in Glm's terms.
        settings: The content of the new `config.json`.
        entries: The tensors of the source.
        shards: The files of weights to write.
    """

    source: Path
    to_native: bool
    dtype: str
    config: GlmConfig
    settings: Mapping[str, Any]
    entries: Mapping[str, Entry]
    shards: tuple[Shard, ...]

    @property
    def parameters(self) -> int:
        """Numbers in all weights."""
        return sum(tensor.bytes // tensor.dtype.itemsize for shard in self.shards for tensor in shard.tensors)

    @property
    def bytes(self) -> int:
        """Size of all weights to write."""
        return sum(shard.bytes for shard in self.shards)

    def to_dict(self) -> dict[str, Any]:
        """Return files, tensors and sizes as JSON values."""
        return {
            "source": str(self.source),
            "parameters": self.parameters,
            "bytes": self.bytes,
            "config": dict(self.settings),
            "files": [
                {
                    "file": shard.name,
                    "bytes": shard.bytes,
                    "from": [path.name for path in shard.files],
                    "tensors": {tensor.name: _described(tensor) for tensor in shard.tensors},
                }
                for shard in self.shards
            ],
        }


def plan(source: Path, *, dtype: str = "", to_native: bool = True) -> Plan:
    """Read what a folder holds and say what will be made of it.

    Args:
        source: The folder: ChatGLM2's, or Glm's where the conversion goes back.
        dtype: `float32`, `float16` or `bfloat16`; by default each tensor keeps its type.
        to_native: Whether Glm is made of ChatGLM2.

    Returns:
        The plan.

    Raises:
        EventuneError: If a setting or a tensor is missing, unknown, or not as Glm computes it.
    """
    if dtype and dtype not in DTYPES:
        raise InvalidValueError("dtype", f"one of {', '.join(DTYPES)}", repr(dtype))
    config, settings = _settings(source, to_native=to_native)
    layout = Layout.of(config, to_native=to_native)
    entries = read_entries(weight_files(source))
    _require(layout, entries, source)
    shards = _shards(layout, entries, dtype)
    types = {str(tensor.dtype).removeprefix("torch.") for shard in shards for tensor in shard.tensors}
    # What the weights are counts, not what an old file says of them.
    kept = max(types, key=lambda name: DTYPES[name].itemsize)
    settings[("dtype" if to_native else "torch_dtype")] = kept
    return Plan(source, to_native, dtype, config, settings, entries, shards)


def _settings(source: Path, *, to_native: bool) -> tuple[GlmConfig, dict[str, Any]]:
    path = source / "config.json"
    given = read_json(path)
    model_type, expected = given.get("model_type"), "chatglm" if to_native else "glm"
    if model_type != expected:
        way = "eventune convert chatglm2 SRC DST" + " --back" * to_native
        hint = f"that way round: {way}" if model_type in {"chatglm", "glm"} else ""
        raise EventuneError(f"{path}: expected model_type {expected!r}, found {model_type!r}", hint)
    if to_native:
        settings = native_settings(given, source=str(path))
        return GlmConfig(**settings), {"model_type": "glm", **settings}
    try:
        config = GlmConfig(**{name: value for name, value in given.items() if name != "model_type"})
    except Exception as error:  # configurations check themselves in many ways
        raise EventuneError(f"{path}: expected settings of Glm, found: {' '.join(str(error).split())}") from error
    return config, published_settings(config)


def _require(layout: Layout, entries: Mapping[str, Entry], source: Path) -> None:
    missing = [name for name in layout.expected if name not in entries]
    unknown = [name for name in entries if name not in layout.expected and name not in layout.dropped]
    found = [f"no {name}" for name in missing[:_MOST_NAMED]] + [f"the unknown {name}" for name in unknown[:_MOST_NAMED]]
    found += [
        f"{name} of shape {list(entries[name].shape)} in place of {list(shape)}"
        for name, shape in layout.expected.items()
        if name in entries and entries[name].shape != shape
    ][:_MOST_NAMED]
    if found:
        more = max(0, len(missing) - _MOST_NAMED) + max(0, len(unknown) - _MOST_NAMED)
        raise EventuneError(
            f"{source}: expected the {len(layout.expected)} tensors of its config.json, found "
            f"{', '.join(found)}{f' and {more} more' if more else ''}",
            "copy the whole folder anew, or mend its config.json",
        )


def _shards(layout: Layout, entries: Mapping[str, Entry], dtype: str) -> tuple[Shard, ...]:
    """Let each new file hold what is made of one old file, so that one is read at a time."""
    groups: dict[Path, list[NewTensor]] = {}
    for name, parts in layout.made.items():
        first = entries[parts[0].key]
        shape = (sum(part.stop - part.start for part in parts), *first.shape[1:])
        groups.setdefault(first.file, []).append(NewTensor(name, shape, DTYPES.get(dtype, first.dtype), parts))
    names = [f"model-{number:05d}-of-{len(groups):05d}.safetensors" for number in range(1, len(groups) + 1)]
    names = names if len(groups) > 1 else ["model.safetensors"]
    return tuple(
        Shard(name, tuple(group), _files(group, entries))
        for name, (_, group) in zip(names, sorted(groups.items()), strict=True)
    )


def _files(tensors: list[NewTensor], entries: Mapping[str, Entry]) -> tuple[Path, ...]:
    parts: list[Rows] = [part for tensor in tensors for part in tensor.parts]
    return tuple(dict.fromkeys(entries[part.key].file for part in parts))


def _described(tensor: NewTensor) -> dict[str, Any]:
    return {
        "shape": list(tensor.shape),
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "bytes": tensor.bytes,
        "from": [f"{part.key}[{part.start}:{part.stop}]" for part in tensor.parts],
    }
