"""The command line: one module a verb, imported only when the verb is used.

A verb's module has `add_arguments(parser)` and `run(arguments)`, and does no more than parse, call a plain function of
the package, and print what it returns.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections import deque
from collections.abc import Sequence

import eventune
from eventune.errors import EventuneError, did_you_mean

VERBS = {
    "demo": "train, score and extract on the built-in sample",
    "train": "train an extractor from a recipe",
    "evaluate": "score a trained run on a corpus",
    "sft": "fine-tune a causal LM on prompt and response",
    "chat": "talk to a model, with and without its adapter",
    "score": "score a prediction file, without a model",
    "extract": "find events' arguments in a corpus or in raw text",
    "data": "check, describe, convert and fetch corpora",
    "compare": "train several ways and put them into one table",
    "merge": "add a run's adapter to its base: one plain model",
    "convert": "read checkpoints of other tools",
    "inspect": "show what of a model to adapt, and what each rank costs",
    "doctor": "tell what this machine can do, or how to fix an error message",
}


WITH_MODELS = frozenset({"demo", "train", "sft", "chat", "evaluate", "extract", "merge", "inspect"})
"""Verbs that load a model."""


class Parser(argparse.ArgumentParser):
    """A parser that names the closest flag where one is not known; the verbs' parsers are of this class as well.

    A verb that judges unknown `--name value` pairs itself has a mapping `unknown` among its defaults, which takes them;
    one that reads its words in its own way has a list `words`, which takes all that are no flags of the parser.
    """

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse, and refuse what is left over."""
        words = list(sys.argv[1:] if args is None else args)
        own = self.get_default("words")
        if own is not None:
            own += [word for word in words if word not in self._option_string_actions]
            words = [word for word in words if word in self._option_string_actions]
        pairs = self.get_default("unknown")
        if pairs is not None:
            words = self._take_unknown(words, pairs)
        found, unknown = super().parse_known_args(words, namespace or argparse.Namespace())
        if unknown:
            flag = next((word for word in unknown if word.startswith("-")), unknown[0]).partition("=")[0]
            hint = did_you_mean(flag, self._option_string_actions)
            self.error(f"unrecognized arguments: {' '.join(unknown)}{f'; {hint}' if hint else ''}")
        return found, unknown

    def _take_unknown(self, words: list[str], pairs: dict[str, str]) -> list[str]:
        """Move unknown flags with their values to `pairs`, and return the other words."""
        others: list[str] = []
        waiting = deque(words)
        while waiting:
            word = waiting.popleft()
            flag, equals, value = word.partition("=")
            is_unknown = flag.startswith("--") and flag not in {"--", *self._option_string_actions}
            if is_unknown and equals:
                pairs[flag.removeprefix("--")] = value
            elif is_unknown and waiting and not waiting[0].startswith("--"):
                pairs[flag.removeprefix("--")] = waiting.popleft()
            else:
                others.append(word)
        return others


def build_parser(verb: str | None) -> argparse.ArgumentParser:
    """Build the parser; only the chosen verb's own arguments are filled in.

    Args:
        verb: Name of the verb, or None for the overview alone.

    Returns:
        A parser that sets `run` to the verb's function.
    """
    purpose = (eventune.__doc__ or "").partition("\n")[0]
    parser = Parser(prog="eventune", description=purpose, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"eventune {eventune.__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="COMMAND", required=True)
    for name, summary in VERBS.items():
        child = verbs.add_parser(
            name, help=summary, description=summary[0].upper() + summary[1:] + ".", allow_abbrev=False
        )
        if name == verb:
            module = importlib.import_module(f"eventune.cli.{name}")
            module.add_arguments(child)
            child.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: The arguments; the process's own by default.

    Returns:
        Exit code: 0, 1 where a check found errors, 2 for bad input, 130 when interrupted.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file's name need not be text, and not every terminal has all characters; in JSON it is an escape.
        sys.stdout.reconfigure(errors="backslashreplace")
    verb = next((word for word in argv if not word.startswith("-")), None)
    arguments = build_parser(verb).parse_args(argv)
    try:
        if verb in WITH_MODELS:
            # Before transformers and PEFT, which import bitsandbytes with all that it prints.
            importlib.import_module("eventune.adapters.peft_library")
        return int(arguments.run(arguments) or 0)
    except EventuneError as error:
        print_error(error)
        return 2
    except KeyboardInterrupt as interruption:
        sys.stderr.write(": ".join(["interrupted", *map(str, interruption.args)]) + "\n")
        return 130
    except BrokenPipeError:
        # The reader (head, less) has gone; what is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except BaseException as error:
        # What the tokenizers' library, which is not Python's, does about an expression that takes it too long.
        if type(error).__name__ != "PanicException":
            raise
        hint = "the model's tokenizer.json: copy it anew, or take another model"
        print_error(EventuneError(f"a library stopped: {' '.join(str(error).split())[:300]}", hint))
        return 2


def print_error(error: EventuneError) -> None:
    """Print an error and its hint to stderr."""
    sys.stderr.write(f"error: {error.message}\n")
    if error.hint:
        sys.stderr.write(f"hint: {error.hint}\n")
