"""`eventune extract`: find events and their arguments in raw text or in a corpus."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from eventune.cli.evaluate import add_model_arguments, load_extractor, notify_of_answers
from eventune.cli.output import add_json_flag, emit, notify
from eventune.errors import EventuneError

if TYPE_CHECKING:
    from rich.console import Console

    from eventune.events import Document
    from eventune.inference.files import Counts, Questions

STREAMED_DOCUMENTS = 16
"""So many documents are extracted together where the result is printed: somebody waits for the first."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the run, and the corpus or the text."""
    from eventune.corpora import AUTO, format_names

    parser.add_argument(
        "run_directory", metavar="RUN", help="run directory that `eventune train` made, or an export of one"
    )
    parser.add_argument(
        "input",
        metavar="INPUT",
        nargs="?",
        help="a .txt file, a folder of them, JSON lines with a text, a corpus in a known format, or - for standard "
        "input; triggers in raw text may be marked: [[shot|attack]]",
    )
    parser.add_argument("--text", help='a text in place of INPUT: "Gunmen [[shot|attack]] three soldiers."')
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="file for the result, for brat a folder; must not exist yet (default: JSON lines on stdout, on a terminal "
        "for people)",
    )
    format_help = f"of the input: {', '.join(format_names())} (default: guess it)"
    parser.add_argument("--format", default=AUTO, choices=[AUTO, *format_names()], metavar="NAME", help=format_help)
    parser.add_argument(
        "--output_format",
        choices=format_names(),
        metavar="NAME",
        help=f"of the output: {', '.join(format_names())} (default: jsonl)",
    )
    parser.add_argument("--text_field", default="", metavar="NAME", help="JSON lines: the field that holds the text")
    parser.add_argument(
        "--language",
        default=AUTO,
        metavar="CODE",
        help="of raw text, e.g. en, zh, de: says how sentences end (default: tell it by the script)",
    )
    parser.add_argument(
        "--type",
        action="append",
        default=[],
        metavar="NAME",
        dest="types",
        help="look for an event of this type in each text without events, without a trigger; may be repeated",
    )
    add_model_arguments(parser)
    add_json_flag(parser)


def run(arguments: argparse.Namespace) -> int:
    """Extract from the text or the corpus."""
    from eventune.corpora.raw_text import RawTexts

    documents = _input(arguments)
    _check_output(arguments)
    extractor = load_extractor(arguments)
    from eventune.inference.files import Questions

    are_raw = arguments.text is not None or isinstance(documents, RawTexts)
    questions = Questions(documents=documents, extractor=extractor, types=arguments.types, are_raw=are_raw)
    counts = _print(arguments, questions) if arguments.output is None else _write(arguments, questions)
    notify_of_answers(extractor)
    if counts["without_events"]:
        notify(
            f"{counts['without_events']} of {counts['documents']} documents have no event: this run finds arguments "
            "and no triggers; mark triggers, or give --type"
        )
    if counts["unknown_types"]:
        notify(f"{counts['unknown_types']} events have a type that the run's ontology lacks: no arguments")
    return 0


def _input(arguments: argparse.Namespace) -> Iterable[Document]:
    """Open what is to be extracted from, before anything else is loaded."""
    from eventune.corpora.raw_text import document_of, open_texts

    if (arguments.text is None) == (arguments.input is None):
        found = "neither" if arguments.text is None else "both"
        raise EventuneError(
            f"expected either INPUT or --text, found {found}", 'e.g. --text "Gunmen [[shot|attack]] three soldiers."'
        )
    if arguments.text is None:
        return open_texts(
            arguments.input, format=arguments.format, text_field=arguments.text_field, language=arguments.language
        )
    if not arguments.text.strip():
        raise EventuneError("--text: expected a text, found an empty one")
    return [document_of(arguments.text, language=arguments.language)]


def _check_output(arguments: argparse.Namespace) -> None:
    """Refuse an output that cannot be made, before the model is loaded."""
    from eventune.corpora import line_format_names
    from eventune.storage.locks import creating

    if arguments.output is None:
        if arguments.output_format is not None and arguments.output_format not in line_format_names():
            raise EventuneError(
                f"--output_format: {arguments.output_format}: expected -o beside it, found none", "e.g. -o found"
            )
    else:
        with creating(Path(arguments.output)):
            pass


def _write(arguments: argparse.Namespace, questions: Questions) -> Counts:
    from eventune.cli.bars import delayed_bar
    from eventune.inference.files import extract_file

    with delayed_bar("extracting", total=None) as bar:
        counts = extract_file(
            questions.extractor,
            questions,
            Path(arguments.output),
            output_format=arguments.output_format or "jsonl",
            on_documents=bar.advance,
            on_batch=lambda *_: bar.advance(0),
        )
    if counts["resumed"]:
        notify(f"{counts['resumed']} documents were there from an interrupted extraction")
    emit(
        {"input": arguments.input or "--text", "output": arguments.output, **counts},
        as_json=arguments.json,
        render=lambda console: console.print(
            f"{counts['documents']} documents, {counts['events']} events, {counts['arguments']} arguments "
            f"→ {arguments.output}"
        ),
    )
    return counts


def _print(arguments: argparse.Namespace, questions: Questions) -> Counts:
    """Print what is found as it is found: for people on a terminal, else a record a line."""
    from eventune.corpora import lines_of
    from eventune.corpora.jsonl import write_document
    from eventune.inference.files import Counts, extracted

    questions.check()
    counts = Counts()
    found = extracted(questions, counts, chunk_documents=STREAMED_DOCUMENTS)
    one = arguments.text is not None or getattr(questions.documents, "is_one_text", False)
    for_people = arguments.output_format is None and (arguments.text is not None or is_terminal())
    if arguments.json or for_people:
        records = [next(write_document(document)) for document in found] if arguments.json else [{}]
        result = records[0] if one else {"input": arguments.input, **counts, "found": records}
        with_arguments = questions.extractor.finds_arguments
        emit(result, as_json=arguments.json, render=lambda console: _show(console, found, not one, with_arguments))
    else:
        for document in found:
            sys.stdout.write("".join(f"{line}\n" for line in lines_of(document, arguments.output_format or "jsonl")))
            sys.stdout.flush()
    return counts


def is_terminal() -> bool:
    """Tell whether a person reads what is printed."""
    return sys.stdout.isatty()


def _show(console: Console, documents: Iterable[Document], with_names: bool, with_arguments: bool) -> None:
    from eventune.cli.highlight import print_document

    for number, document in enumerate(documents):
        if number:
            console.print()
        if with_names:
            console.print(document.id, style="bold underline")
        print_document(console, document, with_arguments=with_arguments)
