"""The directory of a run: complete or absent, and checked when it is read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from eventune.errors import EventuneError
from eventune.storage.atomic import remove_staged, write_atomically
from eventune.storage.json_files import read_json
from eventune.storage.locks import INSIDE, locked
from eventune.storage.paths import exists, is_file, is_folder, reason_of, shown
from eventune.storage.text_files import read_text
from eventune.storage.yaml_files import parse_yaml, read_yaml

RECIPE = "recipe.yaml"
RESULT = "result.json"
HISTORY = "history.jsonl"
CARD = "README.md"
PREDICTIONS = "test_predictions.jsonl"
ONTOLOGY = "ontology.yaml"
EXTRACTOR = "extractor.json"
GENERATOR = "generator.json"
EVENTS = "events.json"
ENSEMBLE = "ensemble.json"
MEMBERS = "members"
"""Run directories, by their number, inside that of an ensemble."""
STEPS = ("detection", "arguments")
"""Run directories inside the directory of a run that is made in steps."""
BASE = "base.json"
CHECKPOINTS = "checkpoints"
TRACKING = "runs"
"""TensorBoard's files."""
_MADE_BY = "# eventune "
"""Before the command that made a run, on the first line of its settings."""
_COMMANDS = ("train", "sft")

_SAVING = frozenset({"save_steps"})
"""Settings that may change when a run goes on: how much is lost next time."""

