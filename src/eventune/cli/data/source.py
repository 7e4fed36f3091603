"""What the verbs on corpora share: naming the file, refusing to overwrite one, and patience."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from eventune.cli.output import status

if TYPE_CHECKING:
    from eventune.corpora import Corpus, CorpusStream

_PATIENCE_SECONDS = 2.0


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add the corpus and its format."""
    parser.add_argument("file", metavar="FILE", help="the corpus; or one that is built in, e.g. sample:warmup")
    parser.add_argument("--format", default="auto", help="its format: jsonl, rams, … (default: guess it)")


def located(name: str) -> Path:
    """Return where a file lies that is named by its path, or by what it is, as in a recipe: `sample:warmup`.

    Raises:
        EventuneError: If there is no such file, but something built in is named alike.
    """
    from eventune.corpora.arguments import BUILT_IN, path_of
    from eventune.errors import EventuneError, did_you_mean
    from eventune.storage.paths import exists

    path = path_of(name) or Path(name)
    if not exists(path) and (hint := did_you_mean(name, BUILT_IN)):
        raise EventuneError(f"{name}: no such file", hint)
    return path


@contextmanager
def reserved(*paths: str | None) -> Iterator[None]:
    """Keep other processes from writing the same files for the length of a block.

    Args:
        paths: What is going to be written, if anything.

    Raises:
        LockedError: If another process is writing one of them.
        EventuneError: As for `creating`.
    """
    from eventune.storage.locks import creating

    with ExitStack() as stack:
        for path in paths:
            if path is not None:
                stack.enter_context(creating(Path(path)))
        yield


@contextmanager
def patience(text: str) -> Iterator[None]:
    """Say what is going on, but only to people, and only where it takes longer than they like to wait."""
    spinner = status.status(Text(text))
    timer = threading.Timer(_PATIENCE_SECONDS, spinner.start)
    if status.is_terminal:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if timer.is_alive():
            # It may be starting the spinner just now, which would then spin for ever.
            timer.join()
        spinner.stop()


def source(corpus: Corpus | CorpusStream) -> dict[str, Any]:
    """Return file and format as JSON values."""
    return {"file": str(corpus.path), "format": corpus.format, "format_guessed": corpus.guessed}


def print_source(console: Console, corpus: Corpus | CorpusStream) -> None:
    """Print file and format."""
    console.print(Text(str(corpus.path), style="bold"))
    console.print(f"format: {corpus.format}{' (guessed)' if corpus.guessed else ''}")
