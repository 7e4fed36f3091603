"""From a run to a folder that is used without torch."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from eventune.corpora import write_ontology
from eventune.errors import EventuneError
from eventune.events import Document, parse_marked_text
from eventune.exporting.graphs import TOLERANCE, difference, write_graph, write_int8
from eventune.exporting.measuring import Measuring
from eventune.extraction.subwords import SubwordTokenizer
from eventune.inference.extractor import Extractor
from eventune.runs.merging import load_plain
from eventune.runs.opening import OpenRun, open_run
from eventune.runtime.folder import EXPORT, FLOAT32, INT8, TOKENIZER, ExportRecord, Precision, Tokens, graph_name
from eventune.runtime.graph import Graph
from eventune.storage.atomic import atomic_folder
from eventune.storage.json_files import read_json, write_json
from eventune.storage.locks import creating
from eventune.storage.validation import write_settings
from eventune.tasks.documents import SHOWN
from eventune.tasks.protocol import ExportableTask
from eventune.tasks.registry import TASKS
from eventune.training import run_directory as names

TORCH = "torch"
MOST_LOSS = 0.005
"""F1 that int8 may lose."""
_LONG = 12
"""So many times the shown text is read in one of the batches that are compared."""
OnBatch = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export gave.

    Attributes:
        path: The folder.
        record: What it says of itself.
        bytes: Size of each graph, of both steps together.
        title: What the F1 of `record.scores` is called.
        tolerance: How far the scores in float32 may have been from torch's, relative to their size.
    """

    path: Path
    record: ExportRecord
    bytes: dict[Precision, int]
    title: str
    tolerance: float = TOLERANCE


def export_run(
    run: Path,
    target: Path,
    *,
    int8: bool = False,
    documents: Sequence[Document] = (),
    model_name_or_path: str | None = None,
    on_batch: OnBatch | None = None,
) -> Exported:
    """Write a run's merged model as a graph, with all that is needed to use it without torch.

    Args:
        run: A run that finds triggers or arguments on an encoder, or both in two steps.
        target: The folder to make; must not exist yet.
        int8: Whether to write a graph in int8 as well; it is left out where it loses too much.
        documents: Annotated documents, to measure the run and its graphs on.
        model_name_or_path: Where the base model is on this machine, if not where the run says.
        on_batch: Called after each batch of measuring, with what is measured, and how much of how much is done.

    Returns:
        What was written.

    Raises:
        LockedError: If another process is writing the target.
        EventuneError: If the run cannot be exported, the target exists, or the graph's outputs differ from torch's.
    """
    opened = open_run(run)
    # The run may be one that comes with the package, found by its name.
    run = opened.directory.path
    measuring = Measuring.of(run, opened.entry, documents)
    with creating(target, makes_parents=True), atomic_folder(target) as staging:
        record = _write(opened, staging, int8=int8, model_name_or_path=model_name_or_path)
        if documents:
            torch_run = Extractor.load(run, model_name_or_path=model_name_or_path)
            record = _measured(record, staging, measuring, torch_run, on_batch)
        record = _without_poor_int8(record)
        verdict = {"precisions": record.precisions}
        for step in opened.entry.steps:
            _finish(staging / step, verdict)
        _finish(staging, {**verdict, "scores": record.scores, "int8_refused": record.int8_refused})
        sizes = {
            precision: sum(path.stat().st_size for path in staging.rglob(f"{graph_name(precision)}*"))
            for precision in record.precisions
        }
    return Exported(target, record, sizes, measuring.scoring.title)


def _write(opened: OpenRun, folder: Path, *, int8: bool, model_name_or_path: str | None) -> ExportRecord:
    """Write a run into a folder, a run of two steps with folders for each."""
    run, entry = opened.directory.path, opened.entry
    if not entry.runtime:
        known = " or ".join(name for name, known in TASKS.items() if known.runtime)
        raise EventuneError(
            f"{run}: expected a run with task: {known} on an encoder, found one with task: {entry.name}",
            "export its members one by one, or serve it as it is: eventune serve"
            if entry.holds_runs
            else "causal LMs are served by vLLM: eventune doctor --vllm",
        )
    if (run / names.RECIPE).is_file():
        shutil.copyfile(run / names.RECIPE, folder / names.RECIPE)
    if not entry.steps:
        return _write_graphs(opened, folder, int8=int8, model_name_or_path=model_name_or_path)
    shutil.copyfile(run / names.ONTOLOGY, folder / names.ONTOLOGY)
    write_settings(folder / entry.settings_file, replace(opened.settings, method="full"))
    differences: dict[Precision, float] = {}
    for step in entry.steps:
        (folder / step).mkdir()
        own = _write(open_run(run / step), folder / step, int8=int8, model_name_or_path=model_name_or_path)
        differences = {name: max(value, differences.get(name, 0.0)) for name, value in own.differences.items()}
    record = ExportRecord(task=entry.name, precisions=own.precisions, differences=differences)
    write_settings(folder / EXPORT, record)
    return record


