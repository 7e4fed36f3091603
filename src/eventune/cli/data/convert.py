"""`eventune data convert`."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from eventune.cli.data.source import located, patience, reserved, source
from eventune.cli.output import add_json_flag, emit
from eventune.errors import EventuneError

if TYPE_CHECKING:
    from eventune.corpora import CorpusStream
    from eventune.events import Document


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("file", metavar="SOURCE", help="the corpus; or one that is built in, e.g. sample:warmup")
    parser.add_argument("output_file", metavar="TARGET", help="what is written; must not exist")
    parser.add_argument("--format", default="auto", help="its format (default: guess it)")
    parser.add_argument("--output_format", metavar="NAME", default="jsonl", help="that of the target (default: jsonl)")
    parser.add_argument("--coreference_file", metavar="FILE", help="coreference clusters of the source (WikiEvents)")
    parser.add_argument(
        "--output_coreference_file", metavar="FILE", help="where coreference clusters are written; must not exist"
    )
    add_json_flag(parser)


def run(arguments: argparse.Namespace) -> int:
    """Convert; what the target's format has no place for is told, and no error."""
    from eventune.corpora import Losses, stream_corpus, write_corpus

    if arguments.output_file == arguments.output_coreference_file:
        raise EventuneError(f"{arguments.output_file}: is to hold both corpus and coreference", "name two files")
    losses = Losses()
    with (
        reserved(arguments.output_file, arguments.output_coreference_file),
        patience(f"converting {arguments.file}"),
    ):
        corpus = stream_corpus(located(arguments.file), arguments.format)
        documents = _documents(corpus, arguments.coreference_file)
        count = write_corpus(documents, arguments.output_file, arguments.output_format, losses=losses)
        if arguments.output_coreference_file:
            from eventune.corpora.coreference import write_coreference

            write_coreference(_documents(corpus, arguments.coreference_file), arguments.output_coreference_file)
    result = {
        **source(corpus),
        "output_file": arguments.output_file,
        "output_format": arguments.output_format,
        "documents": count,
        "losses": losses.to_dict(),
    }
    emit(result, as_json=arguments.json, render=lambda console: _render(console, result))
    return 0


def _documents(corpus: CorpusStream, coreference_file: str | None) -> Iterable[Document]:
    if coreference_file is None:
        return corpus
    from eventune.corpora.coreference import with_coreference

    return with_coreference(corpus, coreference_file)


def _render(console: Console, result: dict[str, Any]) -> None:
    console.print(Text(result["output_file"], style="bold"))
    formats = f"{result['format']}{' (guessed)' if result['format_guessed'] else ''} to {result['output_format']}"
    console.print(f"{result['documents']:,} documents, {formats}")
    if not result["losses"]:
        console.print("nothing was lost")
    for kind, loss in result["losses"].items():
        console.print(Text.assemble(("lost", "bold yellow"), f": {kind}: {loss['count']:,}, first in {loss['first']}"))
