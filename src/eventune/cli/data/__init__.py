"""`eventune data`: check, describe, convert and fetch corpora."""

from __future__ import annotations

import argparse
from importlib import import_module

VERBS = {
    "check": "look for errors, duplicates and leaks, and mend what is certain",
    "stats": "count what a corpus holds",
    "convert": "write a corpus in another format",
    "ontology": "show an ontology, or read one off an annotated corpus",
    "fetch": "download an openly licensed corpus from its publisher",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    verbs = parser.add_subparsers(dest="data_verb", metavar="COMMAND", required=True)
    for name, summary in VERBS.items():
        child = verbs.add_parser(
            name, help=summary, description=summary[0].upper() + summary[1:] + ".", allow_abbrev=False
        )
        module = import_module(f"eventune.cli.data.{name}")
        module.add_arguments(child)
        child.set_defaults(data_run=module.run)


def run(arguments: argparse.Namespace) -> int:
    """Run the verb.

    Args:
        arguments: The parsed arguments.

    Returns:
        Exit code: 1 where a check found errors, else 0.
    """
    return int(arguments.data_run(arguments))
