"""`eventune serve` under load: speed beside the offline command and other servers, overload, memory, and being stopped.

    python benchmarks/serve_load.py                               # the run warmup on RAMS's dev part
    python benchmarks/serve_load.py runs/rams --seconds 600       # another run, memory over ten minutes
    python benchmarks/serve_load.py --documents 32 --clients 1,8  # a small one

It reads RAMS from the corpora's folder (EVENTUNE_CORPORA, default ../shared/data); the run must detect events. Each
client asks for one document at a time, the next as soon as it has its answer, and each answer is compared with what the
extractor finds in that document alone. Servers and the offline extraction have a process each, one after another, with
one thread for the model. The same extractor stands behind a plain FastAPI endpoint, and behind LitServe where that is
installed (`pip install litserve`): `serve_with_fastapi.py`, `serve_with_litserve.py`. What a request costs beyond the
model is read off the server's own figures: its client's seconds less those in which the model was at work.

Exits with 1 where an answer is wrong or missing; where a figure is not as wanted, that is printed beside it.
"""

from __future__ import annotations

import argparse
import http.client
import importlib.util
import json
import multiprocessing
import os
import re
import signal
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

from serve_clients import (
    ANSWERED,
    BUSY,
    CLOSING,
    NOT_CONNECTED,
    UNANSWERED,
    Heard,
    NotStartedError,
    Question,
    Started,
    ask,
    load,
    started,
)

from eventune import Extractor, read_corpus
from eventune.corpora import write_corpus
from eventune.corpora.inputs import open_inputs
from eventune.corpora.jsonl import read_document, write_document
from eventune.inference.files import extract_file
from eventune.inference.pools import PoolExtractor

CORPORA = Path(os.environ.get("EVENTUNE_CORPORA", Path(__file__).parents[2] / "shared" / "data"))
OWN = "eventune serve"
WANTED_OF_OFFLINE, WANTED_OF_FASTAPI, WANTED_OF_LITSERVE, WANTED_OVERHEAD_MS = 0.85, 2.0, 1.0, 3.0
OVERLOAD_QUEUE, OVERLOAD_CLIENTS = 8, 48
STOPPED_CLIENTS, STOPPED_AFTER_SECONDS = 16, 3.0
MEMORY_CLIENTS = 64


@dataclass(frozen=True)
class Alone:
    """The extractor without a server: documents a second into a file, and what it finds in each document alone."""

    per_second: float
    found: list[dict[str, Any]]


@dataclass(frozen=True)
class Bench:
    """What all measurements share."""

    run: str
    folder: Path
    questions: Sequence[Question]

    def eventune(self, *flags: str) -> AbstractContextManager[Started]:
        """Start `eventune serve`."""
        return started(["-m", "eventune", "serve", self.run, "--port", "0", "--json", *flags], os.environ, self.log)

    def other(self, name: str) -> AbstractContextManager[Started]:
        """Start the server of `serve_with_NAME.py` with the same extractor."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        script = Path(__file__).with_name(f"serve_with_{name}.py")
        return started([str(script), self.run, str(port)], os.environ, self.log)

    @property
    def log(self) -> Path:
        """Where the servers' errors go."""
        return self.folder / "log"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", default="warmup", metavar="RUN", help="a run that detects (default: warmup)")
    parser.add_argument("--documents", type=int, default=128, help="of RAMS's dev part (default: 128)")
    parser.add_argument("--clients", default="1,8,32,64", help="numbers of clients (default: 1,8,32,64)")
    parser.add_argument("--seconds", type=float, default=60.0, help="over which memory is watched (default: 60)")
    arguments = parser.parse_args()
    corpus = read_corpus(CORPORA / "rams" / "dev.jsonlines")
    documents = [document.with_events(()) for document in corpus[: arguments.documents]]
    records = [next(write_document(document)) for document in documents]
    words = statistics.mean(len(document.tokens) for document in documents)
    print(f"{arguments.run}: {len(documents)} documents of {words:.0f} words, one thread for the model")
    with tempfile.TemporaryDirectory() as folder, multiprocessing.get_context("spawn").Pool(1) as pool:
        alone = pool.apply(extract_alone, (arguments.run, records))
        pool.terminate()
        bodies = (json.dumps({"documents": [record]}).encode() for record in records)
        questions = [Question(body, found) for body, found in zip(bodies, alone.found, strict=True)]
        bench = Bench(arguments.run, Path(folder), questions)
        is_right = measure_speed(bench, alone, [int(number) for number in arguments.clients.split(",")])
        with bench.eventune() as server:
            measure_overhead(server, questions)
            is_right &= watch_memory(server, questions, arguments.seconds)
        is_right &= overload(bench)
        is_right &= stop(bench, signal.SIGTERM)
        is_right &= stop(bench, signal.SIGKILL)
    return 0 if is_right else 1


