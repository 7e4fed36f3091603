"""One input: a workspace with a change in it, a command run there in this process, and what came of it."""

import contextlib
import io
import json
import os
import random
import re
import shutil
import signal
import socket
import sys
import tempfile
import threading
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from .mutators import clear, mutate, mutate_words

CPU_SECONDS = 20
"""What a command may compute on a tiny input; time that the machine gives to others does not count."""
WALL_SECONDS = 300
"""How long it may take, whatever it does."""
KINDS = ("ok", "findings", "refused", "traceback", "hang", "network", "signal")
BAD = ("traceback", "hang", "network", "signal")


@dataclass(frozen=True)
class Job:
    """A command on files that are right, until one of them is changed.

    Attributes:
        command: How the table calls it.
        words: The command line; it is run where the files are.
        files: What the workspace holds, by name, from the folder of templates; what may be changed is a copy.
        targets: Names of what may be changed.
        copies: Names of what the command may write to.
        offline: Whether nothing in it asks for a download, so that a connection is a fault.
        weight: How often it is drawn.
    """

    command: str
    words: tuple[str, ...]
    files: dict[str, str]
    targets: tuple[str, ...]
    copies: tuple[str, ...] = ()
    offline: bool = True
    weight: float = 1.0


@dataclass(frozen=True)
class Outcome:
    """What came of one input.

    Attributes:
        kind: One of `KINDS`.
        place: Of a fault: the innermost line of the project, and the error.
        detail: Of a fault: all of it.
    """

    kind: str
    place: str = ""
    detail: str = ""


class HangError(BaseException):
    """A command computed for too long; no `except Exception` holds it."""


class ConnectionTriedError(BaseException):
    """A command tried to reach another machine."""


@contextlib.contextmanager
def workspace(job, templates):
    """Lay out a job's files in a folder of its own, which is the working directory while the block lasts."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    before = Path.cwd()
    try:
        for name, source in job.files.items():
            if name in (*job.targets, *job.copies):
                copy = shutil.copytree if (templates / source).is_dir() else shutil.copyfile
                copy(templates / source, folder / name)
            else:
                (folder / name).symlink_to(templates / source)
        os.chdir(folder)
        yield folder
    finally:
        os.chdir(before)
        clear(folder)


def run_input(job, templates, seed):
    """Change something of a job as a seed says, run it, and return what was changed and what came of it."""
    draw = random.Random(seed)
    with workspace(job, templates) as folder:
        words, changes = job.words, []
        if draw.random() < 0.1:
            words, what = mutate_words(words, draw)
            changes.append(what)
        else:
            for _ in range(draw.choice((1, 1, 1, 2, 3))):
                target = folder / draw.choice(job.targets)
                if is_there(target):
                    changes.append(mutate(target, draw))
        # A model that the words name is what the user asked for.
        return "; ".join(changes), run_words(words, offline=job.offline and words == job.words)


def is_there(path):
    """Tell whether a path still leads to something that can be changed."""
    try:
        return path.is_dir() or path.is_file()
    except OSError:  # a link to itself
        return False


def change(path, **fields):
    """Change fields of a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def run_words(words, *, offline=True):
    """Run a command in this process and return what came of it."""
    # As Python opens them.
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace", write_through=True)
    with _isolated(), _without_network(offline), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            with _limited(CPU_SECONDS):
                code = _main(words)
        except HangError as error:
            return Outcome("hang", _place(error), traceback.format_exc())
        except ConnectionTriedError as error:
            return Outcome("network", _place(error), traceback.format_exc())
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a PanicException of the tokenizers is no Exception
            return Outcome("traceback", _place(error), traceback.format_exc())
    printed = (out.buffer.getvalue() + err.buffer.getvalue()).decode("utf-8", errors="replace")
    if "Traceback (most recent call last)" in printed:
        return Outcome("traceback", "printed", printed)
    if code not in (0, 1, 2):
        return Outcome("traceback", f"exit code {code}", printed)
    return Outcome(("ok", "findings", "refused")[code], detail=printed)


def _main(words):
    from eventune.cli import main

    try:
        return main(list(words))
    except SystemExit as stop:
        return stop.code


def _place(error):
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "/eventune/" in frame.filename]
    last = own[-1] if own else frames[-1]
    name = re.sub(r".*/eventune/", "", last.filename)
    message = " ".join(str(error).split())[:80]
    return f"{name}:{last.lineno} {type(error).__name__}: {message}"


@contextlib.contextmanager
def _limited(seconds):
    """Raise in the block when it has computed for too long."""

    def stop(*_):
        raise HangError

    before = signal.signal(signal.SIGPROF, stop)
    # One that waits, such as for the other end of a pipe, computes nothing.
    main = threading.get_ident()
    waiting = threading.Timer(WALL_SECONDS, lambda: signal.pthread_kill(main, signal.SIGPROF))
    waiting.daemon = True
    waiting.start()
    signal.setitimer(signal.ITIMER_PROF, seconds, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        waiting.cancel()
        signal.signal(signal.SIGPROF, before)


@contextlib.contextmanager
def _without_network(is_fault):
    """Let no connection be made."""
    connect, resolve = socket.socket.connect, socket.getaddrinfo

    def refuse(*arguments, **_):
        if arguments and isinstance(arguments[0], socket.socket) and arguments[0].family == socket.AF_UNIX:
            return connect(*arguments)
        raise ConnectionTriedError if is_fault else OSError("no network here")

    socket.socket.connect, socket.getaddrinfo = refuse, refuse
    try:
        yield
    finally:
        socket.socket.connect, socket.getaddrinfo = connect, resolve


@contextlib.contextmanager
def _isolated():
    """Keep what a command sets for the whole process from the next one."""
    from eventune.backbones.resolve import PackagedModel

    def find_small(packaged):
        found = Path("llm" if packaged.place.endswith(".gguf") else "encoder").absolute()
        return found if found.is_dir() else None

    environment, path, hook = dict(os.environ), list(sys.path), sys.unraisablehook
    with warnings.catch_warnings(), mock.patch.object(PackagedModel, "find", find_small):
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(environment)
            sys.path[:] = path
            sys.unraisablehook = hook
            if "accelerate.state" in sys.modules:
                from accelerate.state import AcceleratorState

                AcceleratorState._reset_state(reset_partial_state=True)
