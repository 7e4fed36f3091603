"""The documents of a run, by split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eventune.events import Document, Ontology


@dataclass(frozen=True)
class TrainedBeside:
    """What is trained on beside the run's own corpus.

    Attributes:
        file: What the recipe calls it.
        documents: The documents, each as often as an epoch reads it.
        ontology: Their ontology.
    """

    file: str
    documents: Sequence[Document]
    ontology: Ontology


@dataclass(frozen=True)
class DocumentSplits:
    """The documents of a run.

    Attributes:
        ontology: What is extracted.
        train: What is trained on.
        dev: What the epoch and the margins are chosen on; empty if nothing is.
        test: What the finished run is scored on; empty if nothing is.
        pretrain: What is trained on first; empty if nothing is.
        pretrain_ontology: Its ontology.
        negatives: Documents without events, to train on beside the corpus.
        further: Corpora with ontologies of their own, to train on beside the corpus.
    """

    ontology: Ontology
    train: Sequence[Document]
    dev: Sequence[Document]
    test: Sequence[Document]
    pretrain: Sequence[Document]
    pretrain_ontology: Ontology
    negatives: Sequence[Document] = ()
    further: Sequence[TrainedBeside] = ()

    def by_name(self) -> dict[str, Sequence[Document]]:
        """Return the splits that hold anything, what is trained on first left out."""
        splits = {"train": self.train, "dev": self.dev, "test": self.test}
        return {name: documents for name, documents in splits.items() if documents}
