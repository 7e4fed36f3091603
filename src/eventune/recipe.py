"""Recipes: every setting of a run, flat in YAML and as flags, checked all at once."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import yaml

from eventune.adapters.arguments import AdapterArguments
from eventune.backbones.arguments import ModelArguments
from eventune.corpora.arguments import DataArguments
from eventune.errors import EventuneError, InvalidValueError, did_you_mean
from eventune.recipes import find, names_hint, without_absent_files
from eventune.scoring.arguments import ScoringArguments
from eventune.scoring.definitions import Scoring
from eventune.storage.paths import exists, shown
from eventune.storage.yaml_files import parse_yaml, read_yaml
from eventune.tasks.arguments import TaskArguments
from eventune.tasks.registry import TASKS, TaskEntry, tasks_of
from eventune.training.arguments import OptimisationArguments

RENAMED = {"torch_dtype": "dtype"}
"""Settings of earlier versions under their names of today."""


def common_sections() -> dict[str, type]:
    """Return the groups of settings that every task has."""
    return {
        "data": DataArguments,
        "scoring": ScoringArguments,
        "model": ModelArguments,
        "adapter": AdapterArguments,
        "optimisation": OptimisationArguments,
    }


def all_sections() -> dict[str, type]:
    """Return all groups of settings, those of all tasks among them."""
    own = {name: section for entry in tasks_of("train") for name, section in entry.sections.items()}
    return {"task": TaskArguments, **common_sections(), **own}


def setting_names(entry: TaskEntry) -> list[str]:
    """Return the names of the settings that a task reads, in the order in which a recipe holds them."""
    sections = all_sections().items()
    return [f.name for name, section in sections for f in dataclasses.fields(section) if _reads(entry, name, f)]


def _reads(entry: TaskEntry, section: str, setting: dataclasses.Field[Any]) -> bool:
    """Tell whether a task reads a setting of a group of settings."""
    is_known = section == "task" or section in common_sections() or section in entry.sections
    return is_known and entry.reads(setting.metadata)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a run.

    Attributes:
        task: What the model is trained for.
        data: The documents.
        scoring: How arguments are scored.
        model: The base model.
        adapter: What is trained of it.
        optimisation: How it is trained, and where the run goes.
        own: The groups of settings of all tasks, by name; those that this task does not read have their defaults.
        steps: The recipe of each step, where the run is made in steps; its folder lies in the run's.
    """

    task: TaskEntry
    data: DataArguments
    scoring: ScoringArguments
    model: ModelArguments
    adapter: AdapterArguments
    optimisation: OptimisationArguments
    own: Mapping[str, Any]
    steps: Mapping[str, Recipe] = dataclasses.field(default_factory=dict)

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
        all_of_them = all_sections()
        fields = {f.name: (section, f) for section, c in all_of_them.items() for f in dataclasses.fields(c)}
        problems: list[InvalidValueError] = []
        sections: dict[str, dict[str, Any]] = {name: {} for name in all_of_them}
        hints = {name: typing.get_type_hints(section) for name, section in all_of_them.items()}
        for given, value in values.items():
            name = RENAMED.get(given, given)
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
        built = {name: all_of_them[name](**given) for name, given in sections.items()}
        # A setting that could not be read has its default now; what it should have been is said already.
        named = {problem.field for problem in problems}
        problems += [p for section in built.values() for p in section.problems() if p.field not in named]
        entry = TASKS.get(built["task"].task)
        if entry is not None:
            problems += _tasks_of_other_steps(entry, built["steps"])
            problems += _foreign_settings(entry, built, named)
        problems += _conflicts(built, named)
        raise_all(problems, source)
        assert entry is not None
        common = {name: built[name] for name in common_sections()}
        own = {name: built[name] for name in built.keys() - {"task", *common}}
        recipe = cls(task=entry, own=own, **common)
        own_names = {RENAMED.get(name, name) for name in values}
        steps = {step: _step(recipe, step, own_names, source) for step in entry.steps}
        return dataclasses.replace(recipe, steps=steps)

    @classmethod
    def read(cls, path: Path | str, **overrides: Any) -> Recipe:
        """Read a recipe from YAML.

        Args:
            path: The file, or the name of a published recipe; paths in it are relative to the working directory.
            overrides: Settings that replace the file's, as `read_changed` has it.

        Returns:
            The recipe.

        Raises:
            EventuneError: If the file cannot be read, or with every wrong setting at once.
        """
        values, _ = read_changed(path, overrides)
        return cls.of(values, source=str(path))

    @property
    def scored_by(self) -> Scoring:
        """How the documents that the run annotates are scored: as its task says, else as the setting does."""
        measure = self.own["steps"].measure if self.task.steps else ""
        return Scoring(self.task.scorer or self.scoring.scorer, self.task.triggers, measure)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings that the task reads, flat."""
        sections = {**{name: getattr(self, name) for name in common_sections()}, **self.own}
        values = {name: value for section in sections.values() for name, value in vars(section).items()}
        return {name: self.task.name if name == "task" else values[name] for name in setting_names(self.task)}

    def to_yaml(self) -> str:
        """Return the settings as YAML, without what only says how to start the run."""
        values = self.to_dict()
        for name in ("overwrite_output_dir", "resume_from_checkpoint"):
            del values[name]
        return yaml.safe_dump(values, sort_keys=False, allow_unicode=True)


def _step(recipe: Recipe, step: str, given: set[str], source: str) -> Recipe:
    """Return a step's recipe: what the run's says that the step's task reads, and what is said of the step alone."""
    own = getattr(recipe.own["steps"], step)
    entry = recipe.task.step_tasks(recipe.own["steps"])[step]
    known = given & set(setting_names(entry))
    values = {name: value for name, value in recipe.to_dict().items() if name in known}
    output_dir = str(Path(recipe.optimisation.output_dir) / step)
    return Recipe.of({**values, "task": entry.name, **own, "output_dir": output_dir}, source=f"{source}: {step}")


