"""What a training of the span extractor on bert-base-uncased costs, estimated from its operations, without its weights.

    .venv/bin/python benchmarks/estimate_cost.py --documents 7329

The encoder has bert-base-uncased's shape and no weights. `minilm` has the same vocabulary, so the lengths in tokens are
right. `--documents` scales the corpus that is here (RAMS's dev part) up to the one that is meant. Beside our way, one
pass an event, stands that of a practitioner's notes: an input of 512 tokens for each role slot. `--notes_seconds` is
what an epoch of theirs took by full fine-tuning: it tells what their GPU does in a second, and so what our way takes.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from transformers import BertConfig, BertModel

from eventune.backbones.load import load_encoder
from eventune.backbones.resolve import resolve
from eventune.corpora import read_corpus, read_ontology
from eventune.events import Document, Ontology
from eventune.extraction.features import FeatureBuilder
from eventune.extraction.subwords import SubwordTokenizer
from eventune.extraction.task import ExtractionTask
from eventune.training.flops import forward_flops

CORPORA = Path(os.environ.get("EVENTUNE_CORPORA", Path(__file__).parents[2] / "shared" / "data"))
PADDED = 512
PASSES = {"LoRA": 2, "full": 3}
"""Forward passes that a step costs: the backward pass is twice one, and once where the weights are frozen."""


def lengths_of(documents: Sequence[Document], ontology: Ontology) -> list[int]:
    """Return the tokens of each input of our way, one an event."""
    tokenizer = SubwordTokenizer.of(load_encoder(resolve("minilm")).tokenizer)
    builder = FeatureBuilder(tokenizer, ontology, max_length=PADDED, max_span_length=10)
    task = ExtractionTask(builder, batch_size=32, word_dropout=0.0)
    return [task.length(example) for example in task.encode(documents).examples]


def slots_of(documents: Sequence[Document], ontology: Ontology) -> int:
    """Return the role slots of all events, each an input of the notes."""
    roles = [ontology.types[event.type].roles for document in documents for event in document.events]
    return sum(role.multiplicity for own in roles for role in own)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train_file", default=str(CORPORA / "rams" / "dev.jsonlines"))
    parser.add_argument("--ontology_file", default=str(CORPORA / "rams" / "event_role_multiplicities.txt"))
    parser.add_argument("--documents", type=int, help="documents that are meant (default: as many as are here)")
    parser.add_argument("--notes_seconds", type=float, default=1213.0, help="default: 20:13, as the notes have it")
    given = parser.parse_args()
    documents, ontology = read_corpus(given.train_file), read_ontology(given.ontology_file)
    scale = (given.documents or len(documents)) / len(documents)
    with torch.device("meta"):
        encoder = BertModel(BertConfig(), add_pooling_layer=False)
    ways = {
        "one pass an event": lengths_of(documents, ontology),
        "an input a role slot": [PADDED] * slots_of(documents, ontology),
    }
    costs = {way: scale * forward_flops(encoder, lengths) for way, lengths in ways.items()}
    their_rate = PASSES["full"] * costs["an input a role slot"] / given.notes_seconds
    table = Table("way", "method", "inputs", "tokens", "TFLOP an epoch", "min on their GPU")
    for way, lengths in ways.items():
        for method, passes in PASSES.items():
            flops = passes * costs[way]
            counts = (f"{scale * len(lengths):,.0f}", f"{scale * sum(lengths):,.0f}", f"{flops / 1e12:,.0f}")
            table.add_row(way, method, *counts, f"{flops / their_rate / 60:.1f}")
    console = Console(width=120)
    console.print(table)
    console.print(f"their GPU: {their_rate / 1e12:.1f} TFLOP/s in the products")


if __name__ == "__main__":
    main()