def _write_graphs(opened: OpenRun, folder: Path, *, int8: bool, model_name_or_path: str | None) -> ExportRecord:
    loaded, model = load_plain(opened, model_name_or_path)
    task: Any = loaded
    batches = _batches(task)
    module = task.graph(model).eval()
    products = write_graph(module, batches[0], task.axes, folder / graph_name(FLOAT32))
    differences: dict[Precision, float] = {FLOAT32: _compared(module, folder, batches)}
    if int8:
        write_int8(folder / graph_name(FLOAT32), folder / graph_name(INT8), products)
        differences[INT8] = difference(module, Graph(folder / graph_name(INT8)), batches)
    task.backbone.tokenizer.backend_tokenizer.save(str(folder / TOKENIZER))
    write_ontology(task.ontology, folder / names.ONTOLOGY)
    size = (folder / names.ONTOLOGY).stat().st_size
    write_settings(folder / names.EXTRACTOR, replace(task.settings, method="full", ontology_bytes=size))
    tokenizer = SubwordTokenizer.of(task.backbone.tokenizer)
    record = ExportRecord(
        task=opened.entry.name,
        precisions=tuple(differences),
        tokens=Tokens(**{name: getattr(tokenizer, name) for name in Tokens.__dataclass_fields__}),
        differences=differences,
        weights=tuple(sorted(path.name for path in folder.glob(f"{graph_name(FLOAT32)}?*"))),
    )
    write_settings(folder / EXPORT, record)
    return record


def _compared(module: nn.Module, folder: Path, batches: Sequence[Mapping[str, Tensor]]) -> float:
    """Return how far the graph in float32 is from torch; it must be near."""
    found = difference(module, Graph(folder / graph_name(FLOAT32)), batches)
    if not found <= TOLERANCE:
        raise EventuneError(
            f"the graph's scores differ from torch's by {found:.2g}, expected at most {TOLERANCE:g} of their size",
            "please report this: it is a defect of eventune",
        )
    return found


def _batches(task: ExportableTask) -> list[dict[str, Tensor]]:
    """Return inputs of several shapes: several short texts, one of them, a longer one, and both together."""
    types = [name for name, event_type in task.ontology.types.items() if event_type.roles] or list(task.ontology.types)
    short = [parse_marked_text(SHOWN.format(name)) for name in types[:4]]
    text = SHOWN.format(types[-1])
    long = parse_marked_text(" ".join([text, *[SHOWN.replace("[[acted|{}]]", "acted")] * _LONG]))
    return [task.graph_inputs(documents) for documents in (short, short[:1], [long], [*short, long])]


def _measured(
    record: ExportRecord, folder: Path, measuring: Measuring, torch_run: Extractor, on_batch: OnBatch | None
) -> ExportRecord:
    """Return the record with the scores of torch and of each graph."""

    def measure(name: str, extractor: Extractor) -> dict[str, float]:
        return asdict(measuring.measure(extractor, partial(on_batch, name) if on_batch else None))

    scores = {TORCH: measure(TORCH, torch_run)}
    for precision in record.precisions:
        scores[precision] = measure(precision, Extractor.load(folder, dtype=precision))
    return replace(record, scores=scores)


def _without_poor_int8(record: ExportRecord) -> ExportRecord:
    """Return the record without int8 where it loses too much."""
    if INT8 not in record.scores:
        return record
    lost = record.scores[TORCH]["f1"] - record.scores[INT8]["f1"]
    if lost <= MOST_LOSS:
        return record
    reason = f"int8 loses {100 * lost:.2f} points of F1, more than {100 * MOST_LOSS:g}"
    return replace(record, precisions=(FLOAT32,), int8_refused=reason)


def _finish(folder: Path, verdict: Mapping[str, Any]) -> None:
    """Leave in a folder what the verdict says, and the verdict itself."""
    if INT8 not in verdict["precisions"]:
        for path in folder.glob(f"{graph_name(INT8)}*"):
            path.unlink()
    write_json(folder / EXPORT, {**read_json(folder / EXPORT), **verdict})
