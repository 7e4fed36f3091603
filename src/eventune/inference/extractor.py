"""Extraction with a finished run or an export of one: documents in, documents with arguments out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from eventune.adapters.libraries import import_model_libraries
from eventune.backbones.arguments import AUTO
from eventune.corpora import read_ontology
from eventune.corpora.raw_text import document_of
from eventune.errors import EventuneError, InvalidValueError
from eventune.events import Document, Ontology
from eventune.events.naming import natural_name
from eventune.inference.exports import ExportAnnotator
from eventune.runtime.folder import is_export

if TYPE_CHECKING:
    from eventune.runs.opening import LoadedBase


POOL_DOCUMENTS, GENERATIVE_POOL_DOCUMENTS = 256, 32
"""Documents among which batches of like length are sought: as many as are done again where a process was killed."""


class Annotator(Protocol):
    """Finds the arguments of documents' events, the events of documents without any, or both.

    Attributes:
        ontology: The event types and roles that it knows.
        counts: What was wrong with a causal LM's answers so far, by kind; `answers` is their number.
        detects: Whether it finds triggers: a document without events then gets those that it finds.
        finds_arguments: Whether it finds arguments.
        is_generative: Whether a causal LM writes what is found, which takes seconds a document.
    """

    ontology: Ontology
    detects: bool
    finds_arguments: bool
    is_generative: bool

    @property
    def counts(self) -> Counter[str]: ...  # noqa: D102

    def fingerprint(self) -> str:
        """Return twelve hexadecimal digits that no other annotator has."""
        ...

    def annotate(
        self, documents: Sequence[Document], *, on_batch: Callable[[int, int], None] | None = None
    ) -> list[Document]:
        """Return the documents with the arguments found in place of their own."""
        ...


class Extractor:
    """A trained extractor, ready for use.

    Attributes:
        annotator: What finds the arguments.
        ontology: The event types and roles that it knows.
        detects: Whether documents without events get those that it finds.
        finds_arguments: Whether it finds arguments.
    """

    def __init__(self, annotator: Annotator, base: LoadedBase | None = None) -> None:
        self.annotator, self._base = annotator, base
        self.ontology: Ontology = annotator.ontology
        self.detects: bool = annotator.detects
        self.finds_arguments: bool = annotator.finds_arguments

    @classmethod
    def load(
        cls,
        run: Path | str,
        *,
        detection: Path | str | None = None,
        ontology: Ontology | Path | str | None = None,
        base: LoadedBase | None = None,
        model_name_or_path: str | None = None,
        batch_size: int = 32,
        device: str = AUTO,
        dtype: str = AUTO,
    ) -> Extractor:
        """Load a run, or an export of one, for which no torch is needed.

        Args:
            run: The run directory, or the name of a run that comes with eventune: `warmup`; or the folder of an export.
            detection: A run with task: detection, to find the triggers that `run` finds the arguments of.
            ontology: Types and roles to find in place of the run's own, or their file; for runs on an encoder, and for
                triggers only with `type_embeddings: false`, as the run `warmup` has it, which comes with eventune.
            base: A base in memory, such as another extractor's `base`, to load the run's adapter and heads on; by
                default the base is loaded, too.
            model_name_or_path: Where the base model is on this machine, if not where the run's `base.json` says.
            batch_size: Events a batch.
            device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`; that of `base` where one is given.
            dtype: Type of the base's weights, or `auto` for the type that the run was trained in; of an export, which
                of its graphs is used: `float32` or `int8`, by default the latter where it is there.

        Returns:
            The extractor.

        Raises:
            EventuneError: If the run is unfinished or lacks a file, the base is not the one it was trained on, or
                `base` is given for a run that cannot share it, such as one that was trained in full.
        """
        if batch_size < 1:
            raise InvalidValueError("batch_size", "an integer >= 1", str(batch_size))
        if ontology is not None and not isinstance(ontology, Ontology):
            ontology = read_ontology(ontology)
        options: dict[str, Any] = {"ontology": ontology, "batch_size": batch_size, "device": device, "dtype": dtype}
        of_runs: dict[str, Any] = {"detection": detection, "base": base, "model_name_or_path": model_name_or_path}
        if is_export(Path(run)):
            return cls(ExportAnnotator.load(Path(run), **options, unused=of_runs))
        import_model_libraries(f"the run {run}", instead="export it where they are: eventune export RUN DIR")
        from eventune.inference.runs import load_annotator

        annotator = load_annotator(Path(run), **options, **of_runs)
        return cls(annotator, annotator.loaded.base)

    @property
    def base(self) -> LoadedBase | None:
        """The base in memory, for further runs; None where this extractor's cannot be shared."""
        return self._base

    @property
    def pool_documents(self) -> int:
        """How many documents are taken together where there are many."""
        return GENERATIVE_POOL_DOCUMENTS if self.annotator.is_generative else POOL_DOCUMENTS

    @cached_property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that another extractor does not have."""
        return self.annotator.fingerprint()

    def extract(self, document: Document | str) -> Document:
        """Find the arguments of a document's events, or the events of a text.

        Args:
            document: A document whose events have a type, and a trigger where it is known; arguments that they have are
                not looked at. Or a text, in which triggers may be marked: `Gunmen [[shot|attack]] three soldiers.`

        Returns:
            The document with what was found, each with its probability. A run that detects finds the events of a
            document without any; repeated mentions of one event are events of their own.

        Raises:
            EventuneError: If an event's type is not in the ontology, nor one word of exactly one of its types; or the
                text has no event and the run does not detect any.
        """
        if isinstance(document, str):
            document = document_of(document)
            if not document.events and not self.detects:
                raise no_event_error("the text")
        return self.extract_all([self.named(document)])[0]

    def named(self, document: Document) -> Document:
        """Return a document whose events have the ontology's types in place of words that mean them.

        Raises:
            EventuneError: If a word means no type, or several.
        """
        return document.with_events(
            replace(event, type=find_type(self.ontology, event.type)) for event in document.events
        )

    def extract_all(
        self, documents: Sequence[Document], *, on_batch: Callable[[int, int], None] | None = None
    ) -> list[Document]:
        """Find the arguments of many documents' events, in batches of like length.

        Args:
            documents: The documents; events of a type that the ontology lacks get no arguments. A run that detects
                finds the events of those without any.
            on_batch: Called after each batch, with how many windows or questions of how many are done.

        Returns:
            The documents in the same order, with the arguments found.
        """
        return self.annotator.annotate(documents, on_batch=on_batch)


def no_event_error(what: str) -> EventuneError:
    """Return the error of something without events, given to a run that does not find any."""
    return EventuneError(
        f"expected {what} to have an event: this run finds arguments and no triggers, and none is marked",
        'mark triggers ("Gunmen [[shot|attack]] three soldiers."), name the event type of the whole text (--type '
        "attack), or have them found: by a run with task: events, or by a second one (--detection)",
    )


def find_type(ontology: Ontology, name: str) -> str:
    """Return the event type that a name means: the type itself, or the only one that has it as a word.

    Args:
        ontology: The ontology.
        name: A type's name, or one word of it, such as `attack` for `conflict.attack`.

    Returns:
        The type's name in the ontology.

    Raises:
        EventuneError: If no type has it, or several have.
    """
    if name in ontology:
        return name
    having = [known for known in ontology.types if name.lower() in natural_name(known)]
    if len(having) > 1:
        raise EventuneError(
            f"event type {name!r} means several of the ontology's", f"choose one: {', '.join(having[:12])}"
        )
    return having[0] if having else ontology[name].name
