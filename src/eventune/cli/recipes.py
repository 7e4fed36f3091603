"""`eventune recipes`: the published recipes and arms, listed or printed."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.padding import Padding

from eventune.cli.output import add_json_flag, emit
from eventune.errors import EventuneError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the recipe's name."""
    parser.add_argument(
        "name",
        metavar="NAME",
        nargs="?",
        help="the recipe, or arms/NAME, to print; else all are listed",
    )
    add_json_flag(parser)


def run(arguments: argparse.Namespace) -> int:
    """List what there is, or print one file."""
    from eventune.recipes import ARMS, names_hint, published, summary

    arms = published(ARMS)
    files = {**published(), **{f"{ARMS}/{name}": path for name, path in arms.items()}}
    name = arguments.name
    if name is None:
        listed = [
            {"name": name, "command": _command(name, path), "summary": summary(path)} for name, path in files.items()
        ]
        emit({"recipes": listed}, as_json=arguments.json, render=lambda console: _render(console, listed))
        return 0
    if name not in files:
        raise EventuneError(f"{name}: no such recipe", names_hint(name, ARMS if name.startswith(f"{ARMS}/") else ""))
    text = files[name].read_text(encoding="utf-8")
    result = {"name": name, "path": str(files[name]), "text": text}
    emit(result, as_json=arguments.json, render=lambda console: console.print(text.rstrip("\n"), soft_wrap=True))
    return 0


def _command(name: str, path: Path) -> str:
    """Return how a file is used: the settings of `train` and of `sft` have different names."""
    from eventune.comparison.kinds import ExtractionKind
    from eventune.recipe import read_settings

    if "/" in name:
        return f"compare --arms {path.stem}"
    return f"{'sft' if ExtractionKind().unknown(read_settings(path)) else 'train'} {name}"


def _render(console: Console, listed: Sequence[Mapping[str, Any]]) -> None:
    for recipe in listed:
        console.print(f"eventune {recipe['command']}", style="bold")
        console.print(Padding(recipe["summary"], (0, 0, 0, 2), expand=False))
