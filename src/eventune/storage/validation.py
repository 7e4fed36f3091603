"""Settings that a program wrote to JSON, checked field by field when they are read."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from eventune.errors import InvalidValueError
from eventune.storage.json_files import read_json_bytes, write_json

Settings = TypeVar("Settings")
_HINT = "copy the whole folder anew, or make it again with this version"


def read_settings(path: Path, kind: type[Settings], *, finite: bool = True) -> Settings:
    """Read a JSON file into a dataclass; fields that it does not know are left out.

    Args:
        path: The file.
        kind: The dataclass. Its fields' types, also those of dataclasses in it, say what may stand there; a field with
            a default may be missing, so that files of earlier versions are read.
        finite: Whether all numbers must be finite.

    Returns:
        The settings.

    Raises:
        InvalidValueError: If a field is missing, or holds what its type does not allow; it names the field.
        EventuneError: If the file is missing or is no JSON object.
    """
    from pydantic import TypeAdapter, ValidationError

    content = read_json_bytes(path, finite=finite)
    try:
        return TypeAdapter(kind).validate_json(content, strict=True)
    except ValidationError as error:
        # A field that may be of several kinds has one for each: what a check of ours says counts, or what lies deepest.
        # The kind stands in the path, too: a class, or a type with brackets.
        first = max(error.errors(include_url=False), key=lambda one: (one["type"] == "value_error", len(one["loc"])))
        field = ".".join(part for part in map(str, first["loc"]) if "[" not in part and not part[:1].isupper())
        where = f"{path}: {field}" if field else str(path)
        found = "nothing" if first["type"] == "missing" else json.dumps(first["input"], ensure_ascii=False)
        raise InvalidValueError(where, _expected(first), found, _HINT) from None


def _expected(error: Any) -> str:
    if error["type"] == "missing":
        return "a value"
    return str(error["msg"]).removeprefix("Input should be ").removeprefix("Value error, ")


def write_settings(path: Path, settings: Any, **more: Any) -> None:
    """Write a dataclass as JSON, with further fields that only say what the file is."""
    write_json(path, {**more, **asdict(settings)})
