"""An export as an annotator: no torch, no transformers, no PEFT."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from eventune.backbones.arguments import AUTO
from eventune.backbones.hashes import sha256_of
from eventune.errors import EventuneError
from eventune.events import Document, Ontology
from eventune.runtime.finders import Finder, finder_of
from eventune.runtime.folder import OpenExport, open_export

CPU = "cpu"


class ExportAnnotator:
    """Annotates documents with an export; see `Annotator`."""

    is_generative = False

    def __init__(self, opened: OpenExport, finder: Finder, ontology: Ontology, precision: str) -> None:
        self._opened, self._finder, self._precision = opened, finder, precision
        self.ontology = ontology
        self.counts: Counter[str] = Counter()
        self.detects, self.finds_arguments = opened.entry.detects, opened.entry.finds_arguments

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        ontology: Ontology | None,
        batch_size: int,
        device: str,
        dtype: str,
        unused: Mapping[str, Any],
    ) -> ExportAnnotator:
        """Load an export.

        Args:
            folder: Its folder.
            ontology: Types and roles to find in place of its own.
            batch_size: Windows a batch.
            device: `auto` or `cpu`.
            dtype: Which of its graphs to use; `auto` for the quickest.
            unused: What belongs to runs alone; nothing of it may be given.

        Raises:
            EventuneError: If the export is damaged, or something is asked for that it does not have.
        """
        opened = open_export(folder)
        for name, value in unused.items():
            if value is not None:
                raise EventuneError(f"{name}: expected none with the export {folder}, found one", "use the run itself")
        precisions = opened.record.precisions
        if device not in (AUTO, CPU):
            raise EventuneError(f"device: expected {AUTO} or {CPU} with the export {folder}, found {device}")
        if dtype not in (AUTO, *precisions):
            known = " or ".join((AUTO, *precisions))
            raise EventuneError(f"dtype: expected {known} with the export {folder}, found {dtype}")
        precision = precisions[-1] if dtype == AUTO else dtype
        finder = finder_of(opened, precision=precision, batch_size=batch_size)
        if ontology is not None:
            finder = finder.for_ontology(ontology)
        return cls(opened, finder, ontology or opened.ontology, precision)

    def fingerprint(self) -> str:
        """See `Annotator`: a hash of all files that decide what is found."""
        steps = [open_export(self._opened.path / step) for step in self._opened.entry.steps]
        files = [path for opened in (self._opened, *steps) for path in opened.files(self._precision)]
        digest = hashlib.sha256(repr(self.ontology).encode())
        for path in files:
            digest.update(bytes.fromhex(sha256_of(path)))
        return digest.hexdigest()[:12]

    def annotate(
        self, documents: Sequence[Document], *, on_batch: Callable[[int, int], None] | None = None
    ) -> list[Document]:
        """See `Annotator`."""
        return self._finder.annotate(documents, on_batch=on_batch)
