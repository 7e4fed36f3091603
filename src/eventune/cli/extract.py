"""`eventune extract`: find events' arguments in a corpus or in raw text."""

from __future__ import annotations

import argparse
from pathlib import Path

from eventune.cli.evaluate import add_model_arguments, load_extractor, notify_of_answers
from eventune.cli.output import add_json_flag, emit, notify
from eventune.errors import EventuneError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the run, and the corpus or the text."""
    from eventune.corpora import AUTO, format_names, line_format_names

    parser.add_argument("run_directory", metavar="RUN", help="run directory that `eventune train` made")
    parser.add_argument("input", metavar="INPUT", nargs="?", help="corpus whose events have a type and a trigger")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="file for the documents with their arguments; must not exist yet"
    )
    parser.add_argument("--text", help='raw text in place of a corpus: "Gunmen [[shot|attack]] three soldiers."')
    format_help = f"of the input: {', '.join(format_names())} (default: guess it)"
    parser.add_argument("--format", default=AUTO, choices=[AUTO, *format_names()], metavar="NAME", help=format_help)
    parser.add_argument(
        "--output_format",
        default="jsonl",
        choices=line_format_names(),
        metavar="NAME",
        help=f"of the output: {', '.join(line_format_names())} (default: jsonl)",
    )
    add_model_arguments(parser)
    add_json_flag(parser)


def run(arguments: argparse.Namespace) -> int:
    """Extract from the text or the corpus."""
    if (arguments.text is None) == (arguments.input is None):
        found = "neither" if arguments.text is None else "both"
        raise EventuneError(
            f"expected either INPUT or --text, found {found}", 'e.g. --text "Gunmen [[shot|attack]] three soldiers."'
        )
    if arguments.text is not None and arguments.output is not None:
        raise EventuneError("--output: expected none beside --text, whose result is printed", "redirect stdout instead")
    if arguments.text is None and arguments.output is None:
        raise EventuneError("--output: expected a file for the result of a corpus, found none", "e.g. -o found.jsonl")
    return _extract_text(arguments) if arguments.text is not None else _extract_corpus(arguments)


def _extract_text(arguments: argparse.Namespace) -> int:
    from eventune.cli.highlight import print_document
    from eventune.corpora.jsonl import write_document
    from eventune.events import parse_marked_text

    document = parse_marked_text(arguments.text)
    extractor = load_extractor(arguments)
    document = extractor.extract(document)
    notify_of_answers(extractor)
    emit(
        next(write_document(document)),
        as_json=arguments.json,
        render=lambda console: print_document(console, document),
    )
    return 0


def _extract_corpus(arguments: argparse.Namespace) -> int:
    extractor = load_extractor(arguments)
    from eventune.cli.progress import delayed_bar
    from eventune.inference.files import extract_file

    with delayed_bar("extracting", total=None) as bar:
        counts = extract_file(
            extractor,
            Path(arguments.input),
            Path(arguments.output),
            format=arguments.format,
            output_format=arguments.output_format,
            on_documents=bar.advance,
        )
    notify_of_answers(extractor)
    if counts["resumed"]:
        notify(f"{counts['resumed']} documents were there from an interrupted extraction")
    if counts["unknown_types"]:
        notify(f"{counts['unknown_types']} events have a type that the run's ontology lacks: no arguments")
    result = {"input": arguments.input, "output": arguments.output, **counts}
    emit(
        result,
        as_json=arguments.json,
        render=lambda console: console.print(
            f"{counts['documents']} documents, {counts['events']} events, {counts['arguments']} arguments "
            f"→ {arguments.output}"
        ),
    )
    return 0
