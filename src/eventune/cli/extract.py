"""`eventune extract`: find events and their arguments in raw text or in a corpus."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from eventune.cli.evaluate import add_model_arguments, load_extractor, notify_of_answers
from eventune.cli.output import add_json_flag, emit, notify
from eventune.cli.terminal import printable, stdout_json
from eventune.errors import EventuneError, InvalidValueError

if TYPE_CHECKING:
    from rich.console import Console

    from eventune.corpora.inputs import Inputs
    from eventune.events import Document
    from eventune.inference.pools import Crew, Options
    from eventune.inference.questions import Counts

STREAMED_DOCUMENTS = 16
"""So many documents are extracted together where the result is printed: somebody waits for the first."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the run, and the corpus or the text."""
    from eventune.corpora import AUTO, format_names, output_formats

    parser.add_argument(
        "run_directory", metavar="RUN", help="run directory that `eventune train` made, or an export of one"
    )
    parser.add_argument(
        "inputs",
        metavar="INPUT",
        nargs="*",
        help="files, folders, patterns ('news/*.jsonl.gz') or URLs: .txt, JSON lines with a text, Parquet, corpora in "
        "a known format, also packed with gzip or zstd; or - for standard input; triggers in raw text may be marked: "
        "[[shot|attack]]",
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
        choices=output_formats(),
        metavar="NAME",
        help=f"of the output: {', '.join(output_formats())} (default: jsonl)",
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
    _add_scale_arguments(parser)
    add_model_arguments(parser)
    add_json_flag(parser)


def _add_scale_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what matters where there are many documents."""
    parser.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="with -o: so many processes, each with the model and one thread (default: none, all cores for one model)",
    )
    parser.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="with -o: a Ray cluster in place of processes of this machine: its address, auto, or local to start one; "
        "--workers says how many take part (default: one a core, or a GPU)",
    )
    parser.add_argument(
        "--batch_tokens",
        type=int,
        default=16_384,
        metavar="N",
        help="tokens, padding included, of documents of like length that are extracted together (default: 16384)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Extract from the text or the corpora."""
    documents = _input(arguments)
    _check_output(arguments)
    counts = _print(arguments, documents) if arguments.output is None else _write(arguments, documents)
    if counts["without_events"]:
        notify(
            f"{counts['without_events']} of {counts['documents']} documents have no event: this run finds arguments "
            "and no triggers; mark triggers, or give --type"
        )
    if counts["unknown_types"]:
        notify(f"{counts['unknown_types']} events have a type that the run's ontology lacks: no arguments")
    return 0


def _input(arguments: argparse.Namespace) -> Inputs:
    """Open what is to be extracted from, before anything else is loaded."""
    from eventune.corpora import AUTO
    from eventune.corpora.inputs import input_of, open_inputs
    from eventune.corpora.raw_text import document_of

    if (arguments.text is None) == (not arguments.inputs):
        found = "neither" if arguments.text is None else "both"
        raise EventuneError(
            f"expected either INPUT or --text, found {found}", 'e.g. --text "Gunmen [[shot|attack]] three soldiers."'
        )
    if arguments.text is None:
        return open_inputs(
            arguments.inputs, format=arguments.format, text_field=arguments.text_field, language=arguments.language
        )
    for flag, default in (("format", AUTO), ("text_field", "")):
        if getattr(arguments, flag) != default:
            raise EventuneError(f"--{flag}: expected INPUT beside it, found --text", "leave it out: --text is raw text")
    if not arguments.text.strip():
        raise EventuneError("--text: expected a text, found an empty one")
    # A mark that is not complete is found before a model is loaded.
    document_of(arguments.text, language=arguments.language)
    return input_of(arguments.text, name="--text", language=arguments.language)


def _check_output(arguments: argparse.Namespace) -> None:
    """Refuse an output that cannot be made, before the model is loaded."""
    from eventune.corpora import line_format_names
    from eventune.inference.partial_files import extracting

    if arguments.workers is not None and arguments.workers < 1:
        raise InvalidValueError("--workers", "an integer >= 1", str(arguments.workers))
    if arguments.batch_tokens < 1:
        raise InvalidValueError("--batch_tokens", "an integer >= 1", str(arguments.batch_tokens))
    if arguments.output is not None:
        with extracting(Path(arguments.output)):
            pass
        return
    if arguments.output_format is not None and arguments.output_format not in line_format_names():
        raise EventuneError(
            f"--output_format: {arguments.output_format}: expected -o beside it, found none", "e.g. -o found"
        )
    if arguments.json and arguments.output_format not in (None, "jsonl"):
        raise EventuneError(
            f"--output_format: {arguments.output_format}: expected -o beside it with --json, found none",
            "give -o FILE, or leave --json out: it prints the own format",
        )
    for flag in ("workers", "ray"):
        if getattr(arguments, flag) is not None:
            raise EventuneError(f"--{flag}: expected -o beside it, found none", "e.g. -o found.jsonl")


def _write(arguments: argparse.Namespace, inputs: Inputs) -> Counts:
    from eventune.cli.bars import delayed_bar
    from eventune.inference.files import extract_file
    from eventune.inference.partial_files import unreadable_file

    target = Path(arguments.output)
    with _crew(arguments) as crew, delayed_bar("extracting", total=None, unit="documents") as bar:
        counts, answers = extract_file(
            crew, inputs, target, output_format=arguments.output_format or "jsonl", on_documents=bar.update
        )
    if counts["resumed"]:
        notify(f"{counts['resumed']} documents were there from an interrupted extraction")
    if counts["unreadable"]:
        records = counts["documents"] + counts["unreadable"]
        notify(f"{counts['unreadable']} of {records} records could not be read: {unreadable_file(target)} says why")
    notify_of_answers(answers)
    emit(
        {"input": _named(arguments), "output": arguments.output, **counts},
        as_json=arguments.json,
        render=lambda console: console.print(
            f"{counts['documents']} documents, {counts['events']} events, {counts['arguments']} arguments "
            f"→ {arguments.output}"
        ),
    )
    return counts


def _options(arguments: argparse.Namespace) -> Options:
    from eventune.inference.pools import Options

    return Options(tuple(arguments.types), arguments.batch_tokens)


@contextmanager
def _crew(arguments: argparse.Namespace) -> Iterator[Crew]:
    """Load the run, here or in processes of its own."""
    from eventune.inference.pools import PoolExtractor

    options = _options(arguments)
    load = partial(load_extractor, arguments)
    if arguments.ray is not None:
        from eventune.inference.cluster import on_ray
        from eventune.runtime.folder import is_export

        needs_none = arguments.endpoint or is_export(Path(arguments.run_directory))
        device = "cpu" if needs_none else arguments.device
        with on_ray(arguments.ray, load, options, arguments.workers, device=device) as on_cluster:
            yield on_cluster
    elif arguments.workers is not None:
        from eventune.inference.workers import processes

        with processes(load, options, arguments.workers) as here:
            yield here
    else:
        yield PoolExtractor(load(), options)


def _print(arguments: argparse.Namespace, inputs: Inputs) -> Counts:
    """Print what is found as it is found: for people on a terminal, else a record a line."""
    from eventune.corpora import lines_of
    from eventune.corpora.jsonl import read_document
    from eventune.inference.files import extracted
    from eventune.inference.pools import PoolExtractor
    from eventune.inference.questions import Counts

    crew = PoolExtractor(load_extractor(arguments), _options(arguments))
    counts = Counts()
    found = (entry.line for entry in extracted(crew, inputs, counts, pool_documents=STREAMED_DOCUMENTS))
    for_people = arguments.output_format is None and (arguments.text is not None or is_terminal())
    if arguments.json or for_people:
        records = list(map(json.loads, found)) if arguments.json else [{}]
        result = records[0] if inputs.is_one_text else {"input": _named(arguments), **counts, "found": records}
        documents = map(read_document, map(json.loads, found))
        options = {"with_names": not inputs.is_one_text, "with_arguments": crew.extractor.finds_arguments}
        emit(result, as_json=arguments.json, render=lambda console: _show(console, documents, **options))
    else:
        output_format = arguments.output_format or "jsonl"
        for line in found:
            lines = [line] if output_format == "jsonl" else lines_of(read_document(json.loads(line)), output_format)
            sys.stdout.write("".join(f"{stdout_json(line)}\n" for line in lines))
            sys.stdout.flush()
    notify_of_answers(crew.extractor.annotator.counts)
    return counts


def _named(arguments: argparse.Namespace) -> str:
    """Return what the inputs are called in a result."""
    return " ".join(arguments.inputs) or "--text"


def is_terminal() -> bool:
    """Tell whether a person reads what is printed."""
    return sys.stdout.isatty()


def _show(console: Console, documents: Iterable[Document], *, with_names: bool, with_arguments: bool) -> None:
    from eventune.cli.highlight import print_document

    for number, document in enumerate(documents):
        if number:
            console.print()
        if with_names:
            console.print(printable(document.id), style="bold underline")
        print_document(console, document, with_arguments=with_arguments)
