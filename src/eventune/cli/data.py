"""`eventune data`: check and describe corpora."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from eventune.cli.output import add_json_flag, emit, status

if TYPE_CHECKING:
    from eventune.corpora import Corpus, Finding

_SHOWN_FINDINGS = 3
_SHOWN_NAMES = 15
_PATIENCE_SECONDS = 2.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    verbs = parser.add_subparsers(dest="data_verb", metavar="COMMAND", required=True)
    for name, summary, function in (
        ("check", "look for errors, duplicates and leaks", _check),
        ("stats", "count what a corpus holds", _stats),
    ):
        child = verbs.add_parser(
            name, help=summary, description=summary[0].upper() + summary[1:] + ".", allow_abbrev=False
        )
        child.add_argument("file", metavar="FILE", help="the corpus")
        child.add_argument("--format", default="auto", help="its format: jsonl, rams, … (default: guess it)")
        child.add_argument("--ontology_file", metavar="FILE", help="YAML, or the role lines of RAMS")
        if name == "check":
            child.add_argument(
                "--other_file", metavar="FILE", nargs="+", default=[], help="other parts, which must not share a text"
            )
        add_json_flag(child)
        child.set_defaults(data_run=function)


def run(arguments: argparse.Namespace) -> int:
    """Run the verb.

    Args:
        arguments: The parsed arguments.

    Returns:
        Exit code: 1 where a check found errors, else 0.
    """
    return int(arguments.data_run(arguments))


def _check(arguments: argparse.Namespace) -> int:
    from eventune.corpora import check_corpus, read_corpus, read_ontology

    with _patience(f"checking {arguments.file}"):
        ontology = read_ontology(arguments.ontology_file) if arguments.ontology_file else None
        corpus = read_corpus(arguments.file, arguments.format)
        other = {path: read_corpus(path, arguments.format) for path in arguments.other_file}
        findings = check_corpus(corpus, ontology=ontology, other=other)
    errors = sum(finding.severity == "error" for finding in findings)
    result = {
        **_source(corpus),
        "documents": len(corpus),
        "errors": errors,
        "warnings": len(findings) - errors,
        "findings": [finding.to_dict() for finding in findings],
    }
    emit(result, as_json=arguments.json, render=lambda console: _render_findings(console, corpus, findings))
    return 1 if errors else 0


def _stats(arguments: argparse.Namespace) -> int:
    from eventune.corpora import describe, read_corpus, read_ontology

    with _patience(f"reading {arguments.file}"):
        ontology = read_ontology(arguments.ontology_file) if arguments.ontology_file else None
        corpus = read_corpus(arguments.file, arguments.format)
        figures = describe(corpus, ontology=ontology)
    result = {**_source(corpus), **figures}
    emit(result, as_json=arguments.json, render=lambda console: _render_statistics(console, corpus, figures))
    return 0


@contextmanager
def _patience(text: str) -> Iterator[None]:
    """Say what is going on, but only to people, and only where it takes longer than they like to wait."""
    spinner = status.status(Text(text))
    timer = threading.Timer(_PATIENCE_SECONDS, spinner.start)
    if status.is_terminal:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if timer.is_alive():
            # It may be starting the spinner just now, which would then spin for ever.
            timer.join()
        spinner.stop()


def _source(corpus: Corpus) -> dict[str, Any]:
    return {"file": str(corpus.path), "format": corpus.format, "format_guessed": corpus.guessed}


def _print_source(console: Console, corpus: Corpus) -> None:
    console.print(Text(str(corpus.path), style="bold"))
    console.print(f"format: {corpus.format}{' (guessed)' if corpus.guessed else ''}")


def _render_findings(console: Console, corpus: Corpus, findings: list[Finding]) -> None:
    _print_source(console, corpus)
    errors = sum(finding.severity == "error" for finding in findings)
    console.print(f"{len(corpus):,} documents, {errors:,} errors, {len(findings) - errors:,} warnings")

    def kind(finding: Finding) -> tuple[str, str]:
        return finding.severity, finding.kind

    for (severity, name), group in groupby(sorted(findings, key=kind), key=kind):
        found = list(group)
        style = "bold red" if severity == "error" else "bold yellow"
        console.print()
        console.print(Text.assemble((severity, style), f": {name} ({len(found):,})"))
        for finding in found[:_SHOWN_FINDINGS]:
            place = f"{finding.document} {finding.where}".rstrip()
            console.print(Text.assemble("  ", (place, "cyan"), f": {finding.message}"))
        if len(found) > _SHOWN_FINDINGS:
            console.print(f"  … and {len(found) - _SHOWN_FINDINGS:,} more (--json lists all)")


def _render_statistics(console: Console, corpus: Corpus, figures: Mapping[str, Any]) -> None:
    _print_source(console, corpus)
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
    _print_table(console, "", overview)
    for title, counts in (
        ("tokens in an argument", lengths["distribution"]),
        ("sentences from trigger to argument", distance["distribution"]),
        ("events in a document", figures["events_per_document"]["distribution"]),
        ("arguments by role", figures["roles"]),
        ("events by type", figures["types"]),
    ):
        _print_table(console, title, {name: f"{count:,}" for name, count in counts.items()})


def _print_table(console: Console, title: str, rows: Mapping[str, str]) -> None:
    """Print names and figures, a title line above: rich would break a table's own title in the width of its columns."""
    if not rows:
        return
    console.print()
    if title:
        console.print(Text(title, style="bold"))
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    for name, value in list(rows.items())[:_SHOWN_NAMES]:
        table.add_row(Text(name), value)
    console.print(table)
    if len(rows) > _SHOWN_NAMES:
        console.print(f"… and {len(rows) - _SHOWN_NAMES:,} more (--json lists all)")
