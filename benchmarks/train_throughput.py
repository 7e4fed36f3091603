"""Speed and memory of training and evaluation, all measured in one run.

    make benchmark                    # or: .venv/bin/python benchmarks/train_throughput.py --json

It reads RAMS from the corpora's folder (EVENTUNE_CORPORA, default ../shared/data), or the built-in sample where that
is missing. Model FLOPs are those of the encoder's matrix products for the subword tokens that are read, padding left
out; a backward pass counts twice a forward pass. Memory is measured in fresh processes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from eventune.adapters.attaching import attach
from eventune.adapters.guard import plain_name
from eventune.adapters.parts import blocks_of
from eventune.adapters.store import AdapterStore
from eventune.backbones.load import load_encoder
from eventune.backbones.resolve import resolve
from eventune.corpora import read_corpus, read_ontology
from eventune.corpora.sample import sample_file
from eventune.events import Document, Ontology
from eventune.extraction.batches import by_length
from eventune.extraction.coverage import EncodedPart
from eventune.extraction.features import EncodedWindow, FeatureBuilder
from eventune.extraction.model import JointExtractor
from eventune.extraction.subwords import SubwordTokenizer
from eventune.extraction.task import ExtractionTask
from eventune.recipe import Recipe, read_settings
from eventune.training.determinism import deterministic
from eventune.training.dropout import cheapen_dropout
from eventune.training.epochwise import training_arguments
from eventune.training.flops import forward_flops
from eventune.training.lower_states import LowerStates
from eventune.training.trainer import TaskTrainer

BATCH_SIZE = 16
NOTES_LENGTH = 512
HEADS = ("marks", "scorer")
SAMPLE = {"train_file": "sample:train", "ontology_file": "sample:ontology", "dev_fraction": 0.0, "group_by": ""}
CORPORA = Path(os.environ.get("EVENTUNE_CORPORA", Path(__file__).parents[2] / "shared" / "data"))


def read_documents(count: int) -> tuple[Sequence[Document], Ontology, str]:
    """Return documents, their ontology, and the corpus's name."""
    rams = CORPORA / "rams"
    if rams.is_dir():
        corpus = read_corpus(rams / "dev.jsonlines")
        return corpus[:count], read_ontology(rams / "event_role_multiplicities.txt"), "RAMS dev"
    return read_corpus(sample_file("train"))[:count], read_ontology(sample_file("ontology")), "sample"


def median_seconds(function: Callable[[], object], repeats: int) -> float:
    """Return the median time of a call, after one that does not count."""
    function()
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def gemm_peak(repeats: int = 15) -> float:
    """Return the best FLOP/s of a float32 matrix product, over a large square one and the encoder's own shapes."""
    rates = []
    for rows, inner, columns in ((2048, 2048, 2048), (2688, 384, 384), (2688, 384, 1536), (2688, 1536, 384)):
        x, weight = torch.randn(rows, inner), torch.randn(columns, inner)
        seconds = median_seconds(lambda x=x, weight=weight: nn.functional.linear(x, weight), repeats)
        rates.append(2 * rows * inner * columns / seconds)
    return max(rates)


