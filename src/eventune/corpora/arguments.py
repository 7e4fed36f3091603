"""Where a run's documents come from and how they are split."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eventune.corpora.descriptions import PUBLISHED, path_of_descriptions
from eventune.corpora.sample import PARTS, sample_file
from eventune.errors import InvalidValueError, did_you_mean
from eventune.storage.paths import exists, is_file

DATA_FILES = (
    *("train_file", "dev_file", "test_file", "ontology_file", "pretrain_file", "pretrain_ontology_file"),
    *("negative_file", "splits_dir", "descriptions_file"),
)
FROM_DATA = "from_data"
MULTIPLICITIES = ("ontology", FROM_DATA)
SAMPLE_FILES = {f"sample:{part}": part for part in PARTS}
BUILT_IN = {*SAMPLE_FILES, *PUBLISHED}
"""Names of the built-in sample's parts and of the published descriptions; they can stand wherever a file can."""

TEXT = "text"
"""What documents can be grouped by beside their metadata's fields."""


MOST_WEIGHT = 1_000.0
"""How often an epoch reads a corpus."""
MOST_FOLDS = 1_000


def path_of(value: str) -> Path | None:
    """Return where the name of a file or of something built in leads, or None where it is empty."""
    if value in SAMPLE_FILES:
        return sample_file(SAMPLE_FILES[value])
    return path_of_descriptions(value) if value else None


@dataclass(frozen=True, slots=True)
class Fold:
    """One of several parts of like size, each of which is the test part once.

    Attributes:
        number: Which one, from 1.
        folds: How many there are.
    """

    number: int
    folds: int

    @classmethod
    def of(cls, text: str) -> Fold:
        """Read a fold as it is written, `2/5`.

        Raises:
            ValueError: If there is no such fold.
        """
        match = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text, re.ASCII)
        fold = cls(int(match[1]), int(match[2])) if match else cls(0, 0)
        if not (1 <= fold.number <= fold.folds and 2 <= fold.folds <= MOST_FOLDS):
            raise ValueError(f"{text!r} is no fold")
        return fold

    def __str__(self) -> str:
        return f"{self.number}/{self.folds}"


@dataclass(frozen=True, slots=True)
class FurtherCorpus:
    """A corpus that is trained on beside `train_file`.

    Attributes:
        file: The corpus.
        ontology_file: Its event types and roles; induced from it where there is none.
        weight: How often an epoch reads its documents; below 1 a share of them, drawn once.
    """

    file: str
    ontology_file: str = ""
    weight: float = 1.0


