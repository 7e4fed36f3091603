"""Finished runs as annotators."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

from eventune.adapters.methods import ADAPTER_CONFIG
from eventune.adapters.store import QUANTISATION, weights_file
from eventune.backbones.hashes import sha256_of
from eventune.backbones.load import VOCABULARIES
from eventune.backbones.placement import Placement
from eventune.errors import EventuneError
from eventune.events import Document, Ontology
from eventune.runs.joining import LoadedSteps, OpenSteps, join, load_steps, open_steps
from eventune.runs.opening import LoadedBase, LoadedRun, OpenRun, load_run, member_folders, open_run
from eventune.tasks.protocol import AnnotatingTask
from eventune.training import run_directory as names

_FILES = (ADAPTER_CONFIG, QUANTISATION, *VOCABULARIES, "tokenizer_config.json", "chat_template.jinja")
"""Files beside weights, settings and the task's own that decide what is found, where a run has them."""


class RunAnnotator:
    """Annotates documents with a finished run; see `Annotator`."""

    def __init__(self, opened: OpenRun, loaded: LoadedRun) -> None:
        self._opened, self.loaded = opened, loaded
        self._task = cast("AnnotatingTask", loaded.task)
        self.ontology, self.counts = self._task.ontology, self._task.counts
        self.detects, self.finds_arguments = opened.entry.detects, opened.entry.finds_arguments
        self.is_generative = "encoder" not in opened.entry.traits

    def fingerprint(self) -> str:
        """See `Annotator`: a hash of all files that decide what is found, and of the type that is computed in."""
        folder, entry = self._opened.directory.path, self._opened.entry
        own = (entry.settings_file, names.EXTRACTOR, names.BASE, *entry.load().files(self._opened.settings), *_FILES)
        digest = hashlib.sha256(f"{self.ontology!r} {self.loaded.dtype}".encode())
        members = member_folders(self._opened) if entry.settings_file == names.ENSEMBLE else ()
        # A causal LM that was not trained has no weights of its own.
        for place in (folder, *members):
            for path in (weights_file(place), *(place / name for name in dict.fromkeys(own))):
                if path.is_file():
                    digest.update(bytes.fromhex(sha256_of(path)))
        return digest.hexdigest()[:12]

    def annotate(
        self, documents: Sequence[Document], *, on_batch: Callable[[int, int], None] | None = None
    ) -> list[Document]:
        """See `Annotator`."""
        with self.loaded.active() as model:
            return self._task.annotate(model, documents, on_batch=on_batch)


class StepsAnnotator:
    """Annotates documents with a run that finds triggers and one that finds arguments; see `Annotator`."""

    detects, finds_arguments = True, True

    def __init__(self, opened: OpenSteps, loaded: LoadedSteps) -> None:
        self._loaded, self._margins = loaded, opened.margins
        self._steps = (
            RunAnnotator(opened.detection, loaded.detection),
            RunAnnotator(opened.arguments, loaded.arguments),
        )
        self.ontology = self._steps[1].ontology
        self.is_generative = any(step.is_generative for step in self._steps)
        self.loaded = loaded.arguments

    @property
    def counts(self) -> Counter[str]:
        """See `Annotator`: of both steps together."""
        return self._steps[0].counts + self._steps[1].counts

    def fingerprint(self) -> str:
        """See `Annotator`: a hash of both runs' and of the margins that replace theirs."""
        own = [*(step.fingerprint() for step in self._steps), str(sorted(self._margins.items()))]
        return hashlib.sha256("".join(own).encode()).hexdigest()[:12]

    def annotate(
        self, documents: Sequence[Document], *, on_batch: Callable[[int, int], None] | None = None
    ) -> list[Document]:
        """See `Annotator`; documents without events get those that are found."""
        return self._loaded.annotate(documents, on_batch=on_batch)


def load_annotator(
    run: Path,
    *,
    detection: Path | str | None,
    ontology: Ontology | None,
    base: LoadedBase | None,
    model_name_or_path: str | None,
    batch_size: int,
    device: str,
    dtype: str,
) -> RunAnnotator | StepsAnnotator:
    """Load a run; arguments and errors are those of `Extractor.load`."""
    opened = open_run(run)
    if not opened.entry.annotates:
        raise EventuneError(
            f"{run}: expected a run that extracts arguments, found one of eventune {opened.entry.command}",
            "eventune sft --do_predict true --test_file FILE --output_dir OUT --model_name_or_path BASE "
            f"--ptuning_checkpoint {run}",
        )
    placement = base.placement if base else Placement.of(device, dtype)
    options: dict[str, Any] = {
        "base": base,
        "model_name_or_path": model_name_or_path,
        "placement": placement,
        "batch_size": batch_size,
    }
    if opened.entry.steps or detection is not None:
        steps = open_steps(opened) if detection is None else join(opened, open_run(Path(detection)))
        both = load_steps(steps, **options)
        return StepsAnnotator(steps, both.for_ontology(ontology) if ontology else both)
    loaded = load_run(opened, **options)
    return RunAnnotator(opened, loaded.for_ontology(ontology) if ontology else loaded)