def extract_alone(run: str, records: Sequence[Mapping[str, Any]]) -> Alone:
    """Extract as `eventune extract` does into a file, and document by document."""
    extractor = Extractor.load(run)
    documents = [read_document(record) for record in records]
    found = [next(write_document(extractor.extract_all([document])[0])) for document in documents]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "documents.jsonl"
        write_corpus(documents, source)
        begun = time.perf_counter()
        extract_file(PoolExtractor(extractor), open_inputs([str(source)]), Path(folder) / "found.jsonl")
        return Alone(len(documents) / (time.perf_counter() - begun), found)


def measure_speed(bench: Bench, alone: Alone, numbers: Sequence[int]) -> bool:
    """Let ever more clients ask each server, and print how quickly they are answered."""
    ways = {OWN: (bench.eventune, "/v1/extract"), "FastAPI": (lambda: bench.other("fastapi"), "/predict")}
    if importlib.util.find_spec("litserve"):
        ways["LitServe"] = (lambda: bench.other("litserve"), "/predict")
    print(f"\neventune extract: {alone.per_second:.2f} documents/s\n")
    print("| server | clients | documents/s | of offline | p50, s | p95, s | p99, s | other digits | wrong, missing |")
    print("| --- | --: | --: | --: | --: | --: | --: | --: | --: |", flush=True)
    best: dict[str, float] = {}
    bad = 0
    for name, (start, path) in ways.items():
        try:
            with start() as server:
                load(server, path, bench.questions[:4], clients=1)
                for clients in numbers:
                    heard = load(server, path, bench.questions, clients=clients)
                    best[name] = max(heard.per_second, best.get(name, 0.0))
                    missing = heard.wrong + len(bench.questions) - heard.outcomes[ANSWERED]
                    bad += missing if name == OWN else 0
                    print(f"| {name} | {clients} | {row_of(heard, alone)} | {missing} |", flush=True)
        except NotStartedError as error:
            if name == OWN:
                raise
            # Such as LitServe beside another version of a library than it knows.
            print(f"{name} did not start: {str(error).strip().splitlines()[-1]}", flush=True)
    own = best.pop(OWN)
    print()
    wanted = {"FastAPI": WANTED_OF_FASTAPI, "LitServe": WANTED_OF_LITSERVE}
    tell("at its best, of offline", own / alone.per_second, WANTED_OF_OFFLINE, " ×")
    for name, rate in best.items():
        if rate:
            tell(f"at its best, of {name}", own / rate, wanted[name], " ×")
    return not bad


def row_of(heard: Heard, alone: Alone) -> str:
    """Return figures as cells of a table."""
    cuts = " | ".join(f"{quantile(heard.seconds, cut):.2f}" for cut in (0.5, 0.95, 0.99))
    return f"{heard.per_second:.2f} | {heard.per_second / alone.per_second:.2f} × | {cuts} | {heard.other_digits}"


