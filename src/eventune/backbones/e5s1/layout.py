"""The form E5S1: sizes, vocabulary, changes of characters, and a directory of tensors, the large ones in 4 bits."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from eventune.backbones.tensor_files import Rows

_MAGIC, _VERSION = b"E5S1", 1
_PACKED = 1
_BLOCK_WIDTH = 32
_BLOCK = np.dtype([("scale", "<f2"), ("codes", "u1", (_BLOCK_WIDTH // 2,))])
"""A byte holds a number of the block's first half in its low four bits, one of the second half in its high ones."""
_ZERO = 8
"""The code of 0."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes of the encoder, a BERT."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a unigram tokenizer is made of.

    Attributes:
        pieces: The pieces; the place of each is its id.
        scores: The logarithm of each one's probability.
        bos: Id of the piece that begins a text.
        eos: Id of the one that ends it.
        pad: Id of the one that fills up a batch.
        unk: Id of the one that stands for what no piece spells.
        changes: What a character becomes before the text is cut, where it does not stay as it is.
    """

    pieces: list[str]
    scores: list[float]
    bos: int
    eos: int
    pad: int
    unk: int
    changes: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Place:
    is_packed: bool
    numbers: int
    offset: int


class PackedEncoder:
    """A file in the form E5S1, mapped: of its tensors only what is asked for is read.

    Attributes:
        sizes: Sizes of the encoder.
        vocabulary: Its vocabulary.
        shapes: Shape of each tensor, by its key.
    """

    def __init__(self, path: Path) -> None:
        """Open a file.

        Args:
            path: The file.

        Raises:
            OSError: If it cannot be read.
            ValueError: If it has another form, or lacks a tensor.
        """
        self._bytes = np.memmap(path, dtype=np.uint8, mode="r")
        cursor = _Cursor(self._bytes)
        if (found := cursor.take("4sI")) != (_MAGIC, _VERSION):
            raise ValueError(f"expected the form E5S1, version 1, found {found}")
        sizes, (width,) = cursor.take("7if"), cursor.take("i")
        if width != _BLOCK_WIDTH:
            raise ValueError(f"expected blocks of {_BLOCK_WIDTH} numbers, found {width}")
        self.sizes = Sizes(*sizes)
        self.vocabulary = _read_vocabulary(cursor)
        self.shapes = _shapes(self.sizes)
        self._places = _read_directory(cursor)
        for key, shape in self.shapes.items():
            if key not in self._places or self._places[key].numbers != prod(shape):
                raise ValueError(f"expected {key} of {' × '.join(map(str, shape))}, found {self._places.get(key)}")

    def read(self, rows: Rows) -> Tensor:
        """Return rows of a tensor in float32; of a vector each number is a row.

        Args:
            rows: The rows.

        Raises:
            ValueError: If the file ends before them.
        """
        place, columns = self._places[rows.key], self.shapes[rows.key][1:]
        start, count = rows.start * prod(columns), (rows.stop - rows.start) * prod(columns)
        if place.is_packed:
            first = place.offset + start // _BLOCK_WIDTH * _BLOCK.itemsize
            numbers = unpack(np.frombuffer(self._bytes, _BLOCK, count // _BLOCK_WIDTH, first))
        else:
            numbers = np.frombuffer(self._bytes, "<f4", count, place.offset + start * 4).astype(np.float32)
        return torch.from_numpy(numbers).view(-1, *columns)


def unpack(blocks: npt.NDArray[np.void]) -> npt.NDArray[np.float32]:
    """Return the numbers of blocks: each block's scale times its codes, of which 8 means 0."""
    codes = np.concatenate([blocks["codes"] & 15, blocks["codes"] >> 4], axis=1).astype(np.int8) - np.int8(_ZERO)
    numbers: npt.NDArray[np.float32] = codes.astype(np.float32) * blocks["scale"].astype(np.float32)[:, None]
    return numbers.reshape(-1)


class _Cursor:
    """Reads a file from its beginning on."""

    def __init__(self, content: npt.NDArray[np.uint8]) -> None:
        self._content, self._at = content, 0

    def bytes(self, size: int) -> bytes:
        found = self._content[self._at : self._at + size].tobytes()
        if len(found) != size:
            raise ValueError("the file was cut off")
        self._at += size
        return found

    def take(self, form: str) -> tuple[Any, ...]:
        return struct.unpack(f"<{form}", self.bytes(struct.calcsize(f"<{form}")))


def _read_vocabulary(cursor: _Cursor) -> Vocabulary:
    count, bos, eos, pad, unk, size = cursor.take("5iQ")
    ends = cursor.take(f"{count + 1}I")
    scores = cursor.take(f"{count}f")
    text = cursor.bytes(size)
    pieces = [text[start:stop].decode() for start, stop in pairwise(ends)]
    characters, size = cursor.take("iI")
    changes = _Cursor(np.frombuffer(cursor.bytes(size), np.uint8))
    changed = {}
    for _ in range(characters):
        code, length = changes.take("IB")
        changed[chr(code)] = "".join(map(chr, changes.take(f"{length}I")))
    return Vocabulary(pieces, list(scores), bos, eos, pad, unk, changed)


def _read_directory(cursor: _Cursor) -> Mapping[str, _Place]:
    places = {}
    for _ in range(*cursor.take("i")):
        name = cursor.bytes(*cursor.take("H")).decode()
        kind, numbers, offset, _ = cursor.take("BIQQ")
        places[name] = _Place(kind == _PACKED, numbers, offset)
    return places


def _shapes(sizes: Sizes) -> dict[str, tuple[int, ...]]:
    width, wide = sizes.hidden, sizes.intermediate
    shapes: dict[str, tuple[int, ...]] = {
        "emb.word": (sizes.vocabulary, width),
        "emb.pos": (sizes.positions, width),
        "emb.type": (sizes.types, width),
        "emb.ln.w": (width,),
        "emb.ln.b": (width,),
    }
    square = (width, width)
    parts = {"q": square, "k": square, "v": square, "ao": square, "fi": (wide, width), "fo": (width, wide)}
    for layer in range(sizes.layers):
        for part, shape in {**parts, "aln": (width,), "oln": (width,)}.items():
            shapes[f"l{layer}.{part}.w"] = shape
            shapes[f"l{layer}.{part}.b"] = shape[:1]
    return shapes
