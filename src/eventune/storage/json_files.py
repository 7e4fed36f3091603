"""JSON objects in files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eventune.errors import EventuneError
from eventune.storage.atomic import write_atomically


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write an object as JSON, completely or not at all."""
    write_atomically(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object from a file.

    Args:
        path: The file, in UTF-8.

    Returns:
        The object.

    Raises:
        EventuneError: If the file is missing, is cut off, or holds something else than one JSON object.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise EventuneError(f"{path}: no such file") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise EventuneError(f"{path}: expected JSON, found: {error}", "the file may have been cut off") from None
    if not isinstance(value, dict):
        raise EventuneError(f"{path}: expected a JSON object, found {type(value).__name__}")
    return value
