"""`eventune data select`: which unlabelled documents to label next."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from eventune.cli.data.source import reserved
from eventune.cli.evaluate import add_model_arguments, load_extractor, notify_of_answers
from eventune.cli.output import add_json_flag, emit, notify, plain_table
from eventune.errors import EventuneError

if TYPE_CHECKING:
    from eventune.events import Document
    from eventune.inference.extractor import Extractor

_SHOWN = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    from eventune.corpora import AUTO, format_names

    parser.add_argument("run_directory", metavar="RUN", help="run directory that `eventune train` made")
    parser.add_argument(
        "input", metavar="POOL", help="unlabelled documents: a .txt file, a folder of them, JSON lines, or a corpus"
    )
    parser.add_argument("-n", type=int, default=50, metavar="COUNT", dest="count", help="documents (default: 50)")
    parser.add_argument(
        "-o", "--output", metavar="FILE", required=True, help="what is chosen, with what was found; must not exist yet"
    )
    parser.add_argument("--output_format", choices=format_names(), default="jsonl", metavar="NAME")
    parser.add_argument("--format", default=AUTO, choices=[AUTO, *format_names()], metavar="NAME")
    parser.add_argument("--text_field", default="", metavar="NAME", help="JSON lines: the field that holds the text")
    parser.add_argument("--language", default=AUTO, metavar="CODE", help="of raw text, e.g. en, zh (default: tell it)")
    parser.add_argument(
        "--by",
        default="uncertain",
        metavar="STRATEGY",
        help="uncertain: most findings that are likely wrong, unlike each other; diverse: least alike; random",
    )
    parser.add_argument("--labelled", metavar="FILE", help="corpus that is annotated already: unlike its documents")
    parser.add_argument("--seed", type=int, default=0, help="of the strategy random (default: 0)")
    add_model_arguments(parser)
    add_json_flag(parser)


def run(arguments: argparse.Namespace) -> int:
    """Choose, and write what was chosen."""
    from eventune.corpora import Losses, read_corpus, write_corpus
    from eventune.corpora.raw_text import open_texts
    from eventune.inference.selection import STRATEGIES, select

    if arguments.by not in STRATEGIES:
        raise EventuneError(f"--by: expected {' or '.join(STRATEGIES)}, found {arguments.by}")
    if arguments.count < 1:
        raise EventuneError(f"-n: expected an integer >= 1, found {arguments.count}")
    with reserved(arguments.output):
        texts = open_texts(
            arguments.input, format=arguments.format, text_field=arguments.text_field, language=arguments.language
        )
        labelled = read_corpus(arguments.labelled).documents if arguments.labelled else ()
        extractor = load_extractor(arguments)
        pool = _unlabelled(texts, extractor, arguments.input)
        if arguments.by == "uncertain":
            pool = _found(extractor, pool)
        chosen = select(pool, arguments.count, strategy=arguments.by, labelled=labelled, seed=arguments.seed)
        documents: Sequence[Document] = [pool[index] for index in chosen]
        if arguments.by != "uncertain":
            documents = _found(extractor, documents)
        notify_of_answers(extractor.annotator.counts)
        losses = Losses()
        write_corpus(documents, arguments.output, arguments.output_format, losses=losses)
    result = {
        "pool": arguments.input,
        "documents": len(pool),
        "output": arguments.output,
        "by": arguments.by,
        "selected": _described(documents),
        "losses": losses.to_dict(),
    }
    emit(result, as_json=arguments.json, render=lambda console: _render(console, result))
    return 0


def _unlabelled(texts: Iterable[Document], extractor: Extractor, source: str) -> list[Document]:
    """Return the pool as the extractor is asked about it: without events where it finds them itself."""
    from eventune.corpora.raw_text import RawTexts
    from eventune.inference.questions import questions

    asked = questions(extractor, texts, are_raw=isinstance(texts, RawTexts))
    pool = [document.with_events(()) if extractor.detects else document for document in asked]
    if not pool:
        raise EventuneError(f"{source}: expected documents to choose from, found none")
    events = [event for document in pool for event in document.events]
    if not extractor.detects and not events:
        raise EventuneError(
            f"{source}: expected documents with triggers: this run finds arguments and no triggers",
            "use a run with task: events or task: detection",
        )
    if unknown := sum(event.type not in extractor.ontology for event in events):
        notify(f"{unknown} events have a type that the run's ontology lacks: no arguments")
    return pool


def _found(extractor: Extractor, documents: Sequence[Document]) -> list[Document]:
    from eventune.cli.bars import delayed_bar

    with delayed_bar("extracting", total=None) as bar:
        return extractor.extract_all(documents, on_batch=bar.update)


def _described(documents: Sequence[Document]) -> list[dict[str, Any]]:
    from eventune.inference.selection import expected_errors

    return [
        {
            "id": document.id,
            "events": len(document.events),
            "arguments": sum(len(event.arguments) for event in document.events),
            "expected_errors": expected_errors(document),
        }
        for document in documents
    ]


def _render(console: Console, result: dict[str, Any]) -> None:
    console.print(f"{len(result['selected'])} of {result['documents']:,} documents → {result['output']}")
    table = plain_table("document", "events", "arguments", "expected errors")
    for row in result["selected"][:_SHOWN]:
        table.add_row(row["id"], str(row["events"]), str(row["arguments"]), f"{row['expected_errors']:.2f}")
    console.print(table)
    if len(result["selected"]) > _SHOWN:
        console.print(f"and {len(result['selected']) - _SHOWN} more")
    for kind, loss in result["losses"].items():
        console.print(Text.assemble(("lost", "bold yellow"), f": {kind}: {loss['count']:,}, first in {loss['first']}"))
