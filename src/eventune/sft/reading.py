"""Settings of `eventune sft` as files and flags give them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eventune.errors import EventuneError
from eventune.recipe import read_settings
from eventune.recipes import names_hint
from eventune.storage.json_files import read_json
from eventune.storage.paths import exists, shown


def read_sft_settings(path: Path) -> dict[str, Any]:
    """Read settings from a JSON or YAML file.

    Args:
        path: The file, or the name of a published recipe.

    Returns:
        Setting by name.

    Raises:
        EventuneError: If the file is missing or is no flat mapping.
    """
    if path.suffix != ".json":
        return read_settings(path)
    if not exists(path):
        raise EventuneError(f"{shown(path)}: no such file of settings", names_hint(path))
    return read_json(path)


def read_flags(words: Sequence[str]) -> dict[str, Any]:
    """Read `--name value`, `--name=value` and `--name` alone, which switches on, as transformers' scripts do.

    Args:
        words: The command line after the verb and the file of settings.

    Returns:
        Setting by name, as text, a list of texts, or True.

    Raises:
        EventuneError: If a word belongs to no flag.
    """
    values: dict[str, Any] = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            flag, equals, value = word.removeprefix("--").partition("=")
            flag = flag.replace("-", "_")
            values[flag] = value if equals else True
            name = "" if equals else flag
        elif not name:
            raise EventuneError(f"expected --setting value, found {word!r}", "settings files end in .json or .yaml")
        elif values[name] is True:
            values[name] = word
        else:
            values[name] = [*(values[name] if isinstance(values[name], list) else [values[name]]), word]
    return values
