"""Safetensors files, written block by block from rows that are read when they are due."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from eventune.errors import EventuneError
from eventune.storage.atomic import atomic_file

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
CODES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}
"""Names of types in the files."""
_BLOCK_BYTES = 32 << 20
"""So much of a tensor is converted and written at a time."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a tensor.

    Attributes:
        key: The tensor.
        start: The first row.
        stop: The row behind the last one.
    """

    key: str
    start: int
    stop: int


RowReader = Callable[[Rows], Tensor]


@dataclass(frozen=True, slots=True)
class NewTensor:
    """A tensor to write.

    Attributes:
        name: Its name.
        shape: Its shape.
        dtype: Its type.
        parts: The rows that it is made of, in turn.
    """

    name: str
    shape: tuple[int, ...]
    dtype: torch.dtype
    parts: tuple[Rows, ...]

    @property
    def bytes(self) -> int:
        """Its size."""
        return int(torch.Size(self.shape).numel()) * self.dtype.itemsize


def write_tensors(path: Path, tensors: Sequence[NewTensor], read: RowReader, *, hint: str = "") -> str:
    """Write a safetensors file, and read it back.

    Args:
        path: The file; it appears when it is complete.
        tensors: What it holds, in this order.
        read: Reads what that is made of.
        hint: What to do where it cannot be written.

    Returns:
        The file's sha256.

    Raises:
        EventuneError: If it cannot be written, or the disk does not give back what was written.
    """
    digest = hashlib.sha256()
    with atomic_file(path, hint=hint) as staging:
        with staging.open("wb") as file:
            for piece in _content(tensors, read):
                file.write(piece)
                digest.update(piece)
        if sha256_of(staging) != digest.hexdigest():
            raise EventuneError(f"{path}: what was written cannot be read back", "check the disk")
    return digest.hexdigest()


def sha256_of(path: Path) -> str:
    """Return a file's sha256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _content(tensors: Sequence[NewTensor], read: RowReader) -> Iterator[bytes | memoryview]:
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for tensor in tensors:
        places = [at, at + tensor.bytes]
        header[tensor.name] = {"dtype": CODES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": places}
        at = places[1]
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    yield struct.pack("<Q", len(text)) + text
    for tensor in tensors:
        for part in tensor.parts:
            yield from _blocks(read, part, tensor)


def _blocks(read: RowReader, part: Rows, tensor: NewTensor) -> Iterator[memoryview]:
    row_bytes = max(1, tensor.bytes // max(1, tensor.shape[0]))
    step = max(1, _BLOCK_BYTES // row_bytes)
    for start in range(part.start, part.stop, step):
        block = read(Rows(part.key, start, min(start + step, part.stop))).to(tensor.dtype)
        yield block.contiguous().view(-1).view(torch.uint8).numpy().data
