"""From a run with an adapter to a run of one plain model."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from eventune.adapters.merged import Merged, merge
from eventune.adapters.quantisation import dequantise, quantise
from eventune.adapters.store import ADAPTER_FILES, QUANTISATION, load_into, recorded_bits, save_trained
from eventune.backbones.causal_lm import load_causal_lm
from eventune.backbones.load import load_encoder, load_tokenizer
from eventune.backbones.resolve import BaseModel
from eventune.corpora import read_ontology
from eventune.errors import EventuneError
from eventune.events import Ontology, parse_marked_text
from eventune.extraction.kinds import VARIANTS
from eventune.extraction.task import ExtractionTask
from eventune.extractor import OpenRun, anatomy_of_extractor, open_run, recorded_base
from eventune.generative_extractor import GenerativeSettings
from eventune.storage.atomic import atomic_folder
from eventune.storage.json_files import write_json
from eventune.training import run_directory as names
from eventune.training.run_directory import RunDirectory

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True, slots=True)
class MergedRun:
    """What merging a run gave.

    Attributes:
        path: The new run directory.
        saved_bytes: Size of its weights.
        difference: Greatest difference of the scores from those of base and adapter, before casting.
        difference_after_cast: The same after casting.
    """

    path: Path
    saved_bytes: int
    difference: float
    difference_after_cast: float


def merge_run(run: Path, target: Path, *, dtype: str = "float32", model_name_or_path: str | None = None) -> MergedRun:
    """Merge a run's adapter into its base, in float32, and write the result as a run of its own.

    An adapter that was trained on a quantised base is merged into that base's dequantised weights, which it was trained
    for, and not into the weights that were quantised.

    Args:
        run: A run of method `lora` or `ia3`.
        target: The new run directory; must not exist yet.
        dtype: Type of the saved weights, one of `DTYPES`.
        model_name_or_path: Where the base model is on this machine, if not where the run says.

    Returns:
        What was written, and how far its scores are from the run's.

    Raises:
        EventuneError: If the run cannot be read or merged, the target exists, or the merged model's scores differ.
    """
    if target.exists():
        raise EventuneError(f"{target}: exists already", "choose another folder, or remove it")
    directory = RunDirectory(run)
    settings_file = names.GENERATOR if (run / names.GENERATOR).is_file() else names.EXTRACTOR
    if settings_file == names.GENERATOR:
        directory.require(names.GENERATOR, names.BASE)
        merged = _merged_lm(run, recorded_base(directory, model_name_or_path), dtype)
    else:
        opened = open_run(run, model_name_or_path=model_name_or_path)
        is_lm = isinstance(opened.settings, GenerativeSettings)
        merged = _merged_lm(run, opened.base, dtype) if is_lm else _merged(opened, dtype)
    with atomic_folder(target) as staging:
        for path in run.iterdir():
            if path.is_file() and path.name not in {*ADAPTER_FILES, QUANTISATION, settings_file, names.RESULT}:
                shutil.copyfile(path, staging / path.name)
        saved = save_trained(merged.model, staging)
        if isinstance(merged.model, PreTrainedModel):
            # Weights, configuration and tokenizer together are a model that every other tool loads.
            merged.model.config.save_pretrained(staging)
        settings = directory.read(settings_file)
        write_json(staging / settings_file, {**settings, "method": "full"})
        result = directory.read(names.RESULT)
        result["merged"] = {
            "method": settings["method"],
            "dtype": dtype,
            "difference": merged.difference,
            "difference_after_cast": merged.difference_after_cast,
            "saved_bytes": saved.bytes,
        }
        write_json(staging / names.RESULT, result)
    return MergedRun(target, saved.bytes, merged.difference, merged.difference_after_cast)


def _merged(opened: OpenRun, dtype: str) -> Merged:
    folder, settings, base = opened.directory.path, opened.settings, opened.base
    backbone = load_encoder(base)
    kind = VARIANTS[settings["extractor"]]
    model = kind.model(backbone.model, max_span_length=settings["max_span_length"])
    anatomy = anatomy_of_extractor(model, backbone)
    bits = recorded_bits(folder)
    if bits:
        # The heads lie outside of the encoder's blocks.
        quantise(backbone.model, bits)
        dequantise(backbone.model)
    adapted = load_into(model, folder, anatomy=anatomy, quantization_bit=0)
    ontology = read_ontology(folder / names.ONTOLOGY)
    builder = kind.builder(
        load_tokenizer(BaseModel(base.name, folder)),
        ontology,
        max_length=settings["max_length"],
        max_span_length=settings["max_span_length"],
    )
    return merge(adapted, _scores(kind.task(builder), ontology), dtype=DTYPES[dtype], keep=False)


def _merged_lm(folder: Path, base: BaseModel, dtype: str) -> Merged:
    if not (folder / ADAPTER_FILES[0]).is_file():
        raise EventuneError(
            f"{folder}: expected a run with an adapter, found none",
            "what was trained in full is merged already, and what was not trained is its base",
        )
    lm = load_causal_lm(base)
    bits = recorded_bits(folder)
    if bits:
        quantise(lm.model, bits)
        dequantise(lm.model)
    adapted = load_into(lm.model, folder, quantization_bit=0)
    ids = lm.tokenizer("In May, some people met near the old bridge of Orsha.", return_tensors="pt").input_ids

    def logits(model: nn.Module) -> Tensor:
        found: Tensor = model(ids.to(next(model.parameters()).device)).logits
        return found

    return merge(adapted, logits, dtype=DTYPES[dtype], keep=False)


def _scores(task: ExtractionTask, ontology: Ontology) -> Callable[[nn.Module], Tensor]:
    """Return a function that scores a text with one event of each of the first types that have roles."""
    types = [name for name, event_type in ontology.types.items() if event_type.roles][:8]
    documents = [
        parse_marked_text(f"In May, some people [[acted|{name}]] near the old bridge of Orsha.") for name in types
    ]
    batch = task.collate(task.encode(documents).examples)
    del batch["targets"], batch["slots"]

    def scores(model: nn.Module) -> Tensor:
        device = next(model.parameters()).device
        found = model(**{name: tensor.to(device) for name, tensor in batch.items()})
        return torch.cat([found.spans.flatten(), found.null.flatten()])

    return scores
