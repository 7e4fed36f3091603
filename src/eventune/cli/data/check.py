"""`eventune data check`."""

from __future__ import annotations

import argparse
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from eventune.cli.data.source import add_source, located, patience, print_source, reserved, source
from eventune.cli.output import add_json_flag, emit
from eventune.errors import EventuneError

if TYPE_CHECKING:
    from eventune.corpora import CorpusStream, Finding

_SHOWN_FINDINGS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add_source(parser)
    parser.add_argument("--ontology_file", metavar="FILE", help="YAML, or the role lines of RAMS")
    parser.add_argument(
        "--other_file", metavar="FILE", nargs="+", default=[], help="other parts, which must not share a text"
    )
    parser.add_argument(
        "--max_length", type=int, metavar="WORDS", help="words that a model's window holds (default: not checked)"
    )
    parser.add_argument(
        "--fix",
        action="store_true",
        help="write a mended corpus: names as in the ontology, no repeated argument, no repeated or shared document",
    )
    parser.add_argument("-o", "--output_file", metavar="OUT", help="where --fix writes; must not exist")
    add_json_flag(parser)


def run(arguments: argparse.Namespace) -> int:
    """Check, and mend where it is asked for; exit code 1 where errors were found (or, with `--fix`, left)."""
    from eventune.corpora import Checker, Fixes, Losses, read_ontology, stream_corpus, texts_of, write_corpus

    if arguments.fix != bool(arguments.output_file):
        raise EventuneError("--fix and --output_file go together", "--fix -o OUT writes the mended corpus to OUT")
    if arguments.max_length is not None and arguments.max_length < 1:
        raise EventuneError(f"--max_length: expected an integer >= 1, found {arguments.max_length}")
    fixed: dict[str, Any] = {}
    with reserved(arguments.output_file), patience(f"checking {arguments.file}"):
        ontology = read_ontology(located(arguments.ontology_file)) if arguments.ontology_file else None
        corpus = stream_corpus(located(arguments.file), arguments.format)
        elsewhere = texts_of({path: stream_corpus(path, arguments.format) for path in arguments.other_file})
        checker = Checker(ontology=ontology, elsewhere=elsewhere, max_length=arguments.max_length)
        if arguments.fix:
            fixes, losses = Fixes(ontology=ontology, elsewhere=elsewhere), Losses()
            write_corpus(checker.passed(fixes.mend(corpus)), arguments.output_file, corpus.format, losses=losses)
            fixed = {"output_file": arguments.output_file, "fixes": fixes.to_dict(), "losses": losses.to_dict()}
        else:
            for document in corpus:
                checker.add(document)
        findings = checker.findings()
    errors = sum(finding.severity == "error" for finding in findings)
    result = {
        **source(corpus),
        **fixed,
        "documents": checker.count,
        "errors": errors,
        "warnings": len(findings) - errors,
        "findings": [finding.to_dict() for finding in findings],
    }
    emit(result, as_json=arguments.json, render=lambda console: _render(console, corpus, result, findings))
    return 1 if errors else 0


def _render(console: Console, corpus: CorpusStream, result: dict[str, Any], findings: list[Finding]) -> None:
    print_source(console, corpus)
    if "fixes" in result:
        console.print(Text.assemble("mended: ", (result["output_file"], "bold")))
        for name, values in (("mended", result["fixes"]), ("lost", result["losses"])):
            for what, value in values.items():
                console.print(f"  {name}: {what}: {value['count']:,}")
    console.print("{documents:,} documents, {errors:,} errors, {warnings:,} warnings".format(**result))

    def kind(finding: Finding) -> tuple[str, str]:
        return finding.severity, finding.kind

    for (severity, name), group in groupby(sorted(findings, key=kind), key=kind):
        found = list(group)
        style = "bold red" if severity == "error" else "bold yellow"
        console.print()
        console.print(Text.assemble((severity, style), f": {name} ({len(found):,})"))
        for finding in found[:_SHOWN_FINDINGS]:
            place = f"{finding.document} {finding.where}".rstrip()
            console.print(Text.assemble("  ", (place or "all documents", "cyan"), f": {finding.message}"))
        if len(found) > _SHOWN_FINDINGS:
            console.print(f"  … and {len(found) - _SHOWN_FINDINGS:,} more (--json lists all)")
