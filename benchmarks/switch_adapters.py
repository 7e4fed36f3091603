"""How long several adapters with heads on one base take to switch, and what mixing them in one batch saves.

    python benchmarks/switch_adapters.py

Makes adapters with random weights for the joint extractor on `minilm`, so it measures time only.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch

from eventune.adapters.arguments import AdapterArguments
from eventune.adapters.attaching import attach
from eventune.adapters.bank import AdapterBank
from eventune.adapters.store import save_trained
from eventune.backbones.load import load_encoder
from eventune.backbones.resolve import resolve
from eventune.extraction.model import JointExtractor

ROWS, TOKENS, ROLES = 16, 128, 5


def make_model() -> JointExtractor:
    """Build the extractor that every adapter is made for."""
    return JointExtractor(load_encoder(resolve("minilm")).model, max_span_length=12)


def make_inputs() -> tuple[torch.Tensor, ...]:
    """Make a batch as the extractor takes it."""
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(1000, 20000, (ROWS, TOKENS), generator=generator)
    words = torch.arange(TOKENS).expand(ROWS, -1)
    ones = torch.ones_like(tokens)
    roles = torch.tensor([[[role + 1, role + 1] for role in range(ROLES)]] * ROWS)
    return tokens, ones, ones, roles, words, words, torch.zeros_like(tokens)


def seconds_of(work: object, repeats: int) -> float:
    """Return the median time of a call, after one that is not counted."""
    assert callable(work)
    work()
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adapters", type=int, default=4, help="number of adapters")
    parser.add_argument("--repeats", type=int, default=20, help="repeats of each measurement")
    arguments = parser.parse_args()
    names = [f"adapter{number}" for number in range(arguments.adapters)]
    bank = AdapterBank(make_model())
    load_seconds = []
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            saved = save_trained(attach(make_model(), AdapterArguments()), Path(folder))
            started = time.perf_counter()
            bank.add(name, Path(folder))
            load_seconds.append(time.perf_counter() - started)
    inputs = make_inputs()
    turns = iter(names * (arguments.repeats + 1))
    switch = seconds_of(lambda: bank.use(next(turns)), arguments.repeats)
    rows = [names[row % len(names)] for row in range(ROWS)]

    def mixed() -> None:
        with bank.mixed(rows) as run, torch.inference_mode():
            run(*inputs)

    def one_after_another() -> None:
        for name in names:
            chosen = [row for row, other in enumerate(rows) if other == name]
            with torch.inference_mode():
                bank.use(name)(*(tensor[chosen] for tensor in inputs))

    def one_by_one() -> None:
        for row, name in enumerate(rows):
            with torch.inference_mode():
                bank.use(name)(*(tensor[row : row + 1] for tensor in inputs))

    print(f"{len(names)} adapters of {saved.bytes / 1e6:.2f} MB on one base")
    print(f"load one:                    {1000 * statistics.median(load_seconds):8.1f} ms")
    print(f"switch:                      {1000 * switch:8.2f} ms")
    for label, work in (
        (f"{ROWS} rows, one by one", one_by_one),
        (f"{ROWS} rows, adapter by adapter", one_after_another),
        (f"{ROWS} rows, mixed in one batch", mixed),
    ):
        print(f"{label + ':':<28} {1000 * seconds_of(work, arguments.repeats):8.1f} ms")


if __name__ == "__main__":
    main()
