"""Settings that a program wrote to JSON, checked field by field when they are read."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from eventune.errors import EventuneError, InvalidValueError
from eventune.storage.json_files import write_json

Settings = TypeVar("Settings")
_SHOWN = 100
"""Characters of a wrong value that an error shows."""
_HINT = "copy the whole folder anew, or make it again with this version"


def read_settings(path: Path, kind: type[Settings]) -> Settings:
    """Read a JSON file into a dataclass; fields that it does not know are left out.

    Args:
        path: The file.
        kind: The dataclass. Its fields' types, also those of dataclasses in it, say what may stand there; a field with
            a default may be missing, so that files of earlier versions are read.

    Returns:
        The settings.

    Raises:
        InvalidValueError: If a field is missing, or holds what its type does not allow; it names the field.
        EventuneError: If the file is missing or is no JSON object.
    """
    from pydantic import TypeAdapter, ValidationError
    from pydantic_core import from_json

    try:
        text = path.read_bytes()
        from_json(text, allow_inf_nan=False)
    except OSError as error:
        raise EventuneError(f"{path}: cannot be read: {error.strerror}", _HINT) from None
    except ValueError as error:
        raise EventuneError(f"{path}: expected JSON, found: {error}", _HINT) from None
    try:
        return TypeAdapter(kind).validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        where = f"{path}: {field}" if field else str(path)
        found = "nothing" if first["type"] == "missing" else json.dumps(first["input"], ensure_ascii=False)[:_SHOWN]
        raise InvalidValueError(where, _expected(first), found, _HINT) from None


def _expected(error: Any) -> str:
    if error["type"] == "missing":
        return "a value"
    return str(error["msg"]).removeprefix("Input should be ").removeprefix("Value error, ")


def write_settings(path: Path, settings: Any, **more: Any) -> None:
    """Write a dataclass as JSON, with further fields that only say what the file is."""
    write_json(path, {**more, **asdict(settings)})
