"""The directory of a run: complete or absent, and checked when it is read."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from eventune.errors import EventuneError, InvalidValueError
from eventune.storage.atomic import write_atomically
from eventune.storage.json_files import read_json

RECIPE = "recipe.yaml"
RESULT = "result.json"
HISTORY = "history.jsonl"
CARD = "README.md"
PREDICTIONS = "test_predictions.jsonl"
ONTOLOGY = "ontology.yaml"
EXTRACTOR = "extractor.json"
GENERATOR = "generator.json"
BASE = "base.json"
CHECKPOINTS = "checkpoints"
TRACKING = "runs"
"""TensorBoard's files."""
ONTOLOGY_BYTES = "ontology_bytes"
"""Where the extractor's settings record how long the ontology's file is."""

OWN_FILES = (
    *(RECIPE, RESULT, HISTORY, CARD, PREDICTIONS, ONTOLOGY, EXTRACTOR, GENERATOR, BASE, CHECKPOINTS),
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
    *("final", ".final.tmp", f".{RECIPE}.*.tmp", f".{RESULT}.*.tmp"),
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

    def is_complete(self) -> bool:
        """Tell whether the run was finished: its result is written last."""
        return (self.path / RESULT).is_file()

    def prepare(self, recipe: str, *, overwrite: bool, resume: bool) -> None:
        """Claim the folder for a run and write its recipe.

        Args:
            recipe: The recipe as YAML.
            overwrite: Remove what an earlier run left.
            resume: Go on with an unfinished run of the same recipe.

        Raises:
            EventuneError: If the folder holds something and neither was asked for, the run is finished, the
                unfinished run has another recipe, what is to be removed or resumed is no run, or the recipe cannot be
                written, in which case nothing is left behind.
        """
        if self.path.exists() and not self.path.is_dir():
            raise EventuneError(f"output_dir: expected a folder, found the file {self.path}")
        if self.path.is_dir() and any(self.path.iterdir()):
            if overwrite:
                self._remove()
            elif not resume:
                raise EventuneError(
                    f"output_dir: {self.path} exists and is not empty",
                    "choose another, go on with --resume_from_checkpoint true, or give --overwrite_output_dir true",
                )
            elif self.is_complete():
                raise EventuneError(f"output_dir: the run in {self.path} is finished, there is nothing to resume")
            elif not (self.path / RECIPE).is_file():
                raise EventuneError(
                    f"output_dir: {self.path} holds files but no run ({RECIPE}), so there is nothing to resume",
                    "choose another folder",
                )
            elif (self.path / RECIPE).read_text(encoding="utf-8") != recipe:
                raise EventuneError(
                    f"output_dir: the unfinished run in {self.path} has another recipe (see its {RECIPE})",
                    "give the same settings, or another output_dir",
                )
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EventuneError(f"output_dir: {self.path} cannot be made: {error.strerror}") from None
        try:
            write_atomically(self.path / RECIPE, recipe)
        except BaseException:
            self.abandon()
            raise

    def _remove(self) -> None:
        found = {path.name for path in self.path.iterdir()}
        # A recipe alone may be the user's own, beside files that are nobody else's.
        if RECIPE not in found or not (found & {RESULT, CHECKPOINTS} or found == {RECIPE}):
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
        shutil.rmtree(self.path)

    def finish(self, staging: Path, result: dict[str, Any]) -> None:
        """Move the finished files in and write the result last.

        Args:
            staging: Folder of the finished files, on the same disk.
            result: Content of `result.json`.
        """
        for path in staging.iterdir():
            path.replace(self.path / path.name)
        staging.rmdir()
        write_atomically(self.path / RESULT, json.dumps(result, ensure_ascii=False, indent=2) + "\n")
        shutil.rmtree(self.checkpoints, ignore_errors=True)

    def abandon(self) -> None:
        """Give the folder up after an error, unless there is a checkpoint to go on from."""
        if any(self.checkpoints.glob("checkpoint-*")):
            return
        shutil.rmtree(self.checkpoints, ignore_errors=True)
        (self.path / RECIPE).unlink(missing_ok=True)
        if not any(self.path.iterdir()):
            self.path.rmdir()

    def require(self, *names: str) -> None:
        """Check that the run is complete.

        Args:
            names: Files that are needed beside the result.

        Raises:
            EventuneError: If the folder is no run, the run is unfinished, or a file is missing or cut off.
        """
        if not self.path.is_dir():
            raise EventuneError(f"{self.path}: no such run directory")
        if not self.is_complete():
            if self.checkpoints.is_dir() or (self.path / RECIPE).is_file():
                raise EventuneError(
                    f"{self.path}: the run is not finished",
                    f"eventune {self._verb()} {self.path / RECIPE} --resume_from_checkpoint true",
                )
            raise EventuneError(f"{self.path}: expected a run directory, found no {RESULT} in it")
        self.read(RESULT)
        if EXTRACTOR in names and (self.path / GENERATOR).is_file():
            raise EventuneError(
                f"{self.path}: expected a run that extracts arguments, found one of eventune sft",
                "eventune sft --do_predict true --test_file FILE --output_dir OUT --model_name_or_path BASE "
                f"--ptuning_checkpoint {self.path}",
            )
        for name in names:
            if not (self.path / name).is_file():
                raise EventuneError(
                    f"{self.path}: the run lacks its {name}", "copy the whole run directory anew, or train again"
                )
        if ONTOLOGY in names:
            self._require_whole_ontology()

    def _verb(self) -> str:
        """Return the command that made the run: settings of `train` name an ontology, be it an empty one."""
        path = self.path / RECIPE
        return "train" if not path.is_file() or "ontology_file:" in path.read_text(encoding="utf-8") else "sft"

    def _require_whole_ontology(self) -> None:
        """Compare its size with the recorded one: what is left of a YAML file that was cut off is often valid YAML."""
        found, expected = (self.path / ONTOLOGY).stat().st_size, self.read(EXTRACTOR).get(ONTOLOGY_BYTES, 0)
        if type(expected) is not int:
            raise InvalidValueError(f"{self.path / EXTRACTOR}: {ONTOLOGY_BYTES}", "an integer", repr(expected))
        if found < expected:
            raise EventuneError(
                f"{self.path / ONTOLOGY}: expected {expected} bytes, found {found}: the file was cut off",
                f"copy the whole run directory anew; if you shortened it yourself, correct {ONTOLOGY_BYTES} in "
                f"{EXTRACTOR}",
            )

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
