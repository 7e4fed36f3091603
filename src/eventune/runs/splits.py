"""The documents of a run: read from files, checked against their ontology, and split."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

from eventune.corpora import read_corpus, read_ontology, require_known_to
from eventune.corpora.arguments import FROM_DATA, DataArguments, FurtherCorpus, path_of
from eventune.corpora.descriptions import Descriptions, described
from eventune.corpora.drawing import Drawing
from eventune.corpora.ontology_fit import MULTIPLICITY_REMEDY, SurplusFillers, known_part
from eventune.corpora.plain_text import read_plain_text
from eventune.errors import EventuneError
from eventune.events import Document, Ontology
from eventune.storage.paths import is_file
from eventune.storage.text_files import read_text
from eventune.tasks.splits import DocumentSplits, TrainedBeside

_LISTED = "a list has a document's id, or the doc_id of its metadata, on each line"

SPLIT_BY = (
    *("train_file", "dev_file", "test_file", "splits_dir", "dev_fraction", "test_fraction", "test_fold"),
    *("split_seed", "group_by"),
)
"""Settings that say which documents a run is trained, tuned and scored on."""


def read_splits(data: DataArguments, notice: Callable[[str], None]) -> DocumentSplits:
    """Read the corpora and split off what has no file of its own.

    Args:
        data: Files and shares.
        notice: Hears which formats were guessed, and what of the documents has no place in the ontology.

    Returns:
        The splits.

    Raises:
        EventuneError: If a file is not as it must be, or `group_by` names a field that documents lack.
    """
    (train, dev, test), ontology = _read(data, ("train_file", "dev_file", "test_file"), "ontology_file", notice)
    (pretrain,), pretrain_ontology = _read(data, ("pretrain_file",), "pretrain_ontology_file", notice)
    if data.splits_dir:
        train, dev, test = listed_splits(train, Path(data.splits_dir))
    drawing = Drawing(data.group_by, data.split_seed)
    train, dev_split, test_split = drawing.parts(
        train, dev_fraction=data.dev_fraction, test_fraction=data.test_fraction, fold=data.fold()
    )
    if data.train_fraction < 1.0:
        train = _some(train, drawing, data.train_fraction)
    return DocumentSplits(
        ontology=_described(data, _with_multiplicities(data, ontology, "train_file", train, notice), notice),
        train=train,
        dev=dev or dev_split,
        test=test or test_split,
        pretrain=pretrain,
        pretrain_ontology=_with_multiplicities(data, pretrain_ontology, "pretrain_file", pretrain, notice),
        negatives=read_plain_text(path) if (path := data.path("negative_file")) else (),
        further=[_further(corpus, data, notice) for corpus in data.further()],
    )


def _some(documents: Sequence[Document], drawing: Drawing, fraction: float) -> Sequence[Document]:
    """Return the share of the training documents that is trained on, at least one."""
    some = drawing.some(documents, fraction)
    if not some:
        raise EventuneError(
            f"train_fraction: {len(documents)} training documents are too few for a share of {fraction:g}"
        )
    return some


def _further(corpus: FurtherCorpus, data: DataArguments, notice: Callable[[str], None]) -> TrainedBeside:
    """Read a corpus that is trained on beside the run's own, its documents as often as its weight says."""
    path, ontology_path = path_of(corpus.file), path_of(corpus.ontology_file)
    assert path is not None
    read = read_corpus(path)
    if read.guessed and not data.is_built_in(corpus.file):
        notice(f"{path}: {len(read)} documents, format {read.format} (guessed)")
    if ontology_path is None:
        documents, ontology = tuple(read.documents), Ontology.induced_from(read.documents)
    else:
        named = read_ontology(ontology_path)
        documents = _known(read.documents, named, corpus.file, data, notice)
        ontology = named.allowing(documents)
    times, share = int(corpus.weight), corpus.weight % 1
    drawn = random.Random(data.split_seed).sample(documents, round(share * len(documents)))
    taken = documents if times else drawn
    if not any(ontology[event.type].roles for document in taken for event in document.events):
        raise EventuneError(
            f"further_corpora: {corpus.file}: expected events whose types have roles, found none in {len(taken)} of "
            f"its {len(documents)} documents, which weight {corpus.weight:g} takes",
            "give it a greater weight or an ontology_file with roles, or leave it out",
        )
    return TrainedBeside(corpus.file, (*documents * times, *drawn), ontology)