def measure_overhead(server: Started, questions: Sequence[Question]) -> None:
    """Ask one question after another, and print what each cost beyond the model's seconds."""
    connection = http.client.HTTPConnection(server.host, server.port)
    ask(connection, "/v1/extract", questions[0].body)
    beyond, model = [], []
    for question in questions:
        before = model_seconds(connection)
        begun = time.perf_counter()
        ask(connection, "/v1/extract", question.body)
        took = time.perf_counter() - begun
        model.append(model_seconds(connection) - before)
        beyond.append(1000 * (took - model[-1]))
    print(f"the model alone: p50 {quantile(model, 0.5):.3f} s, p95 {quantile(model, 0.95):.3f} s")
    print(f"beyond the model, ms: p50 {quantile(beyond, 0.5):.2f}, p99 {quantile(beyond, 0.99):.2f}")
    tell("beyond the model at p95, ms", quantile(beyond, 0.95), WANTED_OVERHEAD_MS, at_most=True)


def model_seconds(connection: http.client.HTTPConnection) -> float:
    """Return the seconds in which the model was at work, as the server counts them."""
    _, figures = ask(connection, "/metrics")
    found = re.search(rb'eventune_step_seconds_sum\{step="model"\} (\S+)', figures)
    return float(found[1]) if found else 0.0


def watch_memory(server: Started, questions: Sequence[Question], seconds: float) -> bool:
    """Let many clients ask for some time, and print what the server holds in memory at quarters of it."""
    held = [server.memory_bytes]
    bad = 0
    for _ in range(4):
        heard = load(server, "/v1/extract", questions, clients=MEMORY_CLIENTS, seconds=seconds / 4)
        bad += heard.wrong + heard.outcomes.total() - heard.outcomes[ANSWERED]
        held.append(server.memory_bytes)
    print(f"memory over {seconds:.0f} s, MB: {', '.join(f'{held_bytes / 1e6:.0f}' for held_bytes in held)}", flush=True)
    return not bad


def overload(bench: Bench) -> bool:
    """Let far more ask than may wait, and tell whether each is answered or refused with 429."""
    flags = ("--max_queue", str(OVERLOAD_QUEUE), "--max_documents", str(OVERLOAD_QUEUE))
    with bench.eventune(*flags) as server:
        heard = load(server, "/v1/extract", bench.questions, clients=OVERLOAD_CLIENTS, seconds=10)
    print(f"{OVERLOAD_CLIENTS} clients, {OVERLOAD_QUEUE} may wait: {outcomes_of(heard)}")
    return heard.wrong == 0 and heard.outcomes.keys() == {ANSWERED, BUSY}


def stop(bench: Bench, number: signal.Signals) -> bool:
    """Stop a server that is asked, and tell whether what was accepted is answered rightly or refused.

    After SIGTERM every request on an open connection must be answered or refused. After `kill -9` requests may stay
    without an answer, but none may be cut short and pass for whole.
    """
    with bench.eventune() as server:
        timer = threading.Timer(STOPPED_AFTER_SECONDS, server.process.send_signal, [number])
        timer.start()
        seconds = STOPPED_AFTER_SECONDS + 10
        heard = load(server, "/v1/extract", bench.questions, clients=STOPPED_CLIENTS, seconds=seconds)
        code = server.process.wait(120)
    print(f"{number.name} under load: {outcomes_of(heard)}; exit code {code}")
    allowed = {ANSWERED, CLOSING, NOT_CONNECTED, UNANSWERED}
    lost = heard.outcomes[UNANSWERED] if number is signal.SIGTERM else 0
    return heard.wrong == 0 and heard.outcomes.keys() <= allowed and not lost


def outcomes_of(heard: Heard) -> str:
    """Return outcomes as words."""
    counts: Counter[str] = heard.outcomes
    return ", ".join(f"{count} × {name}" for name, count in counts.most_common()) + f", {heard.wrong} wrong"


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of all lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def tell(what: str, found: float, wanted: float, unit: str = "", *, at_most: bool = False) -> None:
    """Print a figure and whether it is as wanted."""
    is_met = found <= wanted if at_most else found >= wanted
    bound = "at most" if at_most else "at least"
    print(f"{what}: {found:.2f}{unit} (wanted {bound} {wanted:g}: {'met' if is_met else 'NOT met'})", flush=True)


if __name__ == "__main__":
    sys.exit(main())
