"""What every command prints alike: one JSON object for machines, rich tables for people."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console

status = Console(stderr=True, highlight=False)
"""Progress, notices and warnings: stderr, so that stdout holds the result alone."""


def add_json_flag(parser: argparse.ArgumentParser) -> None:
    """Add `--json` to a verb."""
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout, and nothing else there")


def emit(result: Mapping[str, Any], *, as_json: bool, render: Callable[[Console], None]) -> None:
    """Print a command's result.

    Args:
        result: The result as JSON values.
        as_json: Whether `--json` was given.
        render: Prints the result for people.
    """
    if as_json:
        sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")
    else:
        render(Console(highlight=False))