class Setting:
    """A recipe's model made ready for training on the benchmark's documents."""

    def __init__(self, method: str, documents: Sequence[Document], ontology: Ontology) -> None:
        recipe = Recipe.of({**read_settings(f"rams-{method}"), **SAMPLE, "output_dir": "unused"})
        torch.manual_seed(0)
        backbone = load_encoder(resolve(recipe.model.model_name_or_path), dropout=recipe.model.hidden_dropout)
        own = recipe.own["extraction"]
        span_length = own.max_span_length
        builder = FeatureBuilder(
            SubwordTokenizer.of(backbone.tokenizer),
            ontology,
            max_length=backbone.max_length,
            max_span_length=span_length,
        )
        self.arguments = recipe.optimisation
        self.task = ExtractionTask(builder, batch_size=32, word_dropout=own.word_dropout)
        self.part: EncodedPart[EncodedWindow] = self.task.encode(documents)
        self.flops = 3 * forward_flops(backbone.model, [self.task.length(example) for example in self.part.examples])
        self.blocks = blocks_of(backbone.model)
        model = JointExtractor(backbone.model, max_span_length=span_length, dropout=own.head_dropout)
        cheapen_dropout(model)
        self.model = attach(model, recipe.adapter, base_name="minilm")

    def train(self, epochs: int, *, trained_layers: int = 0) -> list[dict[str, float]]:
        """Train through the package's own trainer, and return the epochs' figures.

        Args:
            epochs: How many epochs.
            trained_layers: Layers that are trained, on kept states of those below; 0 for all.
        """
        with tempfile.TemporaryDirectory() as folder:
            trainer = TaskTrainer(
                self.model,
                self.task,
                training_arguments(
                    replace(self.arguments, num_train_epochs=epochs),
                    Path(folder),
                    has_dev=False,
                    device=torch.device("cpu"),
                ),
                examples=self.part.examples,
                learning_rate_of=self._learning_rate,
                store=AdapterStore(),
                lower=LowerStates(self.blocks, trained_layers, folder=Path(folder)) if trained_layers else None,
            )
            with deterministic(seed=0):
                trainer.train()
            return trainer.epochs()

    def _learning_rate(self, name: str) -> float:
        is_head = plain_name(name).startswith(HEADS)
        return self.arguments.head_learning_rate if is_head else self.arguments.learning_rate

    def evaluation_over_forward(self, repeats: int) -> float:
        """Return the time of a whole evaluation over that of its forward passes alone, in the same batches."""
        batches = [self.task.inputs(chosen) for chosen in by_length(self.part.examples, 32, on_cpu=True)]
        self.model.eval()

        def forward() -> None:
            with torch.inference_mode():
                for batch in batches:
                    self.model(**batch)

        def evaluate() -> None:
            found = self.task.find_candidates(self.model, self.part)
            self.task.score(found, self.part, self.task.tune(found, self.part))

        return statistics.median(median_seconds(evaluate, 1) / median_seconds(forward, 1) for _ in range(repeats))


class PerRoleReader(nn.Module):
    """The notes' model: an encoder, and a start and an end score for each subword token."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.linear_1 = nn.Linear(encoder.config.hidden_size, 1)
        self.linear_2 = nn.Linear(encoder.config.hidden_size, 1)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return start and end scores."""
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return self.linear_1(states).squeeze(-1), self.linear_2(states).squeeze(-1)


def notes_documents_per_second(documents: Sequence[Document], ontology: Ontology, steps: int) -> tuple[float, float]:
    """Train as the notes do, one input an event and role slot, padded to 512.

    Returns:
        Documents per second, and inputs a document.
    """
    backbone = load_encoder(resolve("minilm"))
    model = PerRoleReader(backbone.model).train()
    inputs: list[tuple[str, str]] = []
    for document in documents:
        for event in document.events:
            for role in ontology[event.type].roles:
                inputs += [(f"{event.type} {role.name}", document.text)] * role.multiplicity
    encoded = backbone.tokenizer(
        [question for question, _ in inputs[: steps * BATCH_SIZE]],
        [text for _, text in inputs[: steps * BATCH_SIZE]],
        padding="max_length",
        truncation=True,
        max_length=NOTES_LENGTH,
        return_tensors="pt",
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5)
    batches = iter(range(0, steps * BATCH_SIZE, BATCH_SIZE))

    def step() -> None:
        at = next(batches)
        rows = slice(at, at + BATCH_SIZE)
        start, end = model(encoded["input_ids"][rows], encoded["attention_mask"][rows])
        gold = torch.zeros(len(start), dtype=torch.long)
        (nn.functional.cross_entropy(start, gold) + nn.functional.cross_entropy(end, gold)).backward()
        optimizer.step()
        optimizer.zero_grad()

    seconds = median_seconds(step, steps - 1)
    per_document = len(inputs) / len(documents)
    return BATCH_SIZE / seconds / per_document, per_document


