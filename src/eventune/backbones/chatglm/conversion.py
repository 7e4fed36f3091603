"""A folder of ChatGLM2 made into one of transformers' own Glm, and back: atomic, resumable, checked by hashes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eventune import __version__
from eventune.backbones.chatglm.companions import write_native_companions, write_published_companions
from eventune.backbones.chatglm.detection import cached_conversion, files_read
from eventune.backbones.chatglm.plan import Plan, plan
from eventune.backbones.chatglm.shards import row_reader
from eventune.backbones.tensor_files import sha256_of, write_tensors
from eventune.errors import EventuneError
from eventune.storage.atomic import write_atomically
from eventune.storage.json_files import read_json
from eventune.storage.locks import locked
from eventune.storage.paths import exists, is_folder

RECORD = "conversion.json"
"""What a converted folder was made of, and the hashes of its files; written last."""
_FORM = 1
"""Counts what changes in the files that are written, so that no folder of an earlier version is taken for a new one."""
_PROGRESS = "progress.json"
Notice = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Conversion:
    """A finished conversion.

    Attributes:
        source: The folder that was read.
        target: The folder that was made.
        parameters: Numbers in all weights.
        files: sha256 of each file of the target.
        bytes: Size of these.
        notes: What a user should know, e.g. what could not be converted.
        is_new: Whether anything was done: an earlier conversion of the same files is left as it is.
        kept: Files of weights that an interrupted conversion had written already.
    """

    source: Path
    target: Path
    parameters: int
    files: Mapping[str, str]
    bytes: int
    notes: tuple[str, ...] = ()
    is_new: bool = True
    kept: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the same as JSON values."""
        return {
            "source": str(self.source),
            "output_dir": str(self.target),
            "parameters": self.parameters,
            "bytes": self.bytes,
            "files": dict(self.files),
            "notes": list(self.notes),
            "is_new": self.is_new,
            "kept": list(self.kept),
        }


def convert(source: Path, target: Path, *, dtype: str = "", notice: Notice = lambda _: None) -> Conversion:
    """Make a complete folder of transformers' Glm from one of ChatGLM2, ChatGLM3 or GLM-4-9B in ChatGLM2's layout.

    Weights are read and written row by row. A conversion that was interrupted goes on where it was; one of the same
    files that is complete is left as it is.

    Args:
        source: The folder, with `config.json`, weights and, if it is to have one, `tokenizer.model`.
        target: The new folder.
        dtype: `float32`, `float16` or `bfloat16`; by default each tensor keeps its type.
        notice: Hears of each file that is written.

    Returns:
        What was made.

    Raises:
        EventuneError: If the source is not as it must be, the target holds something else, or cannot be written.
    """
    return _convert(plan(source, dtype=dtype), target, write_native_companions, notice)


def convert_into_cache(folder: Path, *, notice: Notice = lambda _: None) -> Path:
    """Convert a folder, so that `native_folder` finds it.

    Args:
        folder: The folder in ChatGLM2's layout.
        notice: Hears of each file that is written, and of what a user should know.

    Returns:
        The folder in the cache.

    Raises:
        EventuneError: If it cannot be converted.
    """
    conversion = convert(folder, cached_conversion(folder), notice=notice)
    for note in conversion.notes:
        notice(note)
    return conversion.target


def revert(source: Path, target: Path, *, dtype: str = "", notice: Notice = lambda _: None) -> Conversion:
    """Make a folder in ChatGLM2's layout from one of Glm, e.g. one that was converted and fine-tuned in full.

    Args:
        source: The folder of Glm.
        target: The new folder; it has no code, which the published model needs: that is the original folder's.
        dtype: `float32`, `float16` or `bfloat16`; by default each tensor keeps its type.
        notice: Hears of each file that is written.

    Returns:
        What was made.

    Raises:
        EventuneError: As for `convert`.
    """
    return _convert(plan(source, dtype=dtype, to_native=False), target, write_published_companions, notice)


def _convert(
    planned: Plan, target: Path, write_companions: Callable[[Plan, Path], tuple[str, ...]], notice: Notice
) -> Conversion:
    if target.resolve() == planned.source.resolve():
        raise EventuneError(f"{target}: expected another folder than that which is read")
    # A second process waits, and then finds the folder made.
    with locked(target, wait=notice, makes_parents=True):
        _require_free(target)
        notice(f"reading {planned.source}")
        origin = {
            "form": _FORM,
            "to": "glm" if planned.to_native else "chatglm",
            "dtype": planned.dtype,
            "source": _hashes(planned.source),
        }
        if target.is_dir() and any(target.iterdir()):
            return _earlier(planned, target, origin)
        staging = target.with_name(f".{target.name}.converting")
        try:
            kept = _begin(staging, origin)
            # Before the weights, which take minutes: a tokenizer that does not fit is found at once.
            notes = write_companions(planned, staging)
            weights = _write_weights(planned, staging, origin, kept, notice)
            return _finish(planned, staging, target, origin, weights, notes, tuple(kept))
        except OSError as error:
            message = f"{target}: cannot be written: {error.strerror or error}"
            raise EventuneError(message, _make_room(planned, staging)) from error


