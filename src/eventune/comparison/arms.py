"""The ways of training that are compared: each a name and the settings that it changes."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eventune.adapters.arguments import METHODS
from eventune.errors import EventuneError, did_you_mean
from eventune.recipe import SECTIONS, Recipe, read_settings

SHORT_NAMES = {"r": "lora_r", "alpha": "lora_alpha", "targets": "lora_target_modules", "lr": "learning_rate"}
NOTES: Mapping[str, Any] = {
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
    "pretrain_file": "",
    "pretrain_ontology_file": "",
}
"""The notes' setting: one padded input for each role slot, LoRA on query and value, heads random and frozen."""
PRESETS: Mapping[str, Mapping[str, Any]] = {**{method: {"method": method} for method in METHODS}, "notes": NOTES}
_NAME = re.compile(r"[\w.=,:+\-\[\]]+")


@dataclass(frozen=True, slots=True)
class Arm:
    """A way of training.

    Attributes:
        name: Its name in tables and folders.
        settings: The settings of the recipe that it changes.
    """

    name: str
    settings: Mapping[str, Any]

    @property
    def folder(self) -> str:
        """Name of its folder: the arm's, with what file systems dislike replaced."""
        return re.sub(r"[^\w.=,+\-]", "_", self.name)


def parse_arms(text: str) -> list[Arm]:
    """Read arms as the command line gives them.

    Args:
        text: Arms with commas: a method or `notes`, then `:setting=value` for each setting that it changes, such as
            `full,lora:r=16,lora:r=8:targets=mlp`. With a rank and no alpha, alpha is twice the rank.

    Returns:
        The arms.

    Raises:
        EventuneError: If a preset or setting is unknown, or two arms are alike.
    """
    # A comma inside brackets belongs to a list of names.
    words = [word.strip() for word in re.split(r",(?![^\[{]*[\]}])", text) if word.strip()]
    return _distinct([_parse_arm(word) for word in words])


def _parse_arm(word: str) -> Arm:
    preset, *changes = word.split(":")
    if preset not in PRESETS:
        raise EventuneError(
            f"arms: expected one of {', '.join(PRESETS)}, found {preset!r}", did_you_mean(preset, PRESETS)
        )
    settings = dict(PRESETS[preset])
    for change in changes:
        name, equals, value = change.partition("=")
        name = SHORT_NAMES.get(name, name)
        if not equals:
            raise EventuneError(f"arms: {word!r}: expected setting=value, found {change!r}", "for example lora:r=8")
        settings[name] = value
    if "lora_r" in settings and "lora_alpha" not in settings and str(settings["lora_r"]).isdigit():
        settings["lora_alpha"] = 2 * int(settings["lora_r"])
    return Arm(word, settings)


def read_arms(path: Path) -> list[Arm]:
    """Read arms from YAML: a mapping from each arm's name to its settings.

    Raises:
        EventuneError: If the file is no such mapping.
    """
    arms = []
    for name, settings in read_settings(path).items():
        if not isinstance(settings, dict | None) or not _NAME.fullmatch(str(name)):
            raise EventuneError(f"{path}: {name}: expected a name without spaces and its settings below it")
        arms.append(Arm(str(name), dict(settings or {})))
    return _distinct(arms)


def _distinct(arms: Sequence[Arm]) -> list[Arm]:
    folders = [arm.folder for arm in arms]
    double = next((arm.name for arm in arms if folders.count(arm.folder) > 1), None)
    if double is not None:
        raise EventuneError(f"arms: {double!r} stands there twice")
    if not arms:
        raise EventuneError("arms: expected one at least, found none", "for example --arms full,lora:r=8")
    return list(arms)


def recipe_of(base: Mapping[str, Any], arm: Arm, **own: Any) -> Recipe:
    """Return the recipe of one run.

    Args:
        base: The settings that all arms share.
        arm: The arm.
        own: The run's own settings: `seed`, `output_dir`.

    Raises:
        EventuneError: With every wrong setting, and the arm's name.
    """
    known = {field.name for section in SECTIONS.values() for field in dataclasses.fields(section)}
    unknown = next((name for name in arm.settings if name not in known), None)
    if unknown is not None:
        hint = did_you_mean(unknown, [*known, *SHORT_NAMES])
        raise EventuneError(f"arm {arm.name}: {unknown!r} is no setting of a recipe", hint)
    return Recipe.of({**base, **arm.settings, **own}, source=f"arm {arm.name}")