def memory_in_fresh_process(method: str, documents: int, epochs: int) -> dict[str, Any]:
    """Train in a process of its own and return its memory figures."""
    command = [sys.executable, __file__, "--memory_of", method, "--documents", str(documents), "--epochs", str(epochs)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measure(documents_count: int, epochs: int, repeats: int) -> dict[str, Any]:
    """Measure everything; ratios come from runs that follow each other."""
    documents, ontology, corpus = read_documents(documents_count)
    peaks, full_seconds, lora_seconds, ratios = [], [], [], []
    for _ in range(repeats):
        peaks.append(gemm_peak())
        full, lora = Setting("full", documents, ontology), Setting("lora", documents, ontology)
        full_seconds.append(statistics.median(epoch["train_seconds"] for epoch in full.train(epochs)))
        lora_seconds.append(statistics.median(epoch["train_seconds"] for epoch in lora.train(epochs)))
        ratios.append(lora_seconds[-1] / full_seconds[-1])
    peak, full_median = statistics.median(peaks), statistics.median(full_seconds)
    notes_rate, inputs_a_document = notes_documents_per_second(documents, ontology, steps=4)
    memory = {method: memory_in_fresh_process(method, documents_count, 4) for method in ("full", "lora")}
    return {
        "corpus": corpus,
        "documents": len(documents),
        "pieces_an_event": statistics.mean(full.task.length(example) for example in full.part.examples),
        "threads": torch.get_num_threads(),
        "gemm_peak_gflops": peak / 1e9,
        "full_gflops": full.flops / full_median / 1e9,
        "full_share_of_peak": full.flops / full_median / peak,
        "full_epoch_seconds": full_median,
        "lora_epoch_seconds": statistics.median(lora_seconds),
        "lora_over_full": statistics.median(ratios),
        "evaluation_over_forward": lora.evaluation_over_forward(repeats),
        "documents_per_second": len(documents) / full_median,
        "notes_documents_per_second": notes_rate,
        "notes_inputs_a_document": inputs_a_document,
        "times_the_notes": len(documents) / full_median / notes_rate,
        "memory": memory,
    }


def memory_of(method: str, documents_count: int, epochs: int) -> dict[str, Any]:
    """Train and return each epoch's peak above the memory before training."""
    documents, ontology, _ = read_documents(documents_count)
    figures = Setting(method, documents, ontology).train(epochs)
    above = [epoch["peak_memory_bytes"] - figures[0]["baseline_memory_bytes"] for epoch in figures]
    return {"peak_above_baseline_bytes": above, "growth_after_first_epoch": above[-1] / above[0] - 1}


def render(result: dict[str, Any]) -> None:
    """Print the figures beside what is wanted of them."""
    table = Table("figure", "measured", "wanted", title=f"{result['documents']} documents of {result['corpus']}")
    lora, full = (result["memory"][method]["peak_above_baseline_bytes"] for method in ("lora", "full"))
    table.add_row("GEMM peak, float32", f"{result['gemm_peak_gflops']:.0f} GFLOP/s", "")
    table.add_row("full fine-tuning", f"{result['full_gflops']:.0f} GFLOP/s", "")
    table.add_row("… its share of the peak", f"{result['full_share_of_peak']:.2f}", "≥ 0.55")
    table.add_row("LoRA epoch / full epoch", f"{result['lora_over_full']:.2f}", "≤ 0.75")
    table.add_row("evaluation / its forward passes", f"{result['evaluation_over_forward']:.2f}", "≤ 1.3")
    table.add_row("documents per second, full", f"{result['documents_per_second']:.1f}", "")
    table.add_row("… the notes' inputs", f"{result['notes_documents_per_second']:.2f}", "")
    table.add_row("… ratio", f"{result['times_the_notes']:.1f}", "≥ 10")
    table.add_row("peak above baseline, full", f"{max(full) / 1e6:.0f} MB", "")
    table.add_row("peak above baseline, LoRA", f"{max(lora) / 1e6:.0f} MB", "≤ full's")
    for method in ("full", "lora"):
        growth = result["memory"][method]["growth_after_first_epoch"]
        table.add_row(f"growth after the first epoch, {method}", f"{growth:+.1%}", "flat")
    Console().print(table)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=192)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--memory_of", choices=("full", "lora"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory_of:
        print(json.dumps(memory_of(arguments.memory_of, arguments.documents, arguments.epochs)))
        return
    result = measure(arguments.documents, arguments.epochs, arguments.repeats)
    if arguments.json:
        print(json.dumps(result, indent=2))
    else:
        render(result)


if __name__ == "__main__":
    main()
