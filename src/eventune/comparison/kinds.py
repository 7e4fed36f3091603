"""What can be compared: runs of `eventune train`, and runs of `eventune sft`; all that differs between them."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from eventune.adapters.methods import METHODS, rate_advice
from eventune.comparison.tallies import Tallies, read_predictions, tallies_of_documents, tallies_of_rows
from eventune.recipe import RENAMED, Recipe, all_sections, setting_names
from eventune.runs.splits import read_splits
from eventune.scoring.definitions import Scoring
from eventune.tasks.registry import TASKS

PADDED_QUESTIONS: Mapping[str, Any] = {
    "extractor": "question",
    "pad_to_max_length": True,
    "max_length": 512,
    "head_dropout": 0.5,
    "word_dropout": 0.0,
    "method": "lora",
    "lora_r": 16,
    "lora_alpha": 16,
    "lora_dropout": 0.1,
    "lora_target_modules": "attention-qv",
    "freeze_heads": True,
    "init_from": "",
    "teacher": "",
    "pretrain_file": "",
    "pretrain_ontology_file": "",
}
"""How many scripts train: one padded input for each role slot, LoRA on query and value, heads random and frozen."""
_TRAINED_ON = {
    *("train_fraction", "negative_file", "further_corpora", "pretrain_file", "pretrain_ontology_file"),
    *("descriptions_file", "multiplicity"),
}
"""Settings of the documents that make no difference to the dev and the test part."""
_DEV = {"dev_file", "dev_fraction"}
"""Settings that make none to the test part."""


@dataclass(frozen=True, slots=True)
class Headline:
    """The measure that stands for all where one figure is shown.

    Attributes:
        name: What a run's metrics call it.
        title: How tables call it.
        scorer: Who defined it.
        scoring: How documents are counted for it; None where no documents are.
    """

    name: str
    title: str
    scorer: str
    scoring: Scoring | None = None

    @property
    def definition(self) -> str:
        """The title with all that decides what is counted."""
        triggers = f", triggers: {self.scoring.triggers}" if self.scoring else ""
        return f"{self.title} (scorer: {self.scorer}{triggers})"


class RunKind(ABC):
    """A kind of runs.

    Attributes:
        verb: The command that makes one.
        unit: What the test part consists of.
        metrics: Figures of a run's score, in the order they are shown in.
        intervals: Name of each interval of the headline, by what resampling calls it.
        dev_measure: What tuning looks at on the dev part.
        direction: Whether more of it is better: `maximize` or `minimize`.
        dev_file: The setting that names a file for the dev part.
        dev_stands_in: Whether the dev part has the headline as well, so that no test part is needed.
        curve: What `history.jsonl` tells of the training's course.
        curve_title: How a picture calls it; `{title}` stands for the headline's title.
        predictions: The file of a run with what it predicted for the test part.
        trial: Settings that all trials of a tuning have.
    """

    verb: ClassVar[str]
    unit: ClassVar[str]
    metrics: ClassVar[tuple[str, ...]]
    intervals: ClassVar[Mapping[str, str]]
    dev_measure: ClassVar[str]
    direction: ClassVar[str]
    dev_file: ClassVar[str]
    dev_stands_in: ClassVar[bool]
    curve: ClassVar[str]
    curve_title: ClassVar[str]
    predictions: ClassVar[str]
    trial: ClassVar[Mapping[str, Any]]

    @abstractmethod
    def names(self) -> Collection[str]:
        """Return the names of all settings."""

    def unknown(self, values: Mapping[str, Any]) -> list[str]:
        """Return the names among some settings that are none of this kind's."""
        known = self.names()
        return [name for name in values if name not in known]

    def inherited(self, base: Mapping[str, Any], own: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002
        """Return what an arm with settings of its own takes over from the settings that all arms share."""
        return base

    @abstractmethod
    def presets(self, base: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
        """Return the settings of each way of training by its name; None takes one of the base's away."""

    @abstractmethod
    def recipe(self, values: Mapping[str, Any], source: str) -> Any:
        """Return checked settings with `to_dict` and `to_yaml`.

        Raises:
            EventuneError: With every wrong setting.
        """

    def own(self, seed: int, output_dir: Path) -> dict[str, Any]:
        """Return the settings that belong to a single run."""
        return {"seed": seed, "output_dir": str(output_dir)}

    def advice(self, recipe: Any) -> str:  # noqa: ARG002
        """Return what a user should know of settings before runs are made with them, if anything."""
        return ""

    @abstractmethod
    def headline(self, recipe: Any) -> Headline:
        """Return the measure that runs with these settings are compared by."""

    @abstractmethod
    def has_part(self, recipe: Any, part: str) -> bool:
        """Tell whether a run has a part, `dev` or `test`."""

    def part_settings(self, recipe: Any) -> Mapping[str, Any]:  # noqa: ARG002
        """Return the settings that decide what is scored: runs with equal ones are scored on the same items."""
        return {}

    def part(self, recipe: Any) -> Sequence[Any]:  # noqa: ARG002
        """Return what runs are scored on: the test part, or the dev part without one; of rows, predictions tell it."""
        return ()

    @abstractmethod
    def gold(self, recipe: Any, files: Sequence[Path]) -> Sequence[Any]:
        """Return what the test part's predictions are held against; nothing where it has none.

        Args:
            recipe: The settings of a run.
            files: The runs' files of predictions, as far as they are there.
        """

    @abstractmethod
    def tallies(self, files: Sequence[Sequence[Path]], gold: Sequence[Any], headline: Headline) -> Tallies:
        """Count the predictions of an arm's seeds together, as the headline's scorer does.

        Args:
            files: The files of each seed, a file a fold.
            gold: What they are held against.
            headline: What is counted.
        """


class ExtractionKind(RunKind):
    """Events and their arguments: F1 by the recipe's or the task's scorer."""

    verb = "train"
    unit = "documents"
    metrics = ("f1", "precision", "recall")
    intervals: ClassVar[Mapping[str, str]] = {name: name for name in ("precision", "recall", "f1")}
    dev_measure, direction = "f1", "maximize"
    dev_file, dev_stands_in = "dev_file", True
    curve, curve_title = "f1", "{title} on the dev part"
    predictions = "test_predictions.jsonl"
    trial: ClassVar[Mapping[str, Any]] = {}

    def names(self) -> Collection[str]:
        """See `RunKind.names`."""
        return {field.name for section in all_sections().values() for field in dataclasses.fields(section)}

    def inherited(self, base: Mapping[str, Any], own: Mapping[str, Any]) -> Mapping[str, Any]:
        """See `RunKind.inherited`: an arm of another task takes over what that task reads."""
        entry = TASKS.get(str(own.get("task", "")))
        if entry is None:
            return base
        read = set(setting_names(entry))
        return {name: value for name, value in base.items() if RENAMED.get(name, name) in read}

    def presets(self, base: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:  # noqa: ARG002
        """See `RunKind.presets`."""
        own = dict.fromkeys(("padded-questions", "notes"), PADDED_QUESTIONS)  # `notes` is its name in 0.1.0.
        return {**{method: {"method": method} for method in METHODS}, **own}

    def recipe(self, values: Mapping[str, Any], source: str) -> Recipe:
        """See `RunKind.recipe`."""
        return Recipe.of(values, source=source)

    def own(self, seed: int, output_dir: Path) -> dict[str, Any]:
        """See `RunKind.own`."""
        return {**super().own(seed, output_dir), "save_predictions": True}

    def advice(self, recipe: Any) -> str:
        """See `RunKind.advice`: an arm takes over the recipe's learning rate, which is another method's."""
        trained = recipe.steps.values() or [recipe]
        advice = (rate_advice(each.adapter.method, each.optimisation.learning_rate) for each in trained)
        return next(filter(None, advice), "")

    def headline(self, recipe: Any) -> Headline:
        """See `RunKind.headline`."""
        scoring = recipe.scored_by
        return Headline("f1", scoring.title, scoring.scorer, scoring)

    def has_part(self, recipe: Any, part: str) -> bool:
        """See `RunKind.has_part`."""
        return bool(recipe.data.has_part(part))

    def part_settings(self, recipe: Any) -> Mapping[str, Any]:
        """See `RunKind.part_settings`."""
        without = _TRAINED_ON | (_DEV if self.has_part(recipe, "test") else set())
        return {name: value for name, value in vars(recipe.data).items() if name not in without}

    def part(self, recipe: Any) -> Sequence[Any]:
        """See `RunKind.part`."""
        splits = read_splits(recipe.data, lambda _: None)
        return splits.test or splits.dev

    def gold(self, recipe: Any, files: Sequence[Path]) -> Sequence[Any]:  # noqa: ARG002
        """See `RunKind.gold`."""
        return read_splits(recipe.data, lambda _: None).test

    def tallies(self, files: Sequence[Sequence[Path]], gold: Sequence[Any], headline: Headline) -> Tallies:
        """See `RunKind.tallies`."""
        assert headline.scoring is not None
        return tallies_of_documents(files, gold, headline.scoring)


class SftKind(RunKind):
    """Responses of a causal LM: BLEU."""

    verb = "sft"
    unit = "rows"
    metrics = ("bleu", "chrf", "bleu-4", "rouge-1", "rouge-2", "rouge-l", "loss", "perplexity")
    # Resampling calls what a measure is summed up in F1; BLEU's two factors are of no use here.
    intervals: ClassVar[Mapping[str, str]] = {"f1": "bleu"}
    dev_measure, direction = "loss", "minimize"
    dev_file, dev_stands_in = "validation_file", False
    curve, curve_title = "loss", "training loss"
    predictions = "predictions.jsonl"
    # Responses are generated for minutes, and must not be looked at.
    trial: ClassVar[Mapping[str, Any]] = {"do_train": True, "do_eval": True, "do_predict": False}

    def names(self) -> Collection[str]:
        """See `RunKind.names`."""
        from eventune.sft.settings import setting_names

        return setting_names()

    def unknown(self, values: Mapping[str, Any]) -> list[str]:
        """See `RunKind.unknown`; older names are known."""
        from eventune.sft.legacy import translate

        return super().unknown(translate(values)[0])

    def presets(self, base: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
        """See `RunKind.presets`; a rank and a prefix's length are the base's where it has them."""
        neither = {"lora_r": None, "pre_seq_len": None, "quantization_bit": None}
        lora = {"pre_seq_len": None} if base.get("lora_r") else {"lora_r": 8, "pre_seq_len": None}
        return {"full": neither, "lora": lora, "prefix": {**neither, "pre_seq_len": base.get("pre_seq_len") or 32}}

    def recipe(self, values: Mapping[str, Any], source: str) -> Any:
        """See `RunKind.recipe`."""
        from eventune.sft.settings import SftArguments

        return SftArguments.of(values, source=source)

    def headline(self, recipe: Any) -> Headline:  # noqa: ARG002
        """See `RunKind.headline`."""
        return Headline("bleu", "BLEU", "sacrebleu")

    def has_part(self, recipe: Any, part: str) -> bool:
        """See `RunKind.has_part`."""
        return {"dev": "eval", "test": "predict"}[part] in recipe.tasks

    def gold(self, recipe: Any, files: Sequence[Path]) -> Sequence[Any]:  # noqa: ARG002
        """See `RunKind.gold`."""
        references = [row["references"] for row in read_predictions(files[0])] if files else []
        return references if all(references) else []

    def tallies(self, files: Sequence[Sequence[Path]], gold: Sequence[Any], headline: Headline) -> Tallies:  # noqa: ARG002
        """See `RunKind.tallies`."""
        return tallies_of_rows([file for (file,) in files], gold)


def kind_of(base: Mapping[str, Any]) -> RunKind:
    """Return the kind of runs that some settings are for: the one that knows most of their names.

    Args:
        base: Setting by name.

    Returns:
        The kind; extraction where both know as many.
    """
    extraction = ExtractionKind()
    # Only then transformers, whose settings the other's are, need not be loaded.
    if not extraction.unknown(base):
        return extraction
    return min((extraction, SftKind()), key=lambda kind: len(kind.unknown(base)))
