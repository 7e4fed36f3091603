"""What a document's events cost together, in passes over its text.

Usage:
    python benchmarks/event_passes.py RUN [RUN ...] --file wikievents/dev.jsonl [--events 17] [--repeats 5]

Takes the document whose number of events is nearest to --events. A pass is what one event costs that reads the whole
text: the first RUN, a run without trigger_window, is timed on each event by itself, and the median is the measure of
all. Each RUN then finds the arguments of all events at once, triggers given. One thread; every figure is a median.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from eventune.corpora import read_corpus
from eventune.events import Document
from eventune.inference.extractor import Extractor


def main() -> None:
    """Time each run, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--events", type=int, default=17)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    documents = read_corpus(options.file).documents
    document = min(documents, key=lambda each: abs(len(each.events) - options.events))
    print(f"{document.id}: {len(document.words)} words, {len(document.events)} events\n")
    alone = [document.with_events([event]) for event in document.events]
    whole = Extractor.load(options.runs[0])
    one_pass = statistics.median(seconds(whole, [event], options.repeats) for event in alone)
    print(f"| run | ms | passes of {1000 * one_pass:.0f} ms |\n|---|---:|---:|")
    for run in options.runs:
        took = seconds(Extractor.load(run), [document], options.repeats)
        print(f"| {run} | {1000 * took:.0f} | {took / one_pass:.1f} |", flush=True)


def seconds(extractor: Extractor, documents: Sequence[Document], repeats: int) -> float:
    """Return how long extraction takes, after one that does not count."""
    took = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        extractor.extract_all(documents)
        took.append(time.perf_counter() - start)
    return statistics.median(took[1:])


if __name__ == "__main__":
    main()
