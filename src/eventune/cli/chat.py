"""`eventune chat`: talk to a model, with and without its adapter."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from eventune.adapters.libraries import import_model_libraries
from eventune.cli.conversion import add_convert_flag, convert_if_needed
from eventune.cli.output import add_json_flag, emit, notify
from eventune.cli.placement import add_placement_flags
from eventune.errors import EventuneError, did_you_mean
from eventune.storage.paths import expanded, is_folder

if TYPE_CHECKING:
    from eventune.chat.session import ChatSession

HELP = (
    "/reset forgets the conversation, /system TEXT sets the system message, /adapter NAME switches, "
    "/compare shows base and adapter or ends that, /exit leaves"
)
COMMANDS = ("/reset", "/system", "/adapter", "/compare", "/help", "/exit")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the model, its adapters, and how answers are generated."""
    parser.epilog = f"In the conversation: {HELP}. Piped lines are turns, too."
    parser.add_argument("model", metavar="MODEL", help="a folder, a packaged model such as smollm2, a hub id, or a run")
    parser.add_argument(
        "--adapter", metavar="RUN", action="append", default=[], help="a run on it, or NAME=RUN; may be repeated"
    )
    parser.add_argument("--compare", action="store_true", help="print the base's answer and the adapter's")
    parser.add_argument("--once", metavar="TEXT", help="answer this and end")
    parser.add_argument("--system", metavar="TEXT", default="", help="system message")
    parser.add_argument("--max_new_tokens", metavar="N", type=int, default=256, help="the longest answer (256)")
    parser.add_argument("--do_sample", action="store_true", help="draw tokens in place of taking the likeliest")
    parser.add_argument("--temperature", metavar="X", type=float, default=1.0, help="for --do_sample (1.0)")
    parser.add_argument("--top_p", metavar="X", type=float, default=1.0, help="for --do_sample (1.0)")
    parser.add_argument("--num_beams", metavar="N", type=int, default=1, help="beams (1)")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="seed of --do_sample (0)")
    add_placement_flags(parser)
    add_convert_flag(parser)
    add_json_flag(parser)


def run(arguments: argparse.Namespace) -> int:
    """Talk until the input ends."""
    from eventune.backbones.resolve import resolve

    if arguments.json and arguments.once is None:
        raise EventuneError("--json: expected --once TEXT beside it, found none")
    if arguments.once is not None and not arguments.once.strip():
        raise EventuneError("--once: expected a question, found an empty one")
    if not arguments.convert and not is_folder(expanded(arguments.model)):
        resolve(arguments.model)
    import_model_libraries()
    from eventune.chat.models import base_of, open_chat_models
    from eventune.generation.generating import GenerationSettings

    settings = GenerationSettings(
        max_new_tokens=arguments.max_new_tokens,
        do_sample=arguments.do_sample,
        temperature=arguments.temperature,
        top_p=arguments.top_p,
        num_beams=arguments.num_beams,
        seed=arguments.seed,
    )
    if arguments.convert:
        name, revision = base_of(expanded(arguments.model))
        convert_if_needed(name or arguments.model, revision=revision, may_download=not name)
    chat_models = open_chat_models(
        arguments.model, _adapters(arguments.adapter), device=arguments.device, dtype=arguments.dtype
    )
    talk = _Talk(chat_models.session(settings, system=arguments.system), compare=arguments.compare)
    if arguments.once is None:
        talk.go_on()
    elif arguments.json:
        answers = talk.answers(arguments.once)
        emit({"prompt": arguments.once, "answers": answers}, as_json=True, render=lambda _: None)
    else:
        talk.turn(arguments.once)
    return 0


def _adapters(words: list[str]) -> dict[str, Path]:
    """Return runs by name; one without a name is called by its folder's."""
    from eventune.chat.models import BASE_NAME, adapter_name

    runs: dict[str, Path] = {}
    for word in words:
        name, equals, path = word.partition("=")
        folder = Path(path if equals else word)
        name = name if equals else adapter_name(folder)
        if name in runs or name == BASE_NAME:
            raise EventuneError(f"--adapter: the name {name!r} is taken", f"e.g. --adapter other={folder}")
        runs[name] = folder
    return runs


class _Talk:
    """Turns and commands of one conversation."""

    def __init__(self, session: ChatSession, *, compare: bool) -> None:
        self._session = session
        self._compare = compare
        if compare:
            _ = session.compared

    def answers(self, text: str) -> dict[str, str]:
        """Return whole answers, by who gave them."""
        found = dict.fromkeys(self._session.compared if self._compare else (self._session.name,), "")
        for name, piece in self._pieces(text):
            found[name] += piece
        return found

    def turn(self, text: str) -> None:
        """Print answers as they come, each under the name of who gives it where there are two."""
        speaker = "" if self._compare else self._session.name
        for name, piece in self._pieces(text):
            if name != speaker:
                self._print(("\n" if speaker else "") + f"[{name}] ")
                speaker = name
            self._print(piece)
        self._print("\n")

    def go_on(self) -> None:
        """Take turns until the input ends or `/exit`."""
        if isinstance(sys.stdin, io.TextIOWrapper):
            # The session itself says what is wrong with bytes that are no text.
            sys.stdin.reconfigure(errors="surrogateescape")
        is_typed = sys.stdin.isatty()
        for line in _lines(is_typed):
            if line == "/exit":
                break
            try:
                self._command(line) if line.startswith("/") else self.turn(line)
            except EventuneError as error:
                # What reads a script's answers has to know that one is missing.
                if not is_typed:
                    raise
                notify(f"error: {error.message}{f' ({error.hint})' if error.hint else ''}")
            except KeyboardInterrupt:
                if not is_typed:
                    raise
                notify("\nstopped; this turn is not kept")

    def _pieces(self, text: str) -> Iterator[tuple[str, str]]:
        if self._compare:
            yield from self._session.compare(text)
        else:
            yield from ((self._session.name, piece) for piece in self._session.ask(text))

    def _command(self, line: str) -> None:
        command, _, rest = line.partition(" ")
        if command == "/reset":
            self._session.reset()
            notify("the conversation begins anew")
        elif command == "/system":
            self._session.system(rest.strip())
            notify(f"the conversation begins anew, with {'this' if rest.strip() else 'no'} system message")
        elif command == "/adapter":
            self._session.switch(rest.strip())
            notify(f"{self._session.name} answers now")
        elif command == "/compare":
            names = self._session.compared
            self._compare = not self._compare
            notify(f"comparing {' and '.join(names) if self._compare else 'no more'}")
        elif command == "/help":
            notify(HELP)
        else:
            raise EventuneError(f"{command}: no such command", did_you_mean(command, COMMANDS) or HELP)

    @staticmethod
    def _print(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


def _lines(is_typed: bool) -> Iterator[str]:
    """Yield what is typed or piped, without empty lines; a prompt shows only where someone types."""
    while True:
        try:
            line = input("> ") if is_typed else next(sys.stdin)
        except (EOFError, StopIteration):
            return
        if line.strip():
            yield line.strip()
