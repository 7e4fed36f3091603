"""From a run with an adapter to a run of one plain model."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import PreTrainedModel

from eventune.adapters.merged import Merged, merge
from eventune.adapters.quantisation import dequantise, quantise
from eventune.adapters.store import ADAPTER_FILES, QUANTISATION, Saved, load_into, recorded_bits, save_trained
from eventune.backbones.placement import Placement
from eventune.backbones.resolve import BaseModel
from eventune.errors import EventuneError
from eventune.runs.opening import OpenRun, open_run
from eventune.storage.atomic import atomic_folder
from eventune.storage.json_files import read_json, write_json
from eventune.storage.paths import exists, is_file
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
        run: A run of method `lora` or `ia3`.
        target: The new run directory; must not exist yet.
        dtype: Type of the saved weights: `float32`, `bfloat16` or `float16`.
        model_name_or_path: Where the base model is on this machine, if not where the run says.
        device: Where it is merged.

    Returns:
        What was written, and how far its outputs are from the run's.

    Raises:
        EventuneError: If the run cannot be read or merged, the target exists, or the merged model's outputs differ.
    """
    if exists(target):
        raise EventuneError(f"{target}: exists already", "choose another folder, or remove it")
    placement = Placement.of(device)
    opened = open_run(run)
    if not is_file(run / ADAPTER_FILES[0]):
        raise EventuneError(
            f"{run}: expected a run with an adapter that can be merged (LoRA, (IA)3), found none",
            "what was trained in full is merged already, and what was not trained is its base",
        )
    merged = _merged(opened, opened.base(model_name_or_path), placement.device, getattr(torch, dtype))
    with atomic_folder(target) as staging:
        saved = _write(opened, merged, staging, dtype)
    return MergedRun(target, saved.bytes, merged.difference, merged.difference_after_cast)


def _merged(opened: OpenRun, base: BaseModel, device: torch.device, dtype: torch.dtype) -> Merged:
    folder, task_class = opened.directory.path, opened.entry.load()
    backbone = task_class.load_backbone(base, opened.settings, dtype="float32", tokenizer_folder=folder)
    task = task_class.from_run(folder, opened.settings, backbone, batch_size=1)
    model, anatomy = task.build_model(backbone)
    if bits := recorded_bits(folder):
        # The heads lie outside of the base's blocks.
        quantise(backbone.model, bits)
        dequantise(backbone.model)
    adapted = load_into(model, folder, anatomy=anatomy, quantization_bit=0).to(device)
    return merge(adapted, task.outputs, dtype=dtype, keep=False)


def _write(opened: OpenRun, merged: Merged, folder: Path, dtype: str) -> Saved:
    """Write the merged model, with what else the run's directory holds."""
    run, settings_file = opened.directory.path, opened.entry.settings_file
    for path in run.iterdir():
        if path.is_file() and path.name not in {*ADAPTER_FILES, QUANTISATION, settings_file, names.RESULT}:
            shutil.copyfile(path, folder / path.name)
    saved = save_trained(merged.model, folder)
    if isinstance(merged.model, PreTrainedModel):
        # Weights, configuration and tokenizer together are a model that every other tool loads.
        merged.model.config.save_pretrained(folder)
    write_json(folder / settings_file, {**read_json(run / settings_file), "method": "full"})
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