def listed_splits(documents: Sequence[Document], folder: Path) -> tuple[Sequence[Document], ...]:
    """Split documents as lists in a folder say.

    Args:
        documents: The documents.
        folder: Has `train.txt`, and `dev.txt` and `test.txt` where there are such parts: a document's id, or the
            `doc_id` of its metadata, on each line.

    Returns:
        The documents of each part, in their own order; those that no list names are left out.

    Raises:
        EventuneError: If there is no `train.txt` or it names nothing, a list cannot be read or names what no document
            is called, or two name the same.
    """
    part_of: dict[str, str] = {}
    for part in ("train", "dev", "test"):
        path = folder / f"{part}.txt"
        if not is_file(path):
            if part == "train":
                raise EventuneError(f"splits_dir: expected {path}, found no such file")
            continue
        for name in filter(None, map(str.strip, read_text(path).split("\n"))):
            if part_of.setdefault(name, part) != part:
                raise EventuneError(f"splits_dir: expected each document in one list, found {name} in two in {folder}")
    if "train" not in part_of.values():
        raise EventuneError(f"splits_dir: expected documents in {folder / 'train.txt'}, found none", _LISTED)
    splits: dict[str, list[Document]] = {"train": [], "dev": [], "test": []}
    missing = set(part_of)
    for document in documents:
        for name in (document.id, str(document.metadata.get("doc_id", ""))):
            if name in part_of:
                splits[part_of[name]].append(document)
                missing.discard(name)
                break
    if missing:
        raise EventuneError(
            f"splits_dir: {len(missing)} of {len(part_of)} names in {folder} are no document's of train_file, such as "
            f"{min(missing)}",
            _LISTED,
        )
    return tuple(splits.values())


def _read(
    data: DataArguments, settings: Sequence[str], ontology_setting: str, notice: Callable[[str], None]
) -> tuple[list[Sequence[Document]], Ontology | None]:
    """Read corpora, and the ontology that must know what is in them; None where none is named."""
    ontology_path = data.path(ontology_setting)
    ontology = read_ontology(ontology_path) if ontology_path else None
    read = []
    for setting in settings:
        documents = _documents(data, setting, notice)
        if ontology is not None:
            documents = _known(documents, ontology, getattr(data, setting), data, notice)
        read.append(documents)
    return read, ontology


def _known(
    documents: Sequence[Document], ontology: Ontology, file: str, data: DataArguments, notice: Callable[[str], None]
) -> tuple[Document, ...]:
    """Return a corpus without what its ontology lacks, where that is wanted; else it must lack nothing."""
    if not data.ignore_unknown_roles:
        require_known_to(ontology, documents, file)
        return tuple(documents)
    known, left_out = known_part(documents, ontology)
    if left_out:
        notice(f"{file}: left out, as the ontology lacks them: {left_out}")
    return tuple(known)


def _documents(data: DataArguments, setting: str, notice: Callable[[str], None]) -> Sequence[Document]:
    path = data.path(setting)
    if path is None:
        return ()
    corpus = read_corpus(path, data.format if setting != "pretrain_file" else "auto")
    if corpus.guessed and not data.is_built_in(getattr(data, setting)):
        notice(f"{path}: {len(corpus)} documents, format {corpus.format} (guessed)")
    return corpus.documents


def _with_multiplicities(
    data: DataArguments,
    ontology: Ontology | None,
    setting: str,
    documents: Sequence[Document],
    notice: Callable[[str], None],
) -> Ontology:
    """Return the ontology with the multiplicities that are wanted, induced where there is none."""
    if ontology is None:
        induced = Ontology.induced_from(documents)
        if documents and not induced.types:
            found = f"{getattr(data, setting)}: expected events, found none in {len(documents)} documents"
            raise EventuneError(found, "give the types to look for by ontology_file, or another corpus")
        return induced
    if data.multiplicity == FROM_DATA:
        return ontology.allowing(documents)
    surplus = SurplusFillers(ontology)
    for event in (event for document in documents for event in document.events):
        surplus.add(event)
    if surplus.count:
        notice(
            f"{getattr(data, setting)}: {surplus.count} arguments are more than the ontology allows and count as "
            f"missed: {surplus}; {MULTIPLICITY_REMEDY}"
        )
    return ontology


def _described(data: DataArguments, ontology: Ontology, notice: Callable[[str], None]) -> Ontology:
    """Return the ontology with the descriptions of a file, if one is named."""
    path = data.path("descriptions_file")
    if path is None:
        return ontology
    found = Descriptions.read(path).add_to(ontology)
    names = len(found.types) + sum(len(known.roles) for known in found.types.values())
    notice(f"{data.descriptions_file}: {described(found)} of {names} types and roles are described")
    return found
