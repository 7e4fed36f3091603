"""The documents of a run: read from files, checked against their ontology, and split."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from eventune.corpora import read_corpus, read_ontology, require_known_to
from eventune.corpora.arguments import DataArguments
from eventune.errors import EventuneError
from eventune.events import Document, Ontology
from eventune.tasks.documents import DocumentSplits


def read_splits(data: DataArguments, notice: Callable[[str], None]) -> DocumentSplits:
    """Read the corpora and split off what has no file of its own.

    Args:
        data: Files and shares.
        notice: Hears which formats were guessed.

    Returns:
        The splits.

    Raises:
        EventuneError: If a file is not as it must be, or `group_by` names a field that documents lack.
    """

    def read(name: str) -> Sequence[Document]:
        path = data.path(name)
        if path is None:
            return ()
        corpus = read_corpus(path, data.format if name != "pretrain_file" else "auto")
        if corpus.guessed and not data.is_sample(getattr(data, name)):
            notice(f"{path}: {len(corpus)} documents, format {corpus.format} (guessed)")
        return corpus.documents

    train, dev, test, pretrain = (read(f"{name}_file") for name in ("train", "dev", "test", "pretrain"))
    files = {"train_file": train, "dev_file": dev, "test_file": test}
    train, test_split = _split(train, data.test_fraction, data)
    train, dev_split = _split(train, data.dev_fraction / (1.0 - data.test_fraction), data)
    dev, test = dev or dev_split, test or test_split
    return DocumentSplits(
        ontology=_ontology(data, "ontology_file", train, files),
        train=train,
        dev=dev,
        test=test,
        pretrain=pretrain,
        pretrain_ontology=_ontology(data, "pretrain_ontology_file", pretrain, {"pretrain_file": pretrain}),
    )


def _ontology(
    data: DataArguments, name: str, induced_from: Sequence[Document], files: Mapping[str, Sequence[Document]]
) -> Ontology:
    path = data.path(name)
    if path is None:
        return Ontology.induced_from(induced_from)
    ontology = read_ontology(path)
    for setting, documents in files.items():
        require_known_to(ontology, documents, getattr(data, setting))
    return ontology


def _split(
    documents: Sequence[Document], fraction: float, data: DataArguments
) -> tuple[Sequence[Document], Sequence[Document]]:
    """Split off whole groups until the share of documents is reached."""
    if not fraction:
        return documents, ()
    if data.group_by and (lacking := next((d for d in documents if data.group_by not in d.metadata), None)):
        raise EventuneError(
            f"group_by: document {lacking.id} has no metadata field {data.group_by!r}",
            f"its fields: {', '.join(lacking.metadata) or 'none'}",
        )
    group_of = {d.id: str(d.metadata[data.group_by]) if data.group_by else d.id for d in documents}
    groups = sorted(set(group_of.values()))
    random.Random(data.split_seed).shuffle(groups)
    sizes = Counter(group_of.values())
    wanted, chosen, taken = round(fraction * len(documents)), set[str](), 0
    for group in groups:
        if taken >= wanted:
            break
        chosen.add(group)
        taken += sizes[group]
    kept = tuple(d for d in documents if group_of[d.id] not in chosen)
    split_off = tuple(d for d in documents if group_of[d.id] in chosen)
    if not kept or not split_off:
        raise EventuneError(f"{len(documents)} documents are too few to split off a share of {fraction:g}")
    return kept, split_off
