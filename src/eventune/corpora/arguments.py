"""Where a run's documents come from and how they are split."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from eventune.corpora.sample import sample_file
from eventune.errors import InvalidValueError, did_you_mean
from eventune.storage.paths import exists

DATA_FILES = ("train_file", "dev_file", "test_file", "ontology_file", "pretrain_file", "pretrain_ontology_file")
SAMPLE_FILES = {f"sample:{part}": part for part in ("train", "dev", "test", "ontology", "warmup", "warmup_ontology")}
"""Names of the built-in sample's parts; they can stand wherever a file can."""


@dataclass(kw_only=True)
class DataArguments:
    """Where the documents come from and how they are split."""

    train_file: str = field(default="", metadata={"help": "Corpus to train on"})
    dev_file: str = field(default="", metadata={"help": "Corpus to choose the epoch and tune the margins on"})
    test_file: str = field(default="", metadata={"help": "Corpus to score the finished run on"})
    ontology_file: str = field(
        default="", metadata={"help": "Event types and roles; induced from train_file where there is none"}
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
    format: str = field(default="auto", metadata={"help": "Format of the corpora, or auto"})
    dev_fraction: float = field(
        default=0.0, metadata={"help": "Share of train_file's groups that becomes the dev part"}
    )
    test_fraction: float = field(
        default=0.0, metadata={"help": "Share of train_file's groups that becomes the test part"}
    )
    group_by: str = field(
        default="",
        metadata={"help": "Metadata field whose values stay in one part, e.g. source_url; else each document"},
    )
    split_seed: int = field(default=0, metadata={"help": "Seed of the split, the same for all runs that are compared"})

    @staticmethod
    def is_sample(value: str) -> bool:
        """Tell whether a file's name means a part of the built-in sample."""
        return value in SAMPLE_FILES

    def path(self, name: str) -> Path | None:
        """Return where a file setting leads, or None where it is empty."""
        value = getattr(self, name)
        if self.is_sample(value):
            return sample_file(SAMPLE_FILES[value])
        return Path(value) if value else None

    def problems(self) -> Iterator[InvalidValueError]:
        """Yield one error for each setting that is out of range, and each file that does not exist."""
        if not self.train_file:
            yield InvalidValueError(
                "train_file", "a corpus to train on", "nothing", "e.g. train_file: data/train.jsonl"
            )
        for name in DATA_FILES:
            value = getattr(self, name)
            if value and not self.is_sample(value) and not exists(value):
                yield InvalidValueError(name, "an existing file or folder", value, did_you_mean(value, SAMPLE_FILES))
        if self.pretrain_ontology_file and not self.pretrain_file:
            yield InvalidValueError(
                "pretrain_ontology_file", "nothing without pretrain_file", self.pretrain_ontology_file
            )
        for part in ("dev", "test"):
            fraction = getattr(self, f"{part}_fraction")
            if not 0.0 <= fraction < 1.0:
                yield InvalidValueError(f"{part}_fraction", "a number in [0, 1)", str(fraction))
            elif fraction and getattr(self, f"{part}_file"):
                yield InvalidValueError(f"{part}_fraction", f"0 beside a {part}_file", str(fraction))
        if self.dev_fraction + self.test_fraction >= 1.0:
            yield InvalidValueError("test_fraction", "less than 1 together with dev_fraction", str(self.test_fraction))