def _conflicts(built: Mapping[str, Any], named: set[str]) -> Iterator[InvalidValueError]:
    """Yield one error for each setting that does not go with another."""
    patience = built["optimisation"].early_stopping_patience
    has_dev = built["data"].has_part("dev") or named & {"dev_file", "dev_fraction", "splits_dir"}
    if patience > 0 and not has_dev:
        expected = "0 without dev_file and dev_fraction"
        yield InvalidValueError("early_stopping_patience", expected, str(patience))
    adapter, usual = built["adapter"], AdapterArguments.all_layers_epochs
    entry = TASKS.get(built["task"].task)
    if entry is not None and entry.steps:
        return  # what follows is asked of each step, which may have other settings
    if adapter.trained_layers:
        yield from _problems_of_kept_states(built)
    elif adapter.all_layers_epochs != usual and "trained_layers" not in named:
        expected = f"{usual} without trained_layers"
        yield InvalidValueError("all_layers_epochs", expected, str(adapter.all_layers_epochs), "leave it out")


def _problems_of_kept_states(built: Mapping[str, Any]) -> Iterator[InvalidValueError]:
    """Yield one error for each setting that would change what lies below the trained layers, or leave it random."""
    if built["extraction"].word_dropout:
        yield InvalidValueError("word_dropout", "0 with trained_layers", str(built["extraction"].word_dropout))
    if tokens := built["adapter"].trainable_token_indices:
        yield InvalidValueError("trainable_token_indices", "none with trained_layers", str(tokens))
    entry = TASKS.get(built["task"].task)
    is_whole = entry is not None and "heads" not in entry.traits
    starts = is_whole or built["optimisation"].init_from or built["data"].pretrain_file
    if not (starts or built["adapter"].all_layers_epochs):
        yield InvalidValueError("all_layers_epochs", "at least 1 without init_from and pretrain_file", "0")
    before, epochs = built["adapter"].all_layers_epochs, built["optimisation"].num_train_epochs
    if before >= epochs:
        yield InvalidValueError("all_layers_epochs", f"fewer than num_train_epochs, {epochs}", str(before))


def _tasks_of_other_steps(entry: TaskEntry, settings: Any) -> Iterator[InvalidValueError]:
    """Yield one error for each step with a task that does not do what the step is for."""
    for step, usual in entry.steps.items():
        fitting, task = entry.tasks_for(step), getattr(settings, step).get("task", usual)
        if task not in fitting:
            hint = did_you_mean(str(task), fitting)
            yield InvalidValueError(f"{step}: task", " or ".join(fitting), repr(task), hint)


