"""The command line: one module a verb, imported only when the verb is used.

A verb's module has `add_arguments(parser)` and `run(arguments)`, and does no more than parse, call a plain function of
the package, and print what it returns; a group of verbs has the first alone. What can be said to be wrong without a
model is said before any model library is imported (`adapters.libraries`).
"""

from __future__ import annotations

import argparse
import importlib
import io
import json
import os
import sys
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from typing import NoReturn

import eventune
from eventune.cli.terminal import printable, stdout_json
from eventune.errors import EventuneError, did_you_mean, library_error

VERBS = {
    "demo": "train, score and extract on the built-in sample",
    "train": "train an extractor from a recipe",
    "evaluate": "score a trained run on a corpus",
    "sft": "fine-tune a causal LM on prompt and response",
    "chat": "talk to a model, with and without its adapter",
    "score": "score a prediction file, without a model",
    "extract": "find events and their arguments in raw text or in a corpus",
    "serve": "serve runs over HTTP, with a page to correct what they find",
    "mcp": "serve a run to assistants, by the Model Context Protocol",
    "data": "check, describe, convert and fetch corpora",
    "recipes": "list the published recipes, or print one",
    "compare": "train several ways and put them into one table",
    "ensemble": "put several runs together into one, for more F1 than each has",
    "merge": "add a run's adapter to its base: one plain model",
    "export": "write a run as a graph that is used without torch",
    "convert": "read checkpoints of other tools",
    "inspect": "show what of a model to adapt, and what each rank costs",
    "doctor": "tell what this machine can do, or how to fix an error message",
}


class _UsageError(Exception):
    """A command line that is refused.

    Attributes:
        usage: How the command is used, and the message, as people read it.
        message: The message alone.
    """

    def __init__(self, usage: str, message: str) -> None:
        super().__init__(message)
        self.usage, self.message = usage, message


class Parser(argparse.ArgumentParser):
    """A parser that names the closest flag where one is not known; the verbs' parsers are of this class as well.

    Attributes:
        takes_unknown: Whether the verb judges unknown `--name value` pairs itself, which it finds in `unknown`.
        takes_words: Whether it reads its words in its own way: all that are no flags of the parser are in `words`.
    """

    takes_unknown = False
    takes_words = False

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse, and refuse what is left over."""
        words = list(sys.argv[1:] if args is None else args)
        taken: dict[str, object] = {}
        if self.takes_words:
            taken["words"] = [word for word in words if word not in self._option_string_actions]
            words = [word for word in words if word in self._option_string_actions]
        if self.takes_unknown:
            words, taken["unknown"] = self._without_unknown(words)
        found, unknown = super().parse_known_args(words, namespace or argparse.Namespace())
        for action in self._get_positional_actions():
            # argparse gives up optional words as soon as flags stand between them and the word before.
            if action.nargs == "?" and getattr(found, action.dest) is None and _is_word(unknown[:1]):
                setattr(found, action.dest, unknown.pop(0))
            while action.nargs == "*" and _is_word(unknown[:1]):
                setattr(found, action.dest, [*getattr(found, action.dest), unknown.pop(0)])
        if unknown:
            flag = next((word for word in unknown if word.startswith("-")), unknown[0]).partition("=")[0]
            hint = did_you_mean(flag, self._option_string_actions)
            self.error(f"unrecognized arguments: {' '.join(unknown)}{f'; {hint}' if hint else ''}")
        vars(found).update(taken)
        return found, unknown

    def error(self, message: str) -> NoReturn:
        """Refuse the command line; `main` prints how it is used."""
        raise _UsageError(f"{self.format_usage()}{self.prog}: error: {message}\n", message)

    def _without_unknown(self, words: list[str]) -> tuple[list[str], dict[str, str]]:
        """Return the words without unknown flags and their values, and the latter."""
        others: list[str] = []
        pairs: dict[str, str] = {}
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
        return others, pairs


def _is_word(first: Sequence[str]) -> bool:
    """Tell whether there is a first, and it is no flag; `-` is standard input."""
    return bool(first) and (first[0] == "-" or not first[0].startswith("-"))


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
    add_verbs(parser, VERBS, "eventune.cli", chosen=(verb,))
    return parser


def add_verbs(
    parser: argparse.ArgumentParser, verbs: Mapping[str, str], package: str, *, chosen: Collection[str | None]
) -> list[argparse.ArgumentParser]:
    """Add verbs to a parser.

    Args:
        parser: The parser.
        verbs: Summary of each.
        package: Where their modules are.
        chosen: Those that are imported and whose arguments are filled in.

    Returns:
        The parsers of the chosen ones, which set `run` to the verb's function.
    """
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    filled = []
    for name, summary in verbs.items():
        child = subparsers.add_parser(
            name, help=summary, description=summary[0].upper() + summary[1:] + ".", allow_abbrev=False
        )
        if name in chosen:
            module = importlib.import_module(f"{package}.{name.replace('-', '_')}")
            module.add_arguments(child)
            if hasattr(module, "run"):
                child.set_defaults(run=module.run)
            filled.append(child)
    return filled


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: The arguments; the process's own by default.

    Returns:
        Exit code: 0, 1 where a check found errors, 2 for bad input, 130 when interrupted.

    Raises:
        SystemExit: With 2, if the command line itself is refused.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file's name need not be text, and not every terminal has all characters; in JSON it is an escape.
        sys.stdout.reconfigure(errors="backslashreplace")
    verb = next((word for word in argv if not word.startswith("-")), None)
    try:
        arguments = build_parser(verb).parse_args(argv)
        return int(arguments.run(arguments) or 0)
    except _UsageError as error:
        sys.stderr.write(error.usage)
        _emit_error(error.message, "", argv)
        raise SystemExit(2) from None
    except EventuneError as error:
        return _refuse(error, argv)
    except KeyboardInterrupt as interruption:
        sys.stderr.write(": ".join(["interrupted", *map(str, interruption.args)]) + "\n")
        return 130
    except BrokenPipeError:
        # The reader (head, less) has gone; what is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        return _refuse(library_error(error), argv)


def _refuse(error: EventuneError, argv: Sequence[str]) -> int:
    """Print an error wherever it is expected, and return the exit code."""
    print_error(error)
    _emit_error(error.message, error.hint, argv)
    return 2


def _emit_error(message: str, hint: str, argv: Sequence[str]) -> None:
    """Print an error as the one JSON object on stdout that `--json` promises."""
    if "--json" in argv:
        error = {"error": {"message": message, "hint": hint}}
        sys.stdout.write(stdout_json(json.dumps(error, ensure_ascii=False)) + "\n")


def print_error(error: EventuneError) -> None:
    """Print an error and its hint to stderr."""
    sys.stderr.write(printable(f"error: {error.message}\n"))
    if error.hint:
        sys.stderr.write(printable(f"hint: {error.hint}\n"))
