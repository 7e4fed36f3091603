"""`eventune data`: check, describe, convert, split, fetch and choose from corpora."""

from __future__ import annotations

import argparse

from eventune.cli import add_verbs

VERBS = {
    "check": "look for errors, duplicates and leaks, and mend what is certain",
    "stats": "count what a corpus holds",
    "convert": "write a corpus in another format",
    "split": "draw a test part, and a dev part, that stay the same",
    "ontology": "show an ontology, or read one off an annotated corpus",
    "select": "choose which unlabelled documents to label next",
    "fetch": "download an openly licensed corpus from its publisher",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be done with a corpus."""
    add_verbs(parser, VERBS, __name__, chosen=VERBS)
