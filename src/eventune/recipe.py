"""Recipes: every setting of a run, flat in YAML and as flags, checked all at once."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from eventune.adapters.arguments import AdapterArguments
from eventune.corpora.ontologies import refuse_repeated_keys
from eventune.corpora.sample import sample_file
from eventune.errors import EventuneError, InvalidValueError, did_you_mean
from eventune.extraction.arguments import ExtractionArguments
from eventune.generation.extracting.arguments import GenerativeExtractionArguments
from eventune.training.arguments import OptimisationArguments

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
            "help": "Annotated corpus of any ontology to train on first, e.g. sample:train; worth it for small data"
        },
    )
    pretrain_ontology_file: str = field(default="", metadata={"help": "Its ontology, e.g. sample:ontology"})
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
            if value and not self.is_sample(value) and not Path(value).is_file():
                yield InvalidValueError(name, "an existing file", value, did_you_mean(value, SAMPLE_FILES))
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


@dataclass(kw_only=True)
class ModelArguments:
    """The base model."""

    model_name_or_path: str = field(
        default="minilm", metadata={"help": "A folder, a packaged model such as minilm, or a hub id"}
    )
    model_revision: str = field(default="", metadata={"help": "Revision on the hub"})
    hidden_dropout: float = field(default=0.1, metadata={"help": "Dropout inside the base in training"})

    def problems(self) -> Iterator[InvalidValueError]:
        """Yield one error for each setting that is out of range."""
        if not self.model_name_or_path:
            yield InvalidValueError("model_name_or_path", "a model", "nothing")
        if not 0.0 <= self.hidden_dropout < 1.0:
            yield InvalidValueError("hidden_dropout", "a number in [0, 1)", str(self.hidden_dropout))


SECTIONS: Mapping[str, type] = {
    "data": DataArguments,
    "model": ModelArguments,
    "adapter": AdapterArguments,
    "extraction": ExtractionArguments,
    "generation": GenerativeExtractionArguments,
    "optimisation": OptimisationArguments,
}


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a run.

    Attributes:
        data: The documents.
        model: The base model.
        adapter: What is trained of it.
        extraction: The extractor on it.
        generation: How a causal LM is asked, where one is the extractor.
        optimisation: How it is trained, and where the run goes.
    """

    data: DataArguments
    model: ModelArguments
    adapter: AdapterArguments
    extraction: ExtractionArguments
    generation: GenerativeExtractionArguments
    optimisation: OptimisationArguments

    @classmethod
    def of(cls, values: Mapping[str, Any], *, source: str = "recipe") -> Recipe:
        """Build a recipe from flat settings.

        Args:
            values: Setting by name; strings are converted to the setting's type, as flags need it.
            source: What the error message calls the settings.

        Returns:
            The recipe.

        Raises:
            EventuneError: With every unknown, ill-typed and out-of-range setting at once.
        """
        fields = {f.name: (section, f) for section, c in SECTIONS.items() for f in dataclasses.fields(c)}
        problems: list[InvalidValueError] = []
        sections: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
        hints = {name: typing.get_type_hints(section) for name, section in SECTIONS.items()}
        for name, value in values.items():
            if name not in fields:
                problems.append(
                    InvalidValueError(str(name), "a known setting", "an unknown one", did_you_mean(str(name), fields))
                )
                continue
            section, _ = fields[name]
            try:
                sections[section][name] = convert(name, value, hints[section][name])
            except InvalidValueError as error:
                problems.append(error)
        built = {name: SECTIONS[name](**given) for name, given in sections.items()}
        # A setting that could not be read has its default now; what it should have been is said already.
        named = {problem.field for problem in problems}
        problems += [p for section in built.values() for p in section.problems() if p.field not in named]
        problems += _mismatches(built, named)
        patience = built["optimisation"].early_stopping_patience
        has_dev = built["data"].dev_file or built["data"].dev_fraction or named & {"dev_file", "dev_fraction"}
        if patience > 0 and not has_dev:
            expected = "0 without dev_file and dev_fraction"
            problems.append(InvalidValueError("early_stopping_patience", expected, str(patience)))
        raise_all(problems, source)
        return cls(**built)

    @classmethod
    def read(cls, path: Path | str, **overrides: Any) -> Recipe:
        """Read a recipe from YAML.

        Args:
            path: The file; paths in it are relative to the working directory.
            overrides: Settings that replace the file's.

        Returns:
            The recipe.

        Raises:
            EventuneError: If the file cannot be read, or with every wrong setting at once.
        """
        return cls.of({**read_settings(Path(path)), **overrides}, source=str(path))

    def to_dict(self) -> dict[str, Any]:
        """Return all settings, flat."""
        flat: dict[str, Any] = {}
        for name in SECTIONS:
            flat |= dataclasses.asdict(getattr(self, name))
        return flat

    def to_yaml(self) -> str:
        """Return the settings as YAML, without what only says how to start the run."""
        values = self.to_dict()
        for name in ("overwrite_output_dir", "resume_from_checkpoint"):
            del values[name]
        return yaml.safe_dump(values, sort_keys=False, allow_unicode=True)


