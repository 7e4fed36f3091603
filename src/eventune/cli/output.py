"""What every command prints alike: one JSON object for machines, rich tables for people."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table

from eventune.cli.terminal import printable, stdout_json
from eventune.storage.json_files import to_json


class DataConsole(Console):
    """Prints data as it is: a path or a role with brackets or colons in it is no markup, nor speaks to the terminal."""

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """See `Console`."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=printable(segment.text))


status = DataConsole(stderr=True)
"""Progress, notices and warnings: stderr, so that stdout holds the result alone."""

COUNTS = ("gold", "predicted", "matched")
METRICS = {"precision": "P", "recall": "R", "f1": "F1"}
RECIPE_HELP = "YAML file with settings, or the name of a published one (`eventune recipes`)"
NARROW_COLUMNS = 64
"""A narrower terminal has no room for all columns: only one count is shown."""


def add_json_flag(parser: argparse.ArgumentParser) -> None:
    """Add `--json` to a verb."""
    parser.add_argument(
        "--json",
        action="store_true",
        help='print one JSON object on stdout, and nothing else there; {"error": {"message", "hint"}} where it fails',
    )


def notify(message: str) -> None:
    """Print a notice, in one line however long it is, so that it can be searched for in a log."""
    status.print(message, style="dim", soft_wrap=True)


def plain_table(*columns: str) -> Table:
    """Return a table without lines, so that it fits into a narrow terminal: a name, and figures to the right of it.

    Args:
        columns: Heads of the columns.

    Returns:
        The table, without rows.
    """
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", overflow="fold", no_wrap=number > 0)
    return table


def print_scores(console: Console, name: str, rows: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Print counts and metrics as a table.

    Args:
        console: Where to print.
        name: What the rows are, the head of the first column.
        rows: Name of each row, with its `gold`, `predicted`, `matched`, `precision`, `recall` and `f1`.
    """
    counts = COUNTS if console.width >= NARROW_COLUMNS else COUNTS[:1]
    table = plain_table(name, *counts, *METRICS.values())
    for label, row in rows:
        table.add_row(label, *(str(row[count]) for count in counts), *(f"{100 * row[name]:.2f}" for name in METRICS))
    console.print()
    console.print(table)


def emit(result: Mapping[str, Any], *, as_json: bool, render: Callable[[Console], None]) -> None:
    """Print a command's result.

    Args:
        result: The result as JSON values.
        as_json: Whether `--json` was given.
        render: Prints the result for people.
    """
    if as_json:
        sys.stdout.write(stdout_json(to_json(result)) + "\n")
    else:
        render(DataConsole())
