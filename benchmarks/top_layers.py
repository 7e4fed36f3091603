"""What training the top layers alone, on kept states of those below, spares: seconds an epoch and memory.

    python benchmarks/top_layers.py [--documents 160] [--epochs 3] [--repeats 3]

Every way in a process of its own, in turn, on documents of RAMS (or of the built-in sample). The first epoch, which
computes the states, is told apart; seconds are those of the others.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from typing import Any

from train_throughput import Setting, read_documents

WAYS = {
    "full, all layers": ("full", 0),
    "full, top 3": ("full", 3),
    "LoRA, all layers": ("lora", 0),
    "LoRA, top 3": ("lora", 3),
    "LoRA, top 2": ("lora", 2),
}


def main() -> None:
    """Measure each way in turn, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--documents", type=int, default=160)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        print(json.dumps(measured(options.way, options.documents, options.epochs)))
        return
    command = [sys.executable, __file__, "--documents", str(options.documents), "--epochs", str(options.epochs)]
    found: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    for _ in range(options.repeats):
        for way, figures in found.items():
            run = subprocess.run([*command, "--way", way], check=True, capture_output=True, text=True)
            figures.append(json.loads(run.stdout))
    full = statistics.median(each["seconds"] for each in found["full, all layers"])
    print(
        "| way | s an epoch | of full's | first epoch, s | peak memory above baseline, MB |\n|---|---:|---:|---:|---:|"
    )
    for way, figures in found.items():
        seconds, first, memory = (
            statistics.median(each[name] for each in figures) for name in ("seconds", "first", "memory")
        )
        print(f"| {way} | {seconds:.1f} | {seconds / full:.2f} | {first:.1f} | {memory / 1e6:.0f} |")


def measured(way: str, documents_count: int, epochs: int) -> dict[str, float]:
    """Train in this process; return seconds an epoch, those of the first, and memory in bytes."""
    method, layers = WAYS[way]
    documents, ontology, _ = read_documents(documents_count)
    figures = Setting(method, documents, ontology).train(epochs, trained_layers=layers)
    seconds = [epoch["train_seconds"] for epoch in figures]
    peak = max(epoch["peak_memory_bytes"] for epoch in figures)
    return {
        "seconds": statistics.median(seconds[1:]),
        "first": seconds[0],
        "memory": peak - figures[0]["baseline_memory_bytes"],
    }


if __name__ == "__main__":
    main()