def _make_room(planned: Plan, staging: Path) -> str:
    return f"free {planned.bytes / 1e9:,.1f} GB and give the same command: what is in {staging} is gone on with"


def _hashes(source: Path) -> dict[str, str]:
    try:
        return {path.name: sha256_of(path) for path in files_read(source)}
    except OSError as error:
        raise EventuneError(f"{source}: cannot be read: {error}", "copy the whole folder anew") from error


def _require_free(target: Path) -> None:
    if exists(target) and not is_folder(target):
        raise EventuneError(f"{target}: expected a new folder, found a file", "choose another name")
    if is_folder(target) and any(target.iterdir()) and not (target / RECORD).is_file():
        raise EventuneError(
            f"{target}: expected a new folder, found one with other contents", "choose another folder, or remove it"
        )


def _earlier(planned: Plan, target: Path, origin: Mapping[str, Any]) -> Conversion:
    """Return the conversion that is there already, if it is the same one and whole."""
    record = read_json(target / RECORD)
    if {name: record.get(name) for name in origin} != dict(origin):
        raise EventuneError(
            f"{target}: expected the conversion of {planned.source}, found one of other files, of another type, or of "
            "another version",
            "choose another folder, or remove it",
        )
    for name, digest in record["files"].items():
        path = target / name
        found = "none" if not path.is_file() else "another one" if sha256_of(path) != digest else ""
        if found:
            raise EventuneError(f"{path}: expected the file that was converted, found {found}", f"remove {target}")
    return _conversion(planned, target, record, is_new=False)


def _write_weights(
    planned: Plan, staging: Path, origin: Mapping[str, Any], kept: Mapping[str, str], notice: Notice
) -> dict[str, str]:
    """Write what is not there yet, and return all hashes."""
    written = dict(kept)
    for shard in planned.shards:
        if shard.name in written:
            notice(f"{shard.name}: written already")
            continue
        notice(f"{shard.name}: {shard.bytes:,} bytes")
        with row_reader(planned.entries, shard.files) as read:
            written[shard.name] = write_tensors(
                staging / shard.name, shard.tensors, read, hint=_make_room(planned, staging)
            )
        write_atomically(staging / _PROGRESS, json.dumps({**origin, "written": written}))
    return written


def _begin(staging: Path, origin: Mapping[str, Any]) -> dict[str, str]:
    """Return the whole files of an interrupted conversion of the same source, after everything else is removed."""
    whole: dict[str, str] = {}
    with suppress(EventuneError, AttributeError):
        earlier = read_json(staging / _PROGRESS)
        if {name: earlier.get(name) for name in origin} == dict(origin):
            for name, digest in earlier.get("written", {}).items():
                if (staging / name).is_file() and sha256_of(staging / name) == digest:
                    whole[name] = digest
    if staging.is_dir():
        for path in staging.iterdir():
            if path.name not in {*whole, _PROGRESS}:
                path.unlink() if path.is_file() else shutil.rmtree(path)
    staging.mkdir(parents=True, exist_ok=True)
    return whole


def _finish(
    planned: Plan,
    staging: Path,
    target: Path,
    origin: Mapping[str, Any],
    weights: Mapping[str, str],
    notes: tuple[str, ...],
    kept: tuple[str, ...],
) -> Conversion:
    if len(planned.shards) > 1:
        weight_map = {tensor.name: shard.name for shard in planned.shards for tensor in shard.tensors}
        index = {"metadata": {"total_size": planned.bytes}, "weight_map": weight_map}
        write_atomically(staging / "model.safetensors.index.json", json.dumps(index, indent=2) + "\n")
    (staging / _PROGRESS).unlink(missing_ok=True)
    files = {p.name: weights.get(p.name) or sha256_of(p) for p in sorted(staging.iterdir()) if p.is_file()}
    record = {**origin, "eventune": __version__, "parameters": planned.parameters, "files": files, "notes": list(notes)}
    write_atomically(staging / RECORD, json.dumps(record, ensure_ascii=False, indent=2) + "\n")
    if target.is_dir():
        target.rmdir()
    staging.rename(target)
    return _conversion(planned, target, record, kept=kept)


def _conversion(
    planned: Plan, target: Path, record: Mapping[str, Any], *, is_new: bool = True, kept: tuple[str, ...] = ()
) -> Conversion:
    size = sum((target / name).stat().st_size for name in record["files"])
    return Conversion(
        planned.source, target, record["parameters"], record["files"], size, tuple(record["notes"]), is_new, kept
    )