def _foreign_settings(entry: TaskEntry, built: Mapping[str, Any], named: set[str]) -> Iterator[InvalidValueError]:
    """Yield one error for each setting that was given and that the task does not read."""
    epochs = built["optimisation"].num_train_epochs
    # Heads are the steps' where there are any, each with epochs of its own.
    if "heads" in entry.traits and not entry.steps and epochs < 1 and "num_train_epochs" not in named:
        expected = f"an integer >= 1 with task: {entry.name}, whose heads are random"
        yield InvalidValueError("num_train_epochs", expected, str(epochs))
    steps = entry.step_tasks(built["steps"]).values()
    in_steps = f", whose steps have the tasks {' and '.join(step.name for step in steps)}"
    for name, section in built.items():
        defaults = type(section)()
        for setting in dataclasses.fields(section):
            is_own = _reads(entry, name, setting)
            if is_own and (not steps or name in {"task", "steps"} or any(_reads(s, name, setting) for s in steps)):
                continue
            value, default = getattr(section, setting.name), getattr(defaults, setting.name)
            if value != default and setting.name not in named:
                of_task = f"task: {entry.name}{in_steps if is_own else ''}"
                expected = f"{repr(default) if default in ('', []) else default} with {of_task}"
                yield InvalidValueError(setting.name, expected, str(value), setting.metadata.get("in_its_place", ""))


def with_changes(values: Mapping[str, Any], changes: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return settings with some replaced.

    A part of the corpus comes from a file of its own, or is a share or a fold of `train_file`: a change to one of these
    takes the others away, unless they are among the changes as well.

    Args:
        values: Setting by name.
        changes: What replaces them.

    Returns:
        The settings, and a sentence for each that was taken away.
    """
    changed = {**values, **changes}
    notices = []
    for rivals in (("dev_file", "dev_fraction"), ("test_file", "test_fraction", "test_fold")):
        for given, rival in permutations(rivals, 2):
            if _is_set(changes.get(given)) and rival not in changes and _is_set(changed.get(rival)):
                del changed[rival]
                notices.append(f"{given} {changes[given]} takes the place of {rival} {values[rival]}")
    return changed, notices


def _is_set(value: Any) -> bool:
    try:
        return bool(value and float(value))
    except (TypeError, ValueError):
        return True


def read_changed(recipe: Path | str, changes: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Read a recipe and replace some of its settings.

    Args:
        recipe: The file, or the name of a published recipe.
        changes: What replaces its settings, as `with_changes` has it.

    Returns:
        The settings, and a sentence for each that was taken away.

    Raises:
        EventuneError: If there is no such recipe, or it needs a corpus that is neither here nor given.
    """
    settings, left_out = without_absent_files(recipe, read_settings(recipe), changes)
    values, replaced = with_changes(settings, changes)
    return values, [*left_out, *replaced]


def read_settings(recipe: Path | str) -> dict[str, Any]:
    """Read a flat mapping of settings from YAML.

    Args:
        recipe: The file, or the name of a published recipe.

    Returns:
        Setting by name.

    Raises:
        EventuneError: If the file is missing or is no such mapping.
    """
    path = find(recipe)
    if not exists(path):
        raise EventuneError(f"{shown(path)}: no such recipe", names_hint(path))
    values = read_yaml(path)
    if not isinstance(values, dict):
        raise EventuneError(f"{path}: expected settings, one `name: value` a line, found {type(values).__name__}")
    return values


COLLECTIONS: Mapping[Any, str] = {
    list[str]: "a list of names, such as [query, value]",
    list[int]: "a list of integers, such as [30522, 30523]",
    dict[str, int]: "integers by name, such as {query: 8}",
    dict[str, Any]: "settings by name, such as {num_train_epochs: 12}",
}
"""Types of settings that hold several values, and how an error describes them."""


def convert(name: str, value: Any, hint: Any) -> Any:
    """Convert a value to a setting's type.

    Args:
        name: The setting.
        value: What YAML or a flag gave.
        hint: The type: bool, int, float, str, or a union with a list of strings or None.

    Returns:
        The value in that type.

    Raises:
        InvalidValueError: If it cannot be read as one.
    """
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if value is None and types.NoneType in kinds:
        return None
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
            except (ValueError, TypeError, KeyError, OverflowError):
                raise InvalidValueError(name, expected, repr(value)) from None
    raise InvalidValueError(name, "another type", repr(value))


def _is_collection(value: Any, kind: Any) -> bool:
    *keys, item = typing.get_args(kind)
    if typing.get_origin(kind) is dict:
        return type(value) is dict and all(
            type(k) is keys[0] and (item is Any or type(v) is item) for k, v in value.items()
        )
    return type(value) is list and all(type(element) is item for element in value)


def _parse_collection(value: str) -> Any:
    """Read a collection as YAML writes it; a regular expression may begin with a bracket too and stays a text."""
    try:
        return parse_yaml("flags", value)
    except EventuneError:
        return value


_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def _parse(value: Any, kind: type) -> Any:
    if kind is bool:
        return _BOOLEANS[str(value).lower()]
    if isinstance(value, bool) or not isinstance(value, int | float | str) or kind is str:
        raise TypeError
    if kind is int and isinstance(value, int):
        return value
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
