"""From a run with an adapter to a run of one plain model."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from eventune.adapters.merged import MERGEABLE, Merged, merge
from eventune.adapters.methods import ADAPTER_FILES, METHODS, keeps_base
from eventune.adapters.quantisation import dequantise, quantise
from eventune.adapters.store import QUANTISATION, Saved, load_into, recorded_bits, save_trained
from eventune.backbones.placement import Placement
from eventune.backbones.resolve import BaseModel
from eventune.errors import EventuneError
from eventune.runs.opening import OpenRun, open_run
from eventune.storage.atomic import atomic_folder
from eventune.storage.json_files import read_json, write_json
from eventune.storage.locks import creating
from eventune.tasks.protocol import UNTRAINED, RunTask
from eventune.training import run_directory as names


@dataclass(frozen=True, slots=True)
class MergedRun:
    """What merging a run gave.

    Attributes:
        path: The new run directory.
        saved_bytes: Size of its weights.
        difference: Greatest difference of the outputs from those of base and adapter, before casting.
        difference_after_cast: The same after casting.
    """

    path: Path
    saved_bytes: int
    difference: float
    difference_after_cast: float


def merge_run(
    run: Path, target: Path, *, dtype: str = "float32", model_name_or_path: str | None = None, device: str = "auto"
) -> MergedRun:
    """Merge a run's adapter into its base, in float32, and write the result as a run of its own.

    An adapter that was trained on a quantised base is merged into that base's dequantised weights, which it was trained
    for, and not into the weights that were quantised.

    Args:
        run: A run with an adapter that can be merged, or one whose steps have such adapters.
        target: The new run directory; must not exist yet.
        dtype: Type of the saved weights: `float32`, `bfloat16` or `float16`.
        model_name_or_path: Where the base model is on this machine, if not where the run says.
        device: Where it is merged.

    Returns:
        What was written, and how far its outputs are from the run's.

    Raises:
        LockedError: If another process is writing the target.
        EventuneError: If the run cannot be read or merged, the target exists, or the merged model's outputs differ.
    """
    with creating(target, makes_parents=True):
        return _merge_run(run, target, dtype=dtype, model_name_or_path=model_name_or_path, device=device)


def _merge_run(run: Path, target: Path, *, dtype: str, model_name_or_path: str | None, device: str) -> MergedRun:
    opened = open_run(run)
    if opened.entry.steps:
        return _merge_steps(opened, target, dtype=dtype, model_name_or_path=model_name_or_path, device=device)
    placement = Placement.of(device)
    method = METHODS.get(opened.settings.method)
    if method is None or not method.merges:
        raise EventuneError(
            f"{run}: expected a run with an adapter that can be merged ({MERGEABLE}), found {opened.settings.method}",
            _in_its_place(opened),
        )
    merged = _merged(opened, opened.base(model_name_or_path), placement.device, getattr(torch, dtype))
    with atomic_folder(target) as staging:
        saved = _write(opened, merged, staging, dtype)
    return MergedRun(target, saved.bytes, merged.difference, merged.difference_after_cast)


def _in_its_place(opened: OpenRun) -> str:
    """Return what to do with a run that cannot be merged."""
    if opened.entry.holds_runs:
        return "merge its members one by one"
    if opened.settings.method == UNTRAINED or not keeps_base(opened.settings.method):
        return "what was trained in full is merged already, and what was not trained is its base"
    return "train it with a method that can be merged"


def _merge_steps(opened: OpenRun, target: Path, **options: Any) -> MergedRun:
    """Merge each step of a run that was made in steps."""
    run = opened.directory.path
    with atomic_folder(target) as staging:
        for path in run.iterdir():
            if path.is_file():
                shutil.copyfile(path, staging / path.name)
        steps = {step: _merge_run(run / step, staging / step, **options) for step in opened.entry.steps}
        settings_file = opened.entry.settings_file
        write_json(staging / settings_file, {**read_json(run / settings_file), "method": "full"})
    return MergedRun(
        target,
        sum(step.saved_bytes for step in steps.values()),
        max(step.difference for step in steps.values()),
        max(step.difference_after_cast for step in steps.values()),
    )


def load_plain(opened: OpenRun, model_name_or_path: str | None = None) -> tuple[RunTask, nn.Module]:
    """Load a run as one plain model in float32 on the processor: an adapter is merged into its base.

    Args:
        opened: The run, which was not made in steps.
        model_name_or_path: Where the base model is on this machine, if not where the run says.

    Returns:
        Its task and the model, in evaluation mode.

    Raises:
        EventuneError: If what was trained cannot be merged, or the run cannot be loaded.
    """
    method = METHODS[opened.settings.method]
    if not method.merges and method.files == ADAPTER_FILES:
        raise EventuneError(
            f"{opened.directory.path}: expected a run of one plain model, or with an adapter that can be merged "
            f"({MERGEABLE}), found {opened.settings.method}",
            "train it with a method that can be merged",
        )
    task, model = _loaded(opened, opened.base(model_name_or_path), torch.device("cpu"))
    return task, merge(model, task.outputs, keep=False).model if method.merges else model.float().eval()


def _merged(opened: OpenRun, base: BaseModel, device: torch.device, dtype: torch.dtype) -> Merged:
    task, adapted = _loaded(opened, base, device)
    return merge(adapted, task.outputs, dtype=dtype, keep=False)


def _loaded(opened: OpenRun, base: BaseModel, device: torch.device) -> tuple[RunTask, nn.Module]:
    """Load a run in float32, on the dequantised base where it was trained on a quantised one."""
    folder, task_class = opened.directory.path, opened.entry.load()
    backbone = task_class.load_backbone(base, opened.settings, dtype="float32", tokenizer_folder=folder)
    task = task_class.from_run(folder, opened.settings, backbone, batch_size=1)
    model, anatomy = task.build_model(backbone)
    if bits := recorded_bits(folder):
        # The heads lie outside of the base's blocks.
        quantise(backbone.model, bits)
        dequantise(backbone.model)
    return task, load_into(model, folder, anatomy=anatomy, quantization_bit=0).to(device)


def _write(opened: OpenRun, merged: Merged, folder: Path, dtype: str) -> Saved:
    """Write the merged model, with what else the run's directory holds."""
    run, settings_file = opened.directory.path, opened.entry.settings_file
    left_out = {*METHODS[opened.settings.method].files, QUANTISATION, settings_file, names.RESULT}
    for path in run.iterdir():
        if path.is_file() and path.name not in left_out:
            shutil.copyfile(path, folder / path.name)
    saved = save_trained(merged.model, folder)
    if isinstance(merged.model, PreTrainedModel):
        # Weights, configuration and tokenizer together are a model that every other tool loads.
        merged.model.config.save_pretrained(folder)
    # Weights that were cut to half precision gain nothing by being computed in full.
    loaded = {} if dtype == "float32" else {"dtype": dtype}
    write_json(folder / settings_file, {**read_json(run / settings_file), "method": "full", **loaded})
    result = read_json(run / names.RESULT)
    result["merged"] = {
        "method": opened.settings.method,
        "dtype": dtype,
        "difference": merged.difference,
        "difference_after_cast": merged.difference_after_cast,
        "saved_bytes": saved.bytes,
    }
    write_json(folder / names.RESULT, result)
    return saved