_FOR_ENCODERS = {
    "data": ("pretrain_file",),
    "model": ("hidden_dropout",),
    "adapter": ("modules_to_save", "freeze_heads"),
    "extraction": ("extractor", "head_dropout", "word_dropout", "pad_to_max_length"),
}
"""Settings, by section, that mean nothing to a causal LM."""


def _mismatches(built: Mapping[str, Any], named: set[str]) -> Iterator[InvalidValueError]:
    """Yield one error for each setting that does not go with the task."""
    task = built["extraction"].task
    if task == "generation":
        foreign = _FOR_ENCODERS
    else:
        foreign = {"generation": tuple(field.name for field in dataclasses.fields(GenerativeExtractionArguments))}
        epochs = built["optimisation"].num_train_epochs
        if epochs < 1 and "num_train_epochs" not in named:
            expected = "an integer >= 1 with task: extraction, whose heads are random"
            yield InvalidValueError("num_train_epochs", expected, str(epochs))
    for section, settings in foreign.items():
        defaults = SECTIONS[section]()
        for name in settings:
            value, default = getattr(built[section], name), getattr(defaults, name)
            if value != default and name not in named:
                expected = f"{repr(default) if default in ('', []) else default} with task: {task}"
                yield InvalidValueError(name, expected, str(value))


def read_settings(path: Path) -> dict[str, Any]:
    """Read a flat mapping of settings from YAML.

    Args:
        path: The file.

    Returns:
        Setting by name.

    Raises:
        EventuneError: If the file is missing or is no such mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
        refuse_repeated_keys(path, yaml.compose(text, Loader=yaml.SafeLoader))
        values = yaml.safe_load(text)
    except FileNotFoundError:
        raise EventuneError(f"{path}: no such recipe") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise EventuneError(f"{path}: expected YAML, found: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise EventuneError(f"{path}: expected settings, one `name: value` a line, found {type(values).__name__}")
    return values


COLLECTIONS: Mapping[Any, str] = {
    list[str]: "a list of names, such as [query, value]",
    list[int]: "a list of integers, such as [30522, 30523]",
    dict[str, int]: "integers by name, such as {query: 8}",
}
"""Types of settings that hold several values, and how an error describes them."""


def convert(name: str, value: Any, hint: Any) -> Any:
    """Convert a value to a setting's type.

    Args:
        name: The setting.
        value: What YAML or a flag gave.
        hint: The type: bool, int, float, str, or a union with a list of strings.

    Returns:
        The value in that type.

    Raises:
        InvalidValueError: If it cannot be read as one.
    """
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    for kind, expected in COLLECTIONS.items():
        if kind in kinds:
            parsed = _parse_collection(value) if isinstance(value, str) and value[:1] in {"[", "{"} else value
            if _is_collection(parsed, kind):
                return parsed
            if kind == hint:
                raise InvalidValueError(name, expected, repr(value))
    if str in kinds and isinstance(value, str):
        return value
    for kind, expected in ((bool, "true or false"), (int, "an integer"), (float, "a number"), (str, "a text")):
        if kind in kinds:
            try:
                return _parse(value, kind)
            except (ValueError, TypeError, KeyError):
                raise InvalidValueError(name, expected, repr(value)) from None
    raise InvalidValueError(name, "another type", repr(value))


def _is_collection(value: Any, kind: Any) -> bool:
    *keys, item = typing.get_args(kind)
    if typing.get_origin(kind) is dict:
        return type(value) is dict and all(type(k) is keys[0] and type(v) is item for k, v in value.items())
    return type(value) is list and all(type(element) is item for element in value)


def _parse_collection(value: str) -> Any:
    """Read a collection as YAML writes it; a regular expression may begin with a bracket too and stays a text."""
    try:
        return yaml.safe_load(value)
    except yaml.YAMLError:
        return value


_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def _parse(value: Any, kind: type) -> Any:
    if kind is bool:
        return _BOOLEANS[str(value).lower()]
    if isinstance(value, bool) or not isinstance(value, int | float | str) or kind is str:
        raise TypeError
    number = float(value)
    if not math.isfinite(number) or (kind is int and not number.is_integer()):
        raise ValueError
    return kind(number)


def raise_all(problems: Iterable[InvalidValueError], source: str) -> None:
    """Raise one error that names all problems of some settings; nothing where there are none."""
    lines = [f"{problem.message}{f' ({problem.hint})' if problem.hint else ''}" for problem in problems]
    if len(lines) == 1:
        raise EventuneError(f"{source}: {lines[0]}")
    if lines:
        raise EventuneError(f"{source}: {len(lines)} settings are wrong:\n" + "\n".join(f"  {line}" for line in lines))