OWN_FILES = (
    *(RECIPE, RESULT, HISTORY, CARD, PREDICTIONS, ONTOLOGY, EXTRACTOR, GENERATOR, EVENTS, ENSEMBLE, MEMBERS, BASE),
    *(CHECKPOINTS, *STEPS),
    *(
        TRACKING,
        "trainer_state.json",
        "*_results.json",
        "metrics.json",
        "generated_predictions.txt",
        "predictions.jsonl",
    ),
    *(
        "adapter_config.json",
        "adapter_model.safetensors",
        "model.safetensors",
        "trained_part.safetensors",
        "quantisation.json",
    ),
    *("tokenizer*.json", "special_tokens_map.json", "added_tokens.json", "vocab*.txt", "vocab.json", "merges.txt"),
    *("spiece.model", "spm.model", "sentencepiece*.model", "tokenizer.model", "bpe.codes", "chat_template.jinja"),
    *("prompt.jinja", "examples.jsonl", "config.json", "generation_config.json"),
    *("final", ".final.tmp", f".{RECIPE}.*.tmp", f".{RESULT}.*.tmp", INSIDE),
)
"""Patterns of what a run leaves in its folder: its files, the tokenizer's of any base, and what a kill interrupted."""


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """A run's folder.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def checkpoints(self) -> Path:
        """Where checkpoints are kept while the run goes on."""
        return self.path / CHECKPOINTS

    @contextmanager
    def locked(self) -> Iterator[int | None]:
        """Keep other processes from making a run here for the length of a block; what a kill left is removed first.

        Raises:
            LockedError: If another process is at it.
            EventuneError: If the folder's place cannot be written to.
        """
        with ExitStack() as stack:
            try:
                descriptor = stack.enter_context(locked(self.path, makes_parents=True))
            except EventuneError as error:
                raise type(error)(f"output_dir: {error.message}", error.hint) from None
            for run in (self, *(RunDirectory(self.path / step) for step in STEPS)):
                run._remove_leftovers()
            yield descriptor

    def _remove_leftovers(self) -> None:
        """Remove what a kill left of a run; checkpoints only where a run is known to have made the folder."""
        for name in (RECIPE, RESULT):
            remove_staged(self.path / name)
        if self._marked_verb() and self.is_complete():
            shutil.rmtree(self.checkpoints, ignore_errors=True)

    def is_complete(self) -> bool:
        """Tell whether the run was finished: its result is written last."""
        return is_file(self.path / RESULT)

    def check(self, settings: str, *, overwrite: bool, resume: bool) -> None:
        """Find out whether the folder can be claimed for a run; nothing is changed.

        Args:
            settings: The run's settings as YAML.
            overwrite: Remove what an earlier run left.
            resume: Go on with an unfinished run of the same settings.

        Raises:
            EventuneError: If the folder holds something and neither was asked for, the run is finished, the
                unfinished run has other settings, or what is to be removed or resumed is no run.
        """
        if exists(self.path) and not is_folder(self.path):
            raise EventuneError(f"output_dir: expected a folder, found the file {self.path}")
        if not is_folder(self.path) or not any(self._contents()):
            return
        if overwrite:
            self._require_own_files()
        elif not resume:
            raise EventuneError(
                f"output_dir: {self.path} exists and is not empty",
                "choose another, go on with --resume_from_checkpoint true, or give --overwrite_output_dir true",
            )
        elif self.is_complete():
            raise self._finished(settings)
        elif not is_file(self.path / RECIPE):
            raise EventuneError(
                f"output_dir: {self.path} holds files but no run ({RECIPE}), so there is nothing to resume",
                "choose another folder",
            )
        elif different := _different(self._settings(), parse_yaml(RECIPE, settings)):
            raise EventuneError(
                f"output_dir: the unfinished run in {self.path} has another recipe: {', '.join(different)} (see its "
                f"{RECIPE})",
                "give the same settings, or another output_dir",
            )

    def _finished(self, settings: str) -> EventuneError:
        """Return the error for a run that shall go on and has ended."""
        different = _different(parse_yaml("settings", settings), self._settings())
        if not different:
            return EventuneError(
                f"output_dir: the run in {self.path} is finished, there is nothing to resume",
                "give --overwrite_output_dir true to make it again, or choose another output_dir",
            )
        hint = "train anew, into another output_dir or over this run with --overwrite_output_dir true"
        if self._verb() == "sft":
            hint += f"; --ptuning_checkpoint {self.path} and another output_dir go on from its weights"
        return EventuneError(
            f"output_dir: the run in {self.path} is finished, and its checkpoints are gone, so it cannot go on with "
            f"{', '.join(different)}",
            hint,
        )

    def prepare(self, settings: str, *, command: str, overwrite: bool, resume: bool = False) -> None:
        """Claim the folder for a run and write its settings.

        Args:
            settings: The settings as YAML.
            command: The command that makes the run.
            overwrite: Remove what an earlier run left.
            resume: Go on with an unfinished run of the same settings.

        Raises:
            EventuneError: As for `check`; or the settings cannot be written, in which case nothing is left behind.
        """
        self.check(settings, overwrite=overwrite, resume=resume)
        if overwrite:
            self._remove_contents()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except (OSError, ValueError) as error:
            raise EventuneError(f"output_dir: {shown(self.path)} cannot be made: {reason_of(error)}") from None
        try:
            write_atomically(self.path / RECIPE, f"{_MADE_BY}{command}\n{settings}")
        except BaseException:
            self.abandon()
            raise

    def _require_own_files(self) -> None:
        """Refuse to remove what is not a run's."""
        found = {path.name for path in self._contents()}
        # A recipe that no run wrote may be the user's own, beside files that are nobody else's.
        is_run = found & {RESULT, CHECKPOINTS, *STEPS} or found == {RECIPE} or self._marked_verb()
        if RECIPE not in found or not is_run:
            raise EventuneError(
                f"output_dir: {self.path} holds files but no run ({RECIPE} with {RESULT} or {CHECKPOINTS}/), so it is "
                "not overwritten",
                "choose another folder",
            )
        foreign = sorted(name for name in found if not any(fnmatchcase(name, own) for own in OWN_FILES))
        if foreign:
            raise EventuneError(
                f"output_dir: {self.path} holds {foreign[0]}, which is no file of a run, so it is not overwritten",
                "move it elsewhere, or choose another folder",
            )

    def _contents(self) -> Iterator[Path]:
        return (path for path in self.path.iterdir() if path.name != INSIDE)

    def _remove_contents(self) -> None:
        """Remove an earlier run; the folder may be another one's name, or one that nothing can be written beside."""
        if self.path.is_dir():
            # Should it be killed: without a result it is no finished run, and with its recipe it can be removed again.
            order = {RESULT: 0, RECIPE: 2}
            for path in sorted(self._contents(), key=lambda path: order.get(path.name, 1)):
                if path.is_dir() and not path.is_symlink():
                    if path.name in STEPS:
                        RunDirectory(path)._remove_contents()
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)

    def finish(self, staging: Path, result: dict[str, Any]) -> None:
        """Move the finished files in and write the result last.

        Args:
            staging: Folder of the finished files, on the same disk.
            result: Content of `result.json`.

        Raises:
            EventuneError: If the folder was removed on the way, or cannot be written to.
        """
        if not (self.path / RECIPE).is_file():
            raise EventuneError(
                f"output_dir: {self.path} was removed while the run went on, so it cannot be finished",
                "give the same command again",
            )
        for path in staging.iterdir():
            path.replace(self.path / path.name)
        staging.rmdir()
        write_atomically(self.path / RESULT, json.dumps(result, ensure_ascii=False, indent=2) + "\n")
        shutil.rmtree(self.checkpoints, ignore_errors=True)

    def abandon(self) -> None:
        """Give the folder up after an error, unless there is a checkpoint or a finished step to go on from."""
        # Those of a pretraining lie in a folder of their own.
        if any(self.checkpoints.rglob("checkpoint-*")) or any((self.path / step).exists() for step in STEPS):
            return
        shutil.rmtree(self.checkpoints, ignore_errors=True)
        (self.path / RECIPE).unlink(missing_ok=True)
        if self.path.is_dir() and not any(self.path.iterdir()):
            self.path.rmdir()

    def require(self, *names: str) -> None:
        """Check that the run is complete.

        Args:
            names: Files that are needed beside the result.

        Raises:
            EventuneError: If the folder is no run, the run is unfinished, or a file is missing or cut off.
        """
        if not is_folder(self.path):
            raise EventuneError(f"{shown(self.path)}: no such run directory")
        if not self.is_complete():
            if is_folder(self.checkpoints) or is_file(self.path / RECIPE):
                raise EventuneError(
                    f"{self.path}: the run is not finished",
                    f"eventune {self._verb()} {self.path / RECIPE} --resume_from_checkpoint true",
                )
            raise EventuneError(f"{self.path}: expected a run directory, found no {RESULT} in it")
        self.read(RESULT)
        for name in names:
            if not is_file(self.path / name):
                raise EventuneError(
                    f"{self.path}: the run lacks its {name}", "copy the whole run directory anew, or train again"
                )

    def _verb(self) -> str:
        """Return the command that made the run; runs of earlier versions do not say it, but their settings do."""
        if marked := self._marked_verb():
            return marked
        settings = self._settings()
        return "train" if not settings or "ontology_file" in settings else "sft"

    def _marked_verb(self) -> str:
        """Return the command that the settings name; empty where no run wrote them, or one of an earlier version."""
        first = ""
        with suppress(EventuneError):
            first = read_text(self.path / RECIPE).partition("\n")[0]
        verb = first.removeprefix(_MADE_BY)
        return verb if first.startswith(_MADE_BY) and verb in _COMMANDS else ""

    def setting(self, name: str) -> Any:
        """Return a setting that the run was made with; None where its recipe does not have it."""
        return self._settings().get(name)

    def _settings(self) -> dict[str, Any]:
        with suppress(EventuneError):
            # Of an ensemble, which has no recipe, the settings file says it.
            settings = read_yaml(self.path / (ENSEMBLE if is_file(self.path / ENSEMBLE) else RECIPE))
            return settings if isinstance(settings, dict) else {}
        return {}

    def read(self, name: str, *fields: str) -> dict[str, Any]:
        """Read one of the run's JSON files.

        Args:
            name: The file.
            fields: What it must hold.

        Returns:
            Its content.

        Raises:
            EventuneError: If it is missing, damaged, or lacks a field.
        """
        value = read_json(self.path / name)
        for field in fields:
            if field not in value:
                raise EventuneError(
                    f"{self.path / name}: expected the field {field!r}, found {', '.join(value) or 'none'}",
                    "copy the whole run directory anew, or train again with this version",
                )
        return value


def _different(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Return the settings that differ, with both values, but for those that decide nothing of what comes out."""
    given = (one.keys() | other.keys()) - _SAVING
    differ = [name for name in given if name not in one or name not in other or one[name] != other[name]]
    return [f"{name} {_shown(one, name)}, not {_shown(other, name)}" for name in sorted(differ, key=str)]


def _shown(settings: Mapping[str, Any], name: str) -> str:
    # No default is filled in: what two versions make together is no one run.
    return repr(settings[name]) if name in settings else "unknown to the version that made it"
