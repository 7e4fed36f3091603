"""`eventune export`: a run as a graph that is used without torch."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from eventune.adapters.libraries import import_model_libraries
from eventune.cli.output import add_json_flag, emit, notify, plain_table
from eventune.storage.atomic import refuse_existing

if TYPE_CHECKING:
    from rich.console import Console

    from eventune.events import Document
    from eventune.exporting.exporting import Exported


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the run, the target, and what it is measured on."""
    from eventune.corpora import AUTO, format_names

    parser.add_argument(
        "run_directory", metavar="RUN", help="run directory with task: extraction, detection or events on an encoder"
    )
    parser.add_argument("target", metavar="DIR", help="folder to make; must not exist yet")
    parser.add_argument(
        "--int8",
        action="store_true",
        help="write the encoder in int8 as well, heads in float32; left out where it loses more than half a point of "
        "F1 on --dev_file",
    )
    parser.add_argument(
        "--dev_file", metavar="FILE", help="corpus with gold events, to measure the run before and after"
    )
    format_help = f"its format: {', '.join(format_names())} (default: guess it)"
    parser.add_argument("--format", default=AUTO, choices=[AUTO, *format_names()], metavar="NAME", help=format_help)
    parser.add_argument(
        "--model_name_or_path", metavar="MODEL", help="where the base model is, if not where the run says"
    )
    add_json_flag(parser)


def run(arguments: argparse.Namespace) -> int:
    """Export, and say what was compared."""
    from eventune.cli.bars import delayed_bar
    from eventune.runs.shipped import located
    from eventune.training.run_directory import RunDirectory

    run_directory, target = Path(arguments.run_directory), Path(arguments.target)
    refuse_existing(target)
    RunDirectory(located(run_directory)).require()
    documents = _gold(arguments)
    import_model_libraries()
    from eventune.exporting.exporting import export_run

    with delayed_bar("measuring", total=None) as bar:
        exported = export_run(
            run_directory,
            target,
            int8=arguments.int8,
            documents=documents,
            model_name_or_path=arguments.model_name_or_path,
            on_batch=lambda _, done, total: bar.update(done, total),
        )
    if arguments.int8 and not documents:
        notify("int8 was not measured: give --dev_file to know what it costs")
    if exported.record.int8_refused:
        notify(f"{exported.record.int8_refused}: float32 is kept")
    result = {
        "run": arguments.run_directory,
        "output_dir": arguments.target,
        "bytes": exported.bytes,
        "tolerance": exported.tolerance,
        **asdict(exported.record),
    }
    emit(result, as_json=arguments.json, render=lambda console: _render(console, exported))
    return 0


def _gold(arguments: argparse.Namespace) -> Sequence[Document]:
    from eventune.corpora import read_corpus
    from eventune.errors import EventuneError

    if not arguments.dev_file:
        return ()
    documents = read_corpus(arguments.dev_file, arguments.format).documents
    if not any(document.events for document in documents):
        raise EventuneError(f"--dev_file: {arguments.dev_file}: expected annotated events, found none")
    return documents


def _render(console: Console, exported: Exported) -> None:
    record = exported.record
    for precision, size in exported.bytes.items():
        console.print(
            f"{exported.path}: {size / 1e6:,.1f} MB in {precision}; greatest difference of the scores from torch's, "
            f"relative to their size: {record.differences[precision]:.1e}"
        )
    if record.scores:
        console.print()
        table = plain_table("", exported.title, "documents/s")
        for name, measured in record.scores.items():
            table.add_row(name, f"{100 * measured['f1']:.2f}", f"{measured['documents_per_second']:.1f}")
        console.print(table)
