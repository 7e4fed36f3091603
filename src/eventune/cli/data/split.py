"""`eventune data split`: parts that stay the same, however often one trains."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from eventune.cli.data.source import add_source, located, print_source, reserved, source
from eventune.cli.output import add_json_flag, emit, notify, plain_table
from eventune.errors import EventuneError

if TYPE_CHECKING:
    from eventune.corpora import Corpus
    from eventune.events import Document


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add_source(parser)
    parser.add_argument(
        "-o", "--output_dir", metavar="FOLDER", required=True, help="gets a .jsonl of each part; must not exist yet"
    )
    parser.add_argument(
        "--test_fraction", type=float, default=0.2, metavar="SHARE", help="share that is tested on (default: 0.2)"
    )
    parser.add_argument(
        "--dev_fraction",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="share of a dev part (default: 0, none)",
    )
    parser.add_argument(
        "--group_by",
        default="",
        metavar="FIELD",
        help="metadata field whose values stay in one part, e.g. source_url, or text for repeated texts; else each "
        "document",
    )
    parser.add_argument("--split_seed", type=int, default=0, metavar="SEED", help="of the drawing (default: 0)")
    add_json_flag(parser)


def run(arguments: argparse.Namespace) -> int:
    """Draw the parts as training with the same settings does, and write each into a file."""
    from eventune.corpora import read_corpus, write_corpus
    from eventune.corpora.drawing import Drawing
    from eventune.corpora.statistics import sizes_of
    from eventune.storage.atomic import atomic_folder

    shares = {name: getattr(arguments, name) for name in ("dev_fraction", "test_fraction")}
    if not (shares["test_fraction"] > 0 and shares["dev_fraction"] >= 0 and sum(shares.values()) < 1):
        found = " and ".join(f"{name} {share:g}" for name, share in shares.items())
        raise EventuneError(f"expected a share to test on, and something left to train on, found {found}")
    folder = Path(arguments.output_dir)
    with reserved(arguments.output_dir):
        corpus = read_corpus(located(arguments.file), arguments.format)
        train, dev, test = Drawing(arguments.group_by, arguments.split_seed).parts(corpus.documents, **shares)
        parts = {name: part for name, part in (("train", train), ("dev", dev), ("test", test)) if part}
        with atomic_folder(folder) as staging:
            for name, part in parts.items():
                write_corpus(part, staging / f"{name}.jsonl")
    if repeated := _repeated(train, dev, test):
        notify(f"{repeated} texts stand in two parts: --group_by text keeps them together")
    counted = {name: {"file": str(folder / f"{name}.jsonl"), **sizes_of(part)} for name, part in parts.items()}
    result = {**source(corpus), "parts": counted}
    emit(result, as_json=arguments.json, render=lambda console: _render(console, corpus, counted))
    return 0


def _repeated(*parts: Sequence[Document]) -> int:
    """Return how many texts stand in more than one part."""
    parts_of_text = Counter(text for part in parts for text in {document.text for document in part})
    return sum(count > 1 for count in parts_of_text.values())


def _render(console: Console, corpus: Corpus, parts: Mapping[str, Mapping[str, Any]]) -> None:
    print_source(console, corpus)
    counts = ("documents", "events", "arguments")
    table = plain_table("part", *counts)
    for part in parts.values():
        table.add_row(Text(part["file"]), *(f"{part[count]:,}" for count in counts))
    console.print(table)
