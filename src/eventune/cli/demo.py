"""`eventune demo`: the main job on the built-in sample and packaged weights."""

from __future__ import annotations

import argparse
from contextlib import closing
from importlib import resources

import yaml

from eventune.adapters.libraries import import_model_libraries
from eventune.cli.output import add_json_flag, emit

TEXTS = (
    "Gunmen shelled a warehouse near Mosul on Monday with mortars.",
    "Police in Lyon detained two brokers on charges of fraud. The weather was fine.",
    "The museum opens at nine.",
)
"""What events are found in at the end; none of it is in the sample."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where the run goes."""
    parser.add_argument(
        "--output_dir", default="runs/demo", metavar="FOLDER", help="run directory; an earlier demo in it is replaced"
    )
    add_json_flag(parser)


def run(arguments: argparse.Namespace) -> int:
    """Train on the sample, score, and show what is found in plain sentences."""
    import_model_libraries()
    from rich.console import Console

    from eventune.cli.highlight import print_document
    from eventune.cli.progress import TerminalReporter
    from eventune.cli.train import print_result
    from eventune.corpora.jsonl import write_document
    from eventune.events import Document
    from eventune.events.segmentation import segment
    from eventune.inference.extractor import Extractor
    from eventune.recipe import Recipe
    from eventune.runs.training import train

    settings = yaml.safe_load(resources.files("eventune.cli").joinpath("demo.yaml").read_text(encoding="utf-8"))
    recipe = Recipe.of({**settings, "output_dir": arguments.output_dir, "overwrite_output_dir": True})
    with closing(TerminalReporter()) as reporter:
        result = train(recipe, reporter=reporter).to_dict()
    documents = [Document(f"text{n}", text, *segment(text)) for n, text in enumerate(TEXTS, start=1)]
    shown = Extractor.load(arguments.output_dir).extract_all(documents)

    def render(console: Console) -> None:
        print_result(console, result, arguments.output_dir)
        for document in shown:
            console.print()
            print_document(console, document)
        console.print(
            f'\nYour own: eventune extract {arguments.output_dir} --text "Rebels shelled the old bridge."',
            soft_wrap=True,
        )

    extractions = [next(write_document(document)) for document in shown]
    emit(
        {**result, "output_dir": arguments.output_dir, "extractions": extractions},
        as_json=arguments.json,
        render=render,
    )
    return 0
