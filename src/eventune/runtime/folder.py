"""The folder of an export: what is in it, checked when it is read.

```
export.json            what the folder is, and what was compared when it was made; nothing else says that it is whole
extractor.json         the task's settings, as in a run directory
ontology.yaml  tokenizer.json  recipe.yaml
model.float32.onnx  model.int8.onnx     model.float32.onnx.data where the weights take more than 1.5 GB
```
An export of a run of two steps has `events.json`, and an export of each step in the folder of its name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from pkgutil import resolve_name
from typing import Annotated, Any, Literal

from annotated_types import Ge, Len

from eventune.corpora import read_ontology
from eventune.errors import EventuneError
from eventune.events import Ontology
from eventune.storage.paths import is_file
from eventune.storage.validation import read_settings
from eventune.tasks.registry import TASKS, TaskEntry
from eventune.training import run_directory as names

EXPORT = "export.json"
TOKENIZER = "tokenizer.json"
Precision = Literal["float32", "int8"]
FLOAT32: Precision = "float32"
INT8: Precision = "int8"
_HINT = "copy the whole folder anew, or export the run again"


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Ids of the tokens that stand around words and for them, as `SubwordTokenizer` has them."""

    cls_token_id: Annotated[int, Ge(0)]
    sep_token_id: Annotated[int, Ge(0)]
    unk_token_id: Annotated[int, Ge(0)] | None
    pad_token_id: Annotated[int, Ge(0)]


@dataclass(frozen=True, kw_only=True)
class ExportRecord:
    """What `export.json` holds.

    Attributes:
        task: Name of the run's task.
        precisions: The types that its graphs are in, the one that is used last.
        tokens: The tokenizer's own tokens; None where the steps have theirs.
        differences: Greatest difference of each graph's scores from torch's.
        scores: F1 and documents a second of torch and of each graph, where they were measured.
        int8_refused: Why there is no graph in int8 although one was asked for.
        weights: Names of the files beside the graphs that hold weights: above 1.5 GB they are not in a graph itself.
    """

    task: str
    precisions: Annotated[tuple[Precision, ...], Len(1, 2)]
    tokens: Tokens | None = None
    differences: dict[Precision, float] = field(default_factory=dict)
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    int8_refused: str = ""
    weights: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenExport:
    """An export, whose graphs are not loaded yet.

    Attributes:
        path: The folder.
        entry: Its task.
        record: What it says of itself.
        settings: What its settings file holds, checked.
        ontology: The event types and roles that it finds.
    """

    path: Path
    entry: TaskEntry
    record: ExportRecord
    settings: Any
    ontology: Ontology

    def graph_file(self, precision: str) -> Path:
        """Return the file of the graph in a type."""
        return self.path / graph_name(precision)

    def files(self, precision: str) -> list[Path]:
        """Return all files that decide what is found; without those of its steps."""
        own = [self.path / self.entry.settings_file]
        if self.entry.steps:
            return own
        return [*own, self.path / TOKENIZER, *sorted(self.path.glob(f"{graph_name(precision)}*"))]


def graph_name(precision: str) -> str:
    """Return the name of the graph's file in a type."""
    return f"model.{precision}.onnx"


def is_export(folder: Path) -> bool:
    """Tell whether a folder holds an export."""
    return is_file(folder / EXPORT)


def open_export(folder: Path) -> OpenExport:
    """Read what an export says of itself.

    Raises:
        EventuneError: If a file is missing, cut off, or not as it must be.
    """
    record = read_settings(folder / EXPORT, ExportRecord)
    entry = TASKS.get(record.task)
    if entry is None or not entry.runtime:
        known = " or ".join(name for name, known in TASKS.items() if known.runtime)
        raise EventuneError(f"{folder / EXPORT}: task: expected {known}, found {record.task!r}", _HINT)
    settings = read_settings(folder / entry.settings_file, resolve_name(entry.runtime).Settings)
    needed = [names.ONTOLOGY]
    if not entry.steps:
        needed += [TOKENIZER, *map(graph_name, record.precisions), *record.weights]
    for name in needed:
        if not is_file(folder / name):
            raise EventuneError(f"{folder}: expected the file {name}, found none", _HINT)
    size = (folder / names.ONTOLOGY).stat().st_size
    if size < settings.ontology_bytes:
        raise EventuneError(
            f"{folder / names.ONTOLOGY}: expected {settings.ontology_bytes} bytes, found {size}: it was cut off", _HINT
        )
    return OpenExport(folder, entry, record, settings, read_ontology(folder / names.ONTOLOGY))
