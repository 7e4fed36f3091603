"""The ways of training that are compared: each a name and the settings that it changes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eventune.adapters.methods import METHODS
from eventune.comparison.kinds import RunKind, kind_of
from eventune.errors import EventuneError, did_you_mean
from eventune.recipe import read_settings
from eventune.recipes import ARMS, published

SHORT_NAMES = {"r": "lora_r", "alpha": "lora_alpha", "targets": "lora_target_modules", "lr": "learning_rate"}
_NAME = re.compile(r"[\w.=,:+\-\[\]]+")


@dataclass(frozen=True, slots=True)
class Arm:
    """A way of training.

    Attributes:
        name: Its name in tables and folders.
        settings: The settings of the recipe that it changes; None takes one away, so that its default holds.
    """

    name: str
    settings: Mapping[str, Any]

    @property
    def folder(self) -> str:
        """Name of its folder: the arm's, with what file systems dislike replaced."""
        return re.sub(r"[^\w.=,+\-]", "_", self.name)


def parse_arms(text: str, base: Mapping[str, Any] | None = None) -> list[Arm]:
    """Read arms as the command line gives them.

    Args:
        text: Arms with commas: a method (for extraction also `padded-questions`), then `:setting=value` for each
            setting that it changes, such as `full,lora:r=16,lora:r=8:targets=mlp`. With a rank and no alpha, alpha is
            twice the rank.
        base: The settings that all arms share; they decide which methods there are.

    Returns:
        The arms.

    Raises:
        EventuneError: If a preset or setting is unknown, or two arms are alike.
    """
    # A comma inside brackets belongs to a list of names.
    words = [word.strip() for word in re.split(r",(?![^\[{]*[\]}])", text) if word.strip()]
    kind = kind_of(base or {})
    presets = kind.presets(base or {})
    return _distinct([_parse_arm(word, kind, presets) for word in words])


def _parse_arm(word: str, kind: RunKind, presets: Mapping[str, Mapping[str, Any]]) -> Arm:
    preset, *changes = word.split(":")
    if preset not in presets:
        raise EventuneError(
            f"arms: expected one of {', '.join(presets)} with a recipe of `eventune {kind.verb}`, found {preset!r}",
            did_you_mean(preset, [*presets, *published(ARMS)]),
        )
    settings = dict(presets[preset])
    short = {**SHORT_NAMES, "r": METHODS[preset].rank} if preset in METHODS else SHORT_NAMES
    for change in changes:
        name, equals, value = change.partition("=")
        name = short.get(name, name)
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


def recipe_of(base: Mapping[str, Any], arm: Arm, **own: Any) -> Any:
    """Return the recipe of one run.

    Args:
        base: The settings that all arms share.
        arm: The arm.
        own: The run's own settings: `seed`, `output_dir`.

    Returns:
        Checked settings, of the kind that the base's names decide.

    Raises:
        EventuneError: With every wrong setting, and the arm's name.
    """
    kind = kind_of(base)
    unknown = next(iter(kind.unknown(arm.settings)), None)
    if unknown is not None:
        known = [*kind.names(), *SHORT_NAMES]
        # `rank` in `lora:rank=8` is like no setting, but `lora_rank` is.
        hint = did_you_mean(unknown, known) or did_you_mean(f"{arm.name.partition(':')[0]}_{unknown}", known)
        raise EventuneError(f"arm {arm.name}: {unknown!r} is no setting of a recipe", hint)
    values = {**kind.inherited(base, arm.settings), **arm.settings, **own}
    taken_away = {name for name in arm.settings if values[name] is None}
    return kind.recipe(
        {name: value for name, value in values.items() if name not in taken_away}, source=f"arm {arm.name}"
    )
