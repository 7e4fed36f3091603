"""SentencePiece's `.model` files: a protobuf message, of which only the pieces and a few settings matter here."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from eventune.errors import EventuneError

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_PIECES, _TRAINER, _NORMALIZER = 1, 2, 3
_TEXT, _SCORE, _TYPE = 1, 2, 3
_MODEL_TYPE, _BPE = 3, 2
_WHITESPACE_AS_SUFFIX = 24
_CHARACTER_MAP, _DUMMY_PREFIX, _REMOVES_SPACES, _ESCAPES_SPACES = 2, 3, 4, 5


class PieceType(IntEnum):
    """What a piece is; the numbers are SentencePiece's."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the vocabulary.

    Attributes:
        text: What it spells; a space is `▁`.
        score: The higher, the earlier it is merged.
        type: What it is.
    """

    text: str
    score: float
    type: PieceType


def read_pieces(path: Path) -> list[Piece]:
    """Read the vocabulary of a BPE model that takes texts as they are.

    Args:
        path: The `.model` file.

    Returns:
        The pieces; the place of each is its id.

    Raises:
        EventuneError: If it is no such file, another kind of model, or one that changes texts before it cuts them.
    """
    try:
        fields = [*_fields(path.read_bytes())]
        pieces = [_piece(value) for number, value in fields if number == _PIECES and isinstance(value, bytes)]
        trainer = dict(_fields(_message(fields, _TRAINER)))
        normalizer = dict(_fields(_message(fields, _NORMALIZER)))
    except (OSError, ValueError, IndexError, struct.error) as error:
        raise EventuneError(f"{path}: expected a SentencePiece model, found: {error}", "copy the file anew") from error
    if not pieces:
        raise EventuneError(f"{path}: expected a SentencePiece model, found no pieces in it", "copy the file anew")
    wrong = {
        "a unigram, word or character model in place of BPE": trainer.get(_MODEL_TYPE, 1) != _BPE,
        "spaces at the end of words": bool(trainer.get(_WHITESPACE_AS_SUFFIX, 0)),
        "a normaliser that changes characters": bool(normalizer.get(_CHARACTER_MAP)),
        "no space put before a text": not normalizer.get(_DUMMY_PREFIX, 1),
        "repeated spaces removed": bool(normalizer.get(_REMOVES_SPACES, 1)),
        "spaces that are not written as ▁": not normalizer.get(_ESCAPES_SPACES, 1),
    }
    if found := [name for name, is_so in wrong.items() if is_so]:
        raise EventuneError(f"{path}: expected ChatGLM2's kind of SentencePiece model, found {', '.join(found)}")
    return pieces


def _message(fields: list[tuple[int, int | bytes]], number: int) -> bytes:
    return next((value for found, value in fields if found == number and isinstance(value, bytes)), b"")


def _piece(content: bytes) -> Piece:
    values = dict(_fields(content))
    text, score = values.get(_TEXT, b""), values.get(_SCORE, b"\0\0\0\0")
    kind = values.get(_TYPE, PieceType.NORMAL)
    if not isinstance(text, bytes) or not isinstance(score, bytes) or not isinstance(kind, int):
        raise ValueError("a piece of another form")
    return Piece(text.decode("utf-8"), struct.unpack("<f", score)[0], PieceType(kind))


def _fields(content: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield number and value of a message's fields: a number for a varint, else the bytes."""
    at = 0
    while at < len(content):
        tag, at = _varint(content, at)
        kind = tag & 7
        if kind == _VARINT:
            value, at = _varint(content, at)
            yield tag >> 3, value
            continue
        if kind == _BYTES:
            size, at = _varint(content, at)
        elif kind in {_FIXED32, _FIXED64}:
            size = 4 if kind == _FIXED32 else 8
        else:
            raise ValueError(f"a field of the unknown kind {kind}")
        if at + size > len(content):
            raise ValueError("the file was cut off")
        yield tag >> 3, content[at : at + size]
        at += size


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(content) or shift > 63:
            raise ValueError("the file was cut off, or is none")
        byte = content[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
