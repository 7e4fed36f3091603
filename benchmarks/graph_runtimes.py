"""Seconds that onnxruntime and OpenVINO take for an export's graphs, on the batches that a corpus gives.

    pip install openvino
    python benchmarks/graph_runtimes.py EXPORT --file CORPUS --ontology_file ONTOLOGY --documents 60

EXPORT is the folder of one step with a graph in float32 and one in int8: `eventune export RUN EXPORT --int8`, and of a
run in two steps `EXPORT/arguments`. The batches are those that an extraction reads; encoding and decoding are left out.
One thread each, seconds of the processor, medians of the repeats, which go by every way in turn. Beside each stands the
greatest difference of a score from float32's in onnxruntime.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

from eventune import Extractor, read_corpus
from eventune.runtime.graph import Graph

Inputs = Mapping[str, np.ndarray]
Way = Callable[[Inputs], tuple[np.ndarray, np.ndarray]]
OPENVINO = (("float32", "float32", "f32"), ("bfloat16", "float32", "bf16"), ("int8", "int8", "f32"))
"""OpenVINO's ways: a name, the graph, and the precision that it is asked for."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("export", type=Path, metavar="EXPORT")
    parser.add_argument("--file", type=Path, required=True, help="corpus")
    parser.add_argument("--ontology_file", type=Path, help="its types, where they are not those of the export")
    parser.add_argument("--documents", type=int, default=60, help="so many of its first documents")
    parser.add_argument("--repeats", type=int, default=3, help="of which the median is told")
    options = parser.parse_args()
    batches = batches_of(options)
    ways: dict[str, Way] = {
        f"onnxruntime {name}": Graph(graph_file(options.export, name)) for name in ("float32", "int8")
    }
    ways |= {
        f"OpenVINO {name}": openvino_way(graph_file(options.export, graph), hint) for name, graph, hint in OPENVINO
    }
    reference = [ways["onnxruntime float32"](batch) for batch in batches]
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    differences: dict[str, float] = {}
    for _ in range(options.repeats):
        for name, way in ways.items():
            started = time.process_time()
            found = [way(batch) for batch in batches]
            seconds[name].append(time.process_time() - started)
            differences[name] = max(map(difference, found, reference))
    medians = {name: statistics.median(found) for name, found in seconds.items()}
    print(f"{len(batches)} batches of {options.documents} documents, median of {options.repeats}, one thread")
    print(f"{'':<22} {'s':>7} {'of int8':>9} {'difference':>11}")
    for name, median in medians.items():
        print(f"{name:<22} {median:7.2f} {medians['onnxruntime int8'] / median:7.2f} × {differences[name]:11.2g}")


def graph_file(export: Path, name: str) -> Path:
    """Return the file of a graph."""
    return export / f"model.{name}.onnx"


def batches_of(options: argparse.Namespace) -> list[Inputs]:
    """Return what the graph is given when the documents are read."""
    extractor = Extractor.load(options.export, dtype="float32", ontology=options.ontology_file)
    found: list[Inputs] = []
    compute = Graph.__call__

    def record(graph: Graph, inputs: Inputs) -> tuple[np.ndarray, np.ndarray]:
        found.append(dict(inputs))
        return compute(graph, inputs)

    Graph.__call__ = record  # type: ignore[method-assign]
    extractor.extract_all(read_corpus(options.file)[: options.documents])
    Graph.__call__ = compute  # type: ignore[method-assign]
    return found


def openvino_way(file: Path, hint: str) -> Way:
    """Return how OpenVINO computes a graph."""
    import openvino

    core: Any = openvino.Core()
    settings = {"INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY"}
    model = core.compile_model(core.read_model(file), "CPU", settings)
    request = model.create_infer_request()

    def compute(inputs: Inputs) -> tuple[np.ndarray, np.ndarray]:
        found = request.infer(dict(inputs))
        return found[model.output("spans")], found[model.output("null")]

    return compute


def difference(found: tuple[np.ndarray, np.ndarray], expected: tuple[np.ndarray, np.ndarray]) -> float:
    """Return the greatest difference of two results' scores where they are finite."""
    pairs = [(a[np.isfinite(b)], b[np.isfinite(b)]) for a, b in zip(found, expected, strict=True)]
    return max(float(np.abs(a - b).max()) for a, b in pairs)


if __name__ == "__main__":
    main()
