"""JSON objects in files."""

from __future__ import annotations

import codecs
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eventune.errors import EventuneError
from eventune.storage.atomic import write_atomically
from eventune.storage.text_files import read_bytes

_HINT = "the file may have been cut off: copy it anew"


def to_json(value: Any, *, indent: int | None = None) -> str:
    """Return a value as JSON, with null for numbers that are not finite, which JSON has no way to write."""
    try:
        return json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False)
    except ValueError:
        return json.dumps(_with_null(value), ensure_ascii=False, indent=indent, allow_nan=False)


def _with_null(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _with_null(inner) for name, inner in value.items()}
    return [_with_null(inner) for inner in value] if isinstance(value, list | tuple) else value


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write an object as JSON, completely or not at all."""
    write_atomically(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object from a file.

    Args:
        path: The file, in UTF-8.

    Returns:
        The object. Its texts are Unicode, and its depth and the length of its numbers are bounded.

    Raises:
        EventuneError: If the file is missing, is cut off, or holds something else than one JSON object.
    """
    return _parsed(path, read_bytes(path), finite=False)


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """Read the JSON objects that a file's lines are; blank ones are passed over.

    Raises:
        EventuneError: If the file is missing, or a line is no JSON object; it names the line.
    """
    # Lines end in \n alone: texts may hold other line separators.
    lines = read_bytes(path).removeprefix(codecs.BOM_UTF8).split(b"\n")
    return [_parsed(f"{path}:{number}", line, finite=False) for number, line in enumerate(lines, 1) if line.strip()]


def read_json_bytes(path: Path, *, finite: bool) -> bytes:
    """Return a file's content, which is one JSON object in UTF-8, of finite numbers where asked; see `read_json`."""
    content = read_bytes(path).removeprefix(codecs.BOM_UTF8)
    _parsed(path, content, finite=finite)
    return content


def _parsed(path: Path | str, content: bytes, *, finite: bool) -> dict[str, Any]:
    # The parser of the settings' checks: unlike Python's own it has one error for all that is wrong, and takes no lone
    # surrogates, which no output could be written with.
    from pydantic_core import from_json

    try:
        value = from_json(content.removeprefix(codecs.BOM_UTF8))
        if finite:
            json.dumps(value, allow_nan=False)  # also numbers that are too large for one
    except ValueError as error:
        raise EventuneError(f"{path}: expected JSON, found: {error}", _HINT) from None
    if not isinstance(value, dict):
        raise EventuneError(f"{path}: expected a JSON object, found {type(value).__name__}", _HINT)
    return value
