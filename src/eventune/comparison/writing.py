"""Writes a comparison: JSON, CSV, Markdown, pictures, and one page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eventune.comparison.pictures import draw
from eventune.comparison.table import comma_separated, legend, markdown, rows_of
from eventune.reports.comparison import comparison_page
from eventune.storage.atomic import atomic_file, write_atomically
from eventune.storage.json_files import to_json

JSON, CSV, MARKDOWN, PAGE, PICTURES = (
    "comparison.json",
    "comparison.csv",
    "comparison.md",
    "comparison.html",
    "pictures",
)


def write_comparison(result: Mapping[str, Any], folder: Path, *, title: str) -> None:
    """Write all files of a comparison into its folder.

    Args:
        result: The comparison.
        folder: An existing folder.
        title: Heading of the page.

    Raises:
        EventuneError: If the disk is full.
    """
    write_atomically(folder / JSON, to_json(result, indent=1) + "\n")
    write_atomically(folder / CSV, comma_separated(result))
    write_atomically(folder / MARKDOWN, markdown(result))
    pictures = draw(result)
    (folder / PICTURES).mkdir(exist_ok=True)
    for name, files in pictures.items():
        for kind, content in files.items():
            with atomic_file(folder / PICTURES / f"{name}.{kind}") as staging:
                staging.write_bytes(content)
    heads, rows = rows_of(result)
    page = comparison_page(
        result,
        title=title,
        heads=heads,
        rows=rows,
        legend=legend(result),
        pictures={name: files["svg"] for name, files in pictures.items()},
    )
    write_atomically(folder / PAGE, page)
