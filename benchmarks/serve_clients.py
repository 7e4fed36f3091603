"""A server in a process of its own, and clients that ask it and check each answer; for `serve_load.py`."""

from __future__ import annotations

import http.client
import itertools
import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ANSWERED, BUSY, CLOSING, UNANSWERED, NOT_CONNECTED = "200", "429", "503", "no answer", "not connected"
_START_SECONDS = 300
_CLOSE = 1e-4
"""Probabilities may differ by so much where documents are read in other batches."""


class NotStartedError(Exception):
    """A server that does not come up, with the end of its log."""


@dataclass(frozen=True)
class Started:
    """A server in a process of its own."""

    process: subprocess.Popen[bytes]
    host: str
    port: int

    @property
    def memory_bytes(self) -> int:
        """What it holds in memory now, with all processes that it started."""
        return sum(_resident(process) for process in _family(self.process.pid))


@dataclass(frozen=True)
class Question:
    """A request and the record that must come back."""

    body: bytes
    expected: Mapping[str, Any]


@dataclass
class Heard:
    """What clients heard.

    Attributes:
        outcomes: Requests by their outcome: a status, or why there is none.
        seconds: What each answered one took.
        wrong: Answers that are not what the extractor finds in their document.
        other_digits: Answers that differ from it in the last digits of probabilities alone.
        wall_seconds: From the first request to the last answer.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    wrong: int = 0
    other_digits: int = 0
    wall_seconds: float = 0.0

    @property
    def per_second(self) -> float:
        """Requests answered a second."""
        return self.outcomes[ANSWERED] / self.wall_seconds


@contextmanager
def started(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[Started]:
    """Start a server whose first line on stdout is JSON with its `url`; it is stopped with the block."""
    with (
        log.open("ab") as errors,
        subprocess.Popen(
            [sys.executable, *command], stdout=subprocess.PIPE, stderr=errors, env=dict(environment)
        ) as process,
    ):
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if found := re.search(rb'"url": ?"http://([\d.]+):(\d+)"', line):
                    break
            else:
                raise NotStartedError(_end_of(log))
            server = Started(process, found[1].decode(), int(found[2]))
            if not _listens(server):
                raise NotStartedError(_end_of(log))
            yield server
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


def _end_of(log: Path) -> str:
    return log.read_text(encoding="utf-8")[-1500:]


def _listens(server: Started) -> bool:
    end = time.monotonic() + _START_SECONDS
    while server.process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection((server.host, server.port)).close()
        except OSError:
            time.sleep(0.1)
        else:
            return True
    return False


def ask(connection: http.client.HTTPConnection, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    """Send a request and return its status and answer."""
    connection.request("GET" if body is None else "POST", path, body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    return response.status, response.read()


def load(server: Started, path: str, questions: Sequence[Question], *, clients: int, seconds: float = 0.0) -> Heard:
    """Let clients ask, each the next question as soon as it has its answer.

    Args:
        server: The server.
        path: Where it is asked.
        questions: The questions.
        clients: How many ask at the same time.
        seconds: How long; 0 to ask each question once.

    Returns:
        What they heard.
    """
    heard, lock = Heard(), threading.Lock()
    end = time.monotonic() + seconds
    left = itertools.cycle(questions) if seconds else iter(questions)

    def next_question() -> Question | None:
        with lock:
            return None if seconds and time.monotonic() > end else next(left, None)

    def client() -> None:
        connection = http.client.HTTPConnection(server.host, server.port, timeout=600)
        while question := next_question():
            begun = time.perf_counter()
            outcome, answer = _outcome(connection, path, question)
            took = time.perf_counter() - begun
            with lock:
                heard.outcomes[outcome] += 1
                if outcome == ANSWERED:
                    heard.seconds.append(took)
                    _check(question, answer, heard)
            if outcome == NOT_CONNECTED:
                return
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(clients)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    heard.wall_seconds = time.perf_counter() - begun
    return heard


def _outcome(connection: http.client.HTTPConnection, path: str, question: Question) -> tuple[str, bytes]:
    try:
        if connection.sock is None:
            connection.connect()
            assert connection.sock is not None
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        return NOT_CONNECTED, b""
    try:
        status, answer = ask(connection, path, question.body)
    except (OSError, http.client.HTTPException):
        connection.close()
        return UNANSWERED, b""
    return str(status), answer


def _check(question: Question, answer: bytes, heard: Heard) -> None:
    [found] = json.loads(answer)["documents"]
    if found == question.expected:
        return
    if _close(found, question.expected):
        heard.other_digits += 1
    else:
        heard.wrong += 1


def _close(found: Any, expected: Any) -> bool:
    """Tell whether two records are the same but for the last digits of probabilities."""
    if isinstance(found, dict) and isinstance(expected, dict):
        return found.keys() == expected.keys() and all(_close(found[name], expected[name]) for name in found)
    if isinstance(found, list) and isinstance(expected, list):
        return len(found) == len(expected) and all(map(_close, found, expected))
    if isinstance(found, float) and isinstance(expected, float):
        return abs(found - expected) < _CLOSE
    return bool(found == expected)


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    found = children.read_text().split() if children.exists() else []
    return [pid, *(process for child in found for process in _family(int(child)))]


def _resident(pid: int) -> int:
    try:
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) << 10  # type: ignore[index]
    except (OSError, TypeError):
        return 0
