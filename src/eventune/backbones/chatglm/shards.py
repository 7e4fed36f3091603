"""Weights of a folder, read row by row from mapped files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from eventune.backbones.tensor_files import CODES, DTYPES, NewTensor, RowReader, Rows
from eventune.errors import EventuneError, first_line
from eventune.storage.json_files import read_json
from eventune.storage.paths import check_is_file

_TYPES = {code: dtype for dtype, code in CODES.items()}


@dataclass(frozen=True, slots=True)
class Entry:
    """A tensor in a file.

    Attributes:
        file: The file.
        shape: Its shape.
        dtype: Its type.
    """

    file: Path
    shape: tuple[int, ...]
    dtype: torch.dtype


@dataclass(frozen=True, slots=True)
class Shard:
    """A file to write.

    Attributes:
        name: Its name.
        tensors: What it holds, in this order.
        files: The files that these are made of.
    """

    name: str
    tensors: tuple[NewTensor, ...]
    files: tuple[Path, ...]

    @property
    def bytes(self) -> int:
        """Size of its tensors."""
        return sum(tensor.bytes for tensor in self.tensors)


def weight_files(folder: Path) -> list[Path]:
    """Return a folder's files of weights: safetensors, or PyTorch's `.bin` where there are none.

    Args:
        folder: The folder.

    Returns:
        The files, by name.

    Raises:
        EventuneError: If there are none, or one that the index names is missing.
    """
    for pattern, index in (("*.safetensors", "model.safetensors"), ("pytorch_model*.bin", "pytorch_model.bin")):
        listed: set[str] = set()
        if (folder / f"{index}.index.json").is_file():
            weight_map = read_json(folder / f"{index}.index.json").get("weight_map")
            listed = set(map(str, weight_map.values())) if isinstance(weight_map, dict) else set()
        found = sorted(folder.glob(pattern))
        if missing := sorted(listed - {path.name for path in found}):
            if not found and pattern == "*.safetensors" and any(folder.glob("pytorch_model*.bin")):
                continue
            raise EventuneError(
                f"{folder}: expected the {len(listed)} files of {index}.index.json, found no {missing[0]}",
                "copy the whole folder anew",
            )
        if found:
            return [path for path in found if not listed or path.name in listed]
    raise EventuneError(
        f"{folder}: expected weights in *.safetensors or pytorch_model*.bin, found none",
        "copy the whole folder anew; from the hub: hf download NAME --local-dir FOLDER",
    )


def read_entries(files: Sequence[Path]) -> dict[str, Entry]:
    """Read which tensors lie in which file, without their values.

    Args:
        files: The files.

    Returns:
        Tensors by name.

    Raises:
        EventuneError: If a file is damaged, holds anything but tensors, or a tensor is there twice.
    """
    entries: dict[str, Entry] = {}
    for path in files:
        for name, (shape, dtype) in _described(path).items():
            if name in entries:
                raise EventuneError(f"{path}: {name} is in {entries[name].file.name} too")
            entries[name] = Entry(path, shape, dtype)
    return entries


@contextmanager
def row_reader(entries: Mapping[str, Entry], files: Sequence[Path]) -> Iterator[RowReader]:
    """Give a function that reads rows of tensors from mapped files.

    Args:
        entries: Where the tensors lie.
        files: The files that are read.

    Yields:
        The function; what it returns must not be used behind the block.
    """
    with ExitStack() as stack:
        opened = {path: _opened(path, stack) for path in files}

        def read(rows: Rows) -> Tensor:
            return opened[entries[rows.key].file](rows)

        yield read
        opened.clear()


def _described(path: Path) -> dict[str, tuple[tuple[int, ...], torch.dtype]]:
    found: dict[str, tuple[tuple[int, ...], torch.dtype]] = {}
    check_is_file(path)
    if path.suffix == ".safetensors":
        try:
            with safe_open(path, framework="pt") as file:
                for name in file.keys():  # noqa: SIM118 - it is no mapping
                    part = file.get_slice(name)
                    found[name] = tuple(part.get_shape()), _type_of(part.get_dtype(), name, path)
        except (OSError, SafetensorError) as error:
            raise EventuneError(f"{path}: the weights are damaged: {error}", "copy the file anew") from error
        return found
    for name, tensor in _read_pickled(path).items():
        found[name] = tuple(tensor.shape), _type_of(CODES.get(tensor.dtype, str(tensor.dtype)), name, path)
    return found


def _type_of(code: str, name: str, path: Path) -> torch.dtype:
    if code not in _TYPES:
        raise EventuneError(
            f"{path}: {name}: expected {', '.join(DTYPES)}, found {code}",
            "weights that were quantised must be dequantised first; the published float16 checkpoint is not quantised",
        )
    return _TYPES[code]


def _opened(path: Path, stack: ExitStack) -> RowReader:
    if path.suffix == ".safetensors":
        file = stack.enter_context(safe_open(path, framework="pt"))
        return lambda rows: file.get_slice(rows.key)[rows.start : rows.stop]
    state = _read_pickled(path)
    return lambda rows: state[rows.key][rows.start : rows.stop]


def _read_pickled(path: Path) -> dict[str, Tensor]:
    try:
        # Mapped: only what is read comes into memory.
        state: Any = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # the unpickler raises whatever a damaged or unsafe file makes it
        hint = "copy the file anew; nothing in it is executed"
        raise EventuneError(f"{path}: expected weights alone, found: {first_line(error)}", hint) from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise EventuneError(f"{path}: expected tensors by name, found {type(state).__name__}")
    return state
