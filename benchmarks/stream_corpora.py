"""Documents per second and peak memory of reading, describing, converting and scoring a large corpus.

    python benchmarks/stream_corpora.py --documents 100000

Each command runs in a process of its own, as a user would run it; the peak is what the operating system saw.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from eventune.corpora import write_corpus
from eventune.events import Argument, Document, Event, Span

WORDS = [f"word{number}" for number in range(5000)]
ROLES = ("agent", "patient", "place", "instrument")


def write_corpora(folder: Path, documents: int, seed: int) -> tuple[Path, Path]:
    """Write a gold corpus and predictions of which some are wrong, in the project's own format."""

    def annotated(correct: float) -> Iterator[Document]:
        draw = random.Random(seed)
        noise = random.Random(seed + 1)
        for number in range(documents):
            sentences = [[draw.choice(WORDS) for _ in range(draw.randint(12, 30))] for _ in range(5)]
            size = sum(map(len, sentences))
            events = []
            for _ in range(2):
                trigger = draw.randrange(size)
                arguments = []
                for role in ROLES[: draw.randint(1, 4)]:
                    start = draw.randrange(size - 3)
                    length = draw.randint(1, 3)
                    if noise.random() > correct:
                        start = noise.randrange(size - 3)
                    arguments.append(Argument(role, Span(start, start + length)))
                events.append(Event("event.happens", Span(trigger, trigger + 1), tuple(arguments)))
            yield Document.from_sentences(f"d{number}", sentences, events=events)

    gold, predictions = folder / "gold.jsonl", folder / "predictions.jsonl"
    write_corpus(annotated(1.0), gold)
    write_corpus(annotated(0.6), predictions)
    return gold, predictions


def measure(name: str, documents: int, *arguments: str | Path) -> None:
    """Run a command and print its speed and its peak memory."""
    started = time.perf_counter()
    with subprocess.Popen([sys.executable, "-m", "eventune", *map(str, arguments)], stdout=subprocess.DEVNULL) as child:
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    result = {
        "command": name,
        "exit_code": child.returncode,
        "documents": documents,
        "seconds": round(seconds, 1),
        "documents_per_second": round(documents / seconds),
        "peak_memory_mb": round(usage.ru_maxrss / 1024),
    }
    print(json.dumps(result), flush=True)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        gold, predictions = write_corpora(folder, arguments.documents, arguments.seed)
        print(json.dumps({"gold_mb": round(gold.stat().st_size / 2**20)}))
        measure("data stats", arguments.documents, "data", "stats", gold, "--json")
        measure("data check", arguments.documents, "data", "check", gold, "--json")
        converted = folder / "gold.textee.json"
        measure(
            "data convert",
            arguments.documents,
            "data",
            "convert",
            gold,
            converted,
            "--output_format",
            "textee",
            "--json",
        )
        pair = ("--gold", gold, "--predictions", predictions, "--json")
        measure("score", arguments.documents, "score", *pair, "--allow_crossing")
        measure("score --all", arguments.documents, "score", *pair, "--all")


if __name__ == "__main__":
    main()