@dataclass(kw_only=True)
class DataArguments:
    """Where the documents come from and how they are split."""

    train_file: str = field(default="", metadata={"help": "Corpus to train on"})
    dev_file: str = field(default="", metadata={"help": "Corpus to choose the epoch and tune thresholds on"})
    test_file: str = field(default="", metadata={"help": "Corpus to score the finished run on"})
    ontology_file: str = field(
        default="", metadata={"help": "Event types and roles; induced from train_file where there is none"}
    )
    descriptions_file: str = field(
        default="",
        metadata={
            "help": "What types and roles mean, for those that ontology_file does not describe: YAML with types and "
            f"roles, or {', '.join(PUBLISHED)}"
        },
    )
    multiplicity: str = field(
        default="ontology",
        metadata={
            "help": "How many fillers a role may have: ontology (as many as ontology_file says) or from_data (no fewer "
            "than an event of the training documents has)"
        },
    )
    ignore_unknown_roles: bool = field(
        default=False,
        metadata={
            "help": "Leave out of all corpora what the ontology file of each lacks, arguments by their role and events "
            "by their type, to train on some of a corpus's roles"
        },
    )
    pretrain_file: str = field(
        default="",
        metadata={
            "help": "Annotated corpus of any ontology to train on first, e.g. sample:train; worth it for small data",
            "read_by": "pretraining",
        },
    )
    pretrain_ontology_file: str = field(
        default="", metadata={"help": "Its ontology, e.g. sample:ontology", "read_by": "pretraining"}
    )
    further_corpora: dict[str, Any] = field(
        default_factory=dict,
        metadata={
            "help": "Corpora to train on at the same time, each with an ontology of its own and a weight (how often an "
            "epoch reads it), e.g. {phee.json: {ontology_file: phee.yaml, weight: 0.5}}",
            "read_by": "extraction",
        },
    )
    negative_file: str = field(
        default="",
        metadata={
            "help": "Text without events to train on as well, a sentence or a document a line: for corpora that "
            "have no sentence without an event",
            "read_by": ("detection", "generative-detection"),
        },
    )
    splits_dir: str = field(
        default="",
        metadata={
            "help": "Folder with train.txt, dev.txt and test.txt, which list the documents of train_file that each "
            "part has, by their id or their doc_id, one a line"
        },
    )
    format: str = field(default="auto", metadata={"help": "Format of the corpora, or auto"})
    dev_fraction: float = field(
        default=0.0, metadata={"help": "Share of train_file's groups that becomes the dev part"}
    )
    test_fraction: float = field(
        default=0.0, metadata={"help": "Share of train_file's groups that becomes the test part"}
    )
    test_fold: str = field(
        default="",
        metadata={
            "help": "Which of how many parts of train_file's groups becomes the test part, e.g. 1/5 to 5/5: over all "
            "of them every document is tested once (eventune compare --folds)"
        },
    )
    train_fraction: float = field(
        default=1.0,
        metadata={
            "help": "Share of the training documents that is trained on, the same first ones for every greater share: "
            "arms with different shares are a learning curve"
        },
    )
    group_by: str = field(
        default="",
        metadata={
            "help": "Metadata field whose values stay in one part, e.g. source_url, or text for repeated texts; "
            "else each document"
        },
    )
    split_seed: int = field(default=0, metadata={"help": "Seed of the split, the same for all runs that are compared"})

    @staticmethod
    def is_built_in(value: str) -> bool:
        """Tell whether a file's name means a part of the built-in sample, or published descriptions."""
        return value in BUILT_IN

    def path(self, name: str) -> Path | None:
        """Return where a file setting leads, or None where it is empty."""
        return path_of(getattr(self, name))

    def has_part(self, part: str) -> bool:
        """Tell whether a run has a part, `dev` or `test`."""
        listed = self.splits_dir and is_file(Path(self.splits_dir) / f"{part}.txt")
        held_out = getattr(self, f"{part}_fraction") or (part == "test" and self.test_fold)
        return bool(getattr(self, f"{part}_file") or held_out or listed)

    def fold(self) -> Fold | None:
        """Return the fold that is the test part, or None where no fold is."""
        return Fold.of(self.test_fold) if self.test_fold else None

    def further(self) -> list[FurtherCorpus]:
        """Return the corpora that are trained on beside `train_file`."""
        return [FurtherCorpus(file, **(options or {})) for file, options in self.further_corpora.items()]

    def problems(self) -> Iterator[InvalidValueError]:
        """Yield one error for each setting that is out of range, and each file that does not exist."""
        if not self.train_file:
            yield InvalidValueError(
                "train_file", "a corpus to train on", "nothing", "e.g. train_file: data/train.jsonl"
            )
        for name in DATA_FILES:
            value = getattr(self, name)
            if value and not self.is_built_in(value) and not exists(value):
                yield InvalidValueError(name, "an existing file or folder", value, did_you_mean(value, BUILT_IN))
        if self.multiplicity not in MULTIPLICITIES:
            yield InvalidValueError("multiplicity", " or ".join(MULTIPLICITIES), repr(self.multiplicity))
        if self.ignore_unknown_roles and not any(self._ontology_files()):
            yield InvalidValueError(
                "ignore_unknown_roles", "false without an ontology_file", "true", "it says which roles are known"
            )
        if self.pretrain_ontology_file and not self.pretrain_file:
            yield InvalidValueError(
                "pretrain_ontology_file", "nothing without pretrain_file", self.pretrain_ontology_file
            )
        for file, options in self.further_corpora.items():
            yield from _problems_of_further(file, options or {})
        yield from self._problems_of_shares()

    def _ontology_files(self) -> Iterator[str]:
        """Yield the ontology of each corpus, empty where none is named."""
        yield from (self.ontology_file, self.pretrain_ontology_file)
        for options in self.further_corpora.values():
            yield options.get("ontology_file", "") if isinstance(options, Mapping) else ""

    def _problems_of_shares(self) -> Iterator[InvalidValueError]:
        for part in ("dev", "test"):
            fraction = getattr(self, f"{part}_fraction")
            if not 0.0 <= fraction < 1.0:
                yield InvalidValueError(f"{part}_fraction", "a number in [0, 1)", str(fraction))
            elif fraction and getattr(self, f"{part}_file"):
                yield InvalidValueError(f"{part}_fraction", f"0 beside a {part}_file", str(fraction))
            if self.splits_dir and (fraction or getattr(self, f"{part}_file")):
                name = f"{part}_fraction" if fraction else f"{part}_file"
                yield InvalidValueError(name, "nothing beside splits_dir", str(getattr(self, name)))
        yield from self._problems_of_fold()
        if not 0.0 < self.train_fraction <= 1.0:
            yield InvalidValueError("train_fraction", "a number in (0, 1]", str(self.train_fraction))
        if self.dev_fraction + self.test_fraction >= 1.0:
            yield InvalidValueError("test_fraction", "less than 1 together with dev_fraction", str(self.test_fraction))

    def _problems_of_fold(self) -> Iterator[InvalidValueError]:
        if not self.test_fold:
            return
        try:
            Fold.of(self.test_fold)
        except ValueError:
            yield InvalidValueError(
                "test_fold", "the number of a fold and how many there are", self.test_fold, "e.g. 1/5"
            )
        for name in ("test_file", "test_fraction", "splits_dir"):
            if getattr(self, name):
                yield InvalidValueError(name, "nothing beside test_fold", str(getattr(self, name)))


def _problems_of_further(file: str, options: Any) -> Iterator[InvalidValueError]:
    known = {"ontology_file", "weight"}
    if not isinstance(options, Mapping) or not options.keys() <= known:
        yield InvalidValueError("further_corpora", f"{' and '.join(sorted(known))} of {file}", repr(options))
        return
    for path in filter(None, (file, options.get("ontology_file", ""))):
        if not isinstance(path, str) or not (DataArguments.is_built_in(path) or exists(path)):
            yield InvalidValueError("further_corpora", "existing files", str(path))
    weight = options.get("weight", 1.0)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0.0 < weight <= MOST_WEIGHT:
        yield InvalidValueError("further_corpora", f"a weight in (0, {MOST_WEIGHT:g}] of {file}", repr(weight))
