"""Thousands of inputs in worker processes: what kills or stops a worker is counted, and passed over."""

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from .harness import BAD, KINDS

ROOT = Path(__file__).resolve().parents[2]
SILENT_SECONDS = 600
"""A worker that says nothing for so long hangs where no signal reaches it."""
CHUNK = 500
"""Inputs of a worker: what a process gathers in memory is given back after them."""


@dataclass
class Tally:
    """What came of many inputs.

    Attributes:
        kinds: Number of inputs by command and kind.
        processor: Seconds of the processor by command.
        faults: The faults, as a worker tells of them.
        seconds: How long it took.
    """

    kinds: Counter = field(default_factory=Counter)
    processor: Counter = field(default_factory=Counter)
    faults: list = field(default_factory=list)
    seconds: float = 0.0

    def add(self, line):
        """Count one input."""
        self.kinds[line["command"], line["kind"]] += 1
        self.processor[line["command"]] += line.get("seconds", 0)
        if line["kind"] in BAD:
            self.faults.append(line)

    def table(self):
        """Return the numbers as a table of Markdown."""
        commands = sorted({command for command, _ in self.kinds})
        heads = ("command", "inputs", *KINDS, "seconds")
        rows = [(name, *(self.kinds[name, kind] for kind in KINDS)) for name in commands]
        rows = [(name, sum(counts), *counts, round(self.processor[name])) for name, *counts in rows]
        rows.append(("all", *(sum(column) for column in zip(*(row[1:] for row in rows), strict=True))))
        lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
        return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def run_many(templates, count, *, seed=0, first=0):
    """Run inputs `first … first + count - 1` of a seed and tally what came of them."""
    tally, began, number, last = Tally(), time.monotonic(), first, first + count
    while number < last:
        number = _chunk(templates, seed, number, min(number + CHUNK, last), tally)
    tally.seconds = time.monotonic() - began
    return tally


def _chunk(templates, seed, first, last, tally):
    """Run a worker and return the number of the input to go on with."""
    command = [sys.executable, "-m", "tests.fuzz.worker", str(templates), str(seed), str(first), str(last)]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    environment.pop("HF_HUB_OFFLINE", None)
    # Not a pipe: nobody would empty it.
    errors = tempfile.TemporaryFile()  # noqa: SIM115
    worker = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, cwd=ROOT, env=environment, text=True)
    begun, done = None, first - 1
    for line in _lines(worker):
        if line.get("begun"):
            begun = line
        else:
            done, begun = line["number"], None
            tally.add(line)
    code = worker.wait()
    with errors, worker.stdout:
        errors.seek(0)
        said = errors.read().decode("utf-8", errors="replace")[-4000:]
    if done == last - 1:
        return last
    if begun is None:
        raise AssertionError(f"the worker ended with code {code} before input {done + 1}:\n{said}")
    kind = "hang" if code == -9 else "signal"
    tally.add({**begun, "kind": kind, "place": f"exit code {code}", "detail": said})
    return begun["number"] + 1


def _lines(worker):
    """Yield what a worker says; one that is silent for too long is killed."""
    said = queue.Queue()
    threading.Thread(target=lambda: [said.put(line) for line in worker.stdout] + [said.put("")], daemon=True).start()
    while True:
        try:
            line = said.get(timeout=SILENT_SECONDS)
        except queue.Empty:
            worker.kill()
            return
        if not line:
            return
        yield json.loads(line)
