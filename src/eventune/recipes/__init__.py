"""The published recipes, and the arms to compare with them: files of this package, found by name from any folder.

Each begins with comments: a line that says what it is, and, where it needs a corpus, how to get it. A recipe's own
paths lead to where its figures were made; elsewhere the corpus is given by flags.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from itertools import takewhile
from pathlib import Path
from typing import Any

from eventune.corpora.arguments import BUILT_IN, DATA_FILES
from eventune.errors import EventuneError, did_you_mean
from eventune.storage.paths import exists, is_file

ARMS = "arms"
"""The folder of the arms."""
_CORPUS_FILES = (*DATA_FILES, "validation_file")
_DATA = "The data "
"""How the comments about the corpus begin; they are the head's last."""


def published(folder: str = "") -> dict[str, Path]:
    """Return the published files by name.

    Args:
        folder: `ARMS`, or empty for the recipes.
    """
    found = Path(str(files(__name__))) / folder
    return {path.stem: path for path in sorted(found.glob("*.yaml"))}


def is_published(name: Path | str, folder: str = "") -> bool:
    """Tell whether a published file is meant; a file at this path wins over the name.

    Args:
        name: A path, or the name of a published file.
        folder: `ARMS`, or empty for the recipes.
    """
    return str(name) in published(folder) and not is_file(name)


def find(name: Path | str, folder: str = "") -> Path:
    """Return the published file that is meant, or else the path as it is.

    Args:
        name: A path, or the name of a published file.
        folder: `ARMS`, or empty for the recipes.
    """
    return published(folder)[str(name)] if is_published(name, folder) else Path(name)


def names_hint(name: Path | str, folder: str = "") -> str:
    """Return which published files there are where one was not found, the closest first."""
    names = published(folder)
    closest = did_you_mean(Path(name).stem, names)
    return f"{closest} " * bool(closest) + f"published: {', '.join(names)}; or a path to your own"


def head(path: Path) -> list[str]:
    """Return the comments that a file begins with, line by line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.removeprefix("#").removeprefix(" ") for line in takewhile(lambda line: line.startswith("#"), lines)]


def summary(path: Path) -> str:
    """Return what a published file is, in a line."""
    return next(iter(head(path)), "")


def without_absent_files(
    name: Path | str, settings: Mapping[str, Any], changes: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Return a recipe's settings without the files of a corpus that is not on this machine and that another replaces.

    A recipe that was given by its path says itself where its files are, and stays as it is.

    Args:
        name: The recipe's path or name.
        settings: What the recipe says.
        changes: What replaces it; with a `train_file`, the recipe's other files are of no use unless they are there.

    Returns:
        The settings, and a sentence for each that was taken away.

    Raises:
        EventuneError: If files of a published recipe are not here and no other corpus is given, with the way to it.
    """
    values = {field: settings.get(field) for field in _CORPUS_FILES if field not in changes}
    # What is no text is refused where settings are checked.
    paths = {field: value for field, value in values.items() if value and isinstance(value, str)}
    absent = {field: path for field, path in paths.items() if path not in BUILT_IN and not exists(path)}
    if not absent or not is_published(name):
        return dict(settings), []
    if "train_file" not in changes:
        found = ", ".join(f"{field} {value}" for field, value in absent.items())
        lines = head(published()[str(name)])
        start = next(number for number, line in enumerate(lines) if line.startswith(_DATA))
        raise EventuneError(f"{name}: expected its corpus, found no {found}", "\n".join(lines[start:]))
    notices = [f"{field} {value} of {name} is not here: left out" for field, value in absent.items()]
    return {field: value for field, value in settings.items() if field not in absent}, notices
