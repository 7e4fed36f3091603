"""How quickly documents are read by torch, unmerged and merged, in two types, and by an export in float32 and in int8.

    python benchmarks/runtime.py RUN EXPORT --file CORPUS --documents 100 --repeats 3

RUN is a run directory and EXPORT what `eventune export RUN EXPORT --int8` made of it. Where the corpus has events of
the run's types, F1 stands beside each speed, by the run's own definition. One thread each, and the processor's seconds,
not the clock's: what else the machine does counts little. Each repeat reads all documents by every way in turn.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

from eventune import Extractor, read_corpus
from eventune.exporting.measuring import Measured, Measuring
from eventune.runs.merging import merge_run
from eventune.runs.opening import open_run


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("export", type=Path, metavar="EXPORT")
    parser.add_argument("--file", type=Path, required=True, help="corpus")
    parser.add_argument("--documents", type=int, default=100, help="so many of its first documents")
    parser.add_argument("--repeats", type=int, default=3, help="of which the median is told")
    arguments = parser.parse_args()
    documents = read_corpus(arguments.file)[: arguments.documents]
    measuring = Measuring.of(arguments.run, open_run(arguments.run).entry, documents)
    with tempfile.TemporaryDirectory() as folder:
        merge_run(arguments.run, Path(folder) / "merged")
        ways = {
            "torch, unmerged": Extractor.load(arguments.run),
            "unmerged, bfloat16": Extractor.load(arguments.run, dtype="bfloat16"),
            "torch, merged": Extractor.load(Path(folder) / "merged"),
            "merged, bfloat16": Extractor.load(Path(folder) / "merged", dtype="bfloat16"),
            "ONNX float32": Extractor.load(arguments.export, dtype="float32"),
            "ONNX int8": Extractor.load(arguments.export, dtype="int8"),
        }
    measured: dict[str, list[Measured]] = {name: [] for name in ways}
    for _ in range(arguments.repeats):
        for name, extractor in ways.items():
            measured[name].append(measuring.measure(extractor, clock=time.process_time))
    words = sum(len(document.words) for document in documents) / len(documents)
    known = ways["ONNX float32"].ontology
    has_gold = any(event.type in known for document in documents for event in document.events)
    print(f"{len(documents)} documents of {words:.0f} words, median of {arguments.repeats}, one thread")
    print(f"{'':<18} {'documents/s':>12} {'of unmerged':>12} {'F1':>8}")
    slowest = _median(measured["torch, unmerged"])
    for name, found in measured.items():
        f1 = f"{100 * found[0].f1:.2f}" if has_gold else "–"
        print(f"{name:<18} {_median(found):12.1f} {_median(found) / slowest:10.2f} × {f1:>8}")


def _median(found: Sequence[Measured]) -> float:
    return statistics.median(one.documents_per_second for one in found)


if __name__ == "__main__":
    main()
