"""`eventune data stats`."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from eventune.cli.data.source import add_source, located, patience, print_source, source
from eventune.cli.output import add_json_flag, emit
from eventune.storage.atomic import require_new

if TYPE_CHECKING:
    from eventune.corpora import CorpusStream
    from eventune.events import Document

_SHOWN_NAMES = 15
_SHOWN_EXAMPLES = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add_source(parser)
    parser.add_argument("--ontology_file", metavar="FILE", help="YAML, or the role lines of RAMS")
    parser.add_argument("--html", metavar="PAGE", help="also write the figures as one HTML page; must not exist")
    add_json_flag(parser)


def run(arguments: argparse.Namespace) -> int:
    """Count, print, and write the page."""
    from eventune.corpora import describe, read_ontology, stream_corpus

    if arguments.html is not None:
        require_new(Path(arguments.html), flag="--html")
    examples: list[Document] = []
    with patience(f"reading {arguments.file}"):
        ontology = read_ontology(located(arguments.ontology_file)) if arguments.ontology_file else None
        corpus = stream_corpus(located(arguments.file), arguments.format)
        start = time.perf_counter()
        figures = describe(_keeping(examples, corpus), ontology=ontology)
        seconds = time.perf_counter() - start
    figures |= {"seconds": seconds, "documents_per_second": figures["documents"] / seconds}
    result = {**source(corpus), **figures}
    if arguments.html:
        from eventune.reports import statistics_page
        from eventune.storage.atomic import write_atomically

        write_atomically(Path(arguments.html), statistics_page(result, examples, title=Path(corpus.path).name))
        result["html"] = arguments.html
    emit(result, as_json=arguments.json, render=lambda console: _render(console, corpus, figures))
    return 0


def _keeping(examples: list[Document], documents: Iterable[Document]) -> Iterator[Document]:
    """Pass documents on, and keep the first that have events."""
    for document in documents:
        if document.events and len(examples) < _SHOWN_EXAMPLES:
            examples.append(document)
        yield document


def _render(console: Console, corpus: CorpusStream, figures: Mapping[str, Any]) -> None:
    from eventune.corpora.statistics import STRUCTURE

    print_source(console, corpus)
    tokens, lengths, distance = figures["tokens"], figures["argument_tokens"], figures["sentence_distance"]
    overview = {
        "documents": f"{figures['documents']:,}",
        "sentences": f"{figures['sentences']:,}",
        "tokens": f"{tokens['total']:,}",
        "tokens a document, mean / max": f"{tokens['mean']:.1f} / {tokens['max']:,}",
        "events": f"{figures['events']:,}",
        "events a document, mean / max": "{mean:.2f} / {max}".format(**figures["events_per_document"]),
        "event types": f"{len(figures['types']):,}",
        "arguments": f"{figures['arguments']:,}",
        "roles": f"{len(figures['roles']):,}",
        "tokens an argument, mean / max": f"{lengths['mean']:.2f} / {lengths['max']}",
        "arguments in another sentence": f"{distance['cross_sentence_share']:.1%}",
        "roles with several fillers": f"{sum(figures['repeated_roles'].values()):,}",
    }
    if figures["empty_role_share"] is not None:
        overview["roles that stay empty"] = f"{figures['empty_role_share']:.1%}"
    overview |= {name.replace("_", " "): f"{figures[name]:,}" for name in STRUCTURE if figures[name]}
    overview["documents read a second"] = f"{figures['documents_per_second']:,.0f}"
    _print_table(console, "", overview, len(overview))
    for title, counts in (
        ("tokens in an argument", lengths["distribution"]),
        ("sentences from trigger to argument", distance["distribution"]),
        ("events in a document", figures["events_per_document"]["distribution"]),
        ("arguments by role", figures["roles"]),
        ("events by type", figures["types"]),
    ):
        _print_table(console, title, {name: f"{count:,}" for name, count in counts.items()})


def _print_table(console: Console, title: str, rows: Mapping[str, str], limit: int = _SHOWN_NAMES) -> None:
    """Print names and figures, a title line above: rich would break a table's own title in the width of its columns."""
    if not rows:
        return
    console.print()
    if title:
        console.print(Text(title, style="bold"))
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    for name, value in list(rows.items())[:limit]:
        table.add_row(Text(name), value)
    console.print(table)
    if len(rows) > limit:
        console.print(f"… and {len(rows) - limit:,} more (--json lists all)")
