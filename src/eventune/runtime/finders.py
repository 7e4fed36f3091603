"""What finds triggers and arguments by an export's graphs, with the encoding and the decoding that runs have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pkgutil import resolve_name
from typing import Any, ClassVar, Protocol, Self

from eventune.errors import EventuneError, first_line, require_library
from eventune.events import Document, Ontology
from eventune.extraction.batches import by_length, window_inputs
from eventune.extraction.decoding import Candidate, annotated, candidates_a_role, merge_readings, readings_of
from eventune.extraction.detection.batches import text_inputs
from eventune.extraction.detection.decoding import select
from eventune.extraction.detection.features import TextEncoder
from eventune.extraction.detection.ranking import candidates_of as trigger_candidates_of
from eventune.extraction.features import EncodedWindow, FeatureBuilder
from eventune.extraction.ranking import candidates_of
from eventune.extraction.subwords import SubwordTokenizer
from eventune.runtime.folder import TOKENIZER, OpenExport, open_export
from eventune.runtime.graph import Graph
from eventune.tasks.encoder_settings import DetectionSettings, SpanSettings
from eventune.tasks.event_pipeline import PipelineSettings
from eventune.tasks.steps import ARGUMENTS, DETECTION, in_two_steps

OnBatch = Callable[[int, int], None] | None


class Finder(Protocol):
    """Finds events or arguments.

    Attributes:
        Settings: Dataclass of what the export's settings file holds.
    """

    Settings: ClassVar[type[Any]]

    @classmethod
    def load(cls, opened: OpenExport, *, precision: str, batch_size: int) -> Finder:
        """Load an export's graph in a type; a batch has as many windows as said."""
        ...

    def for_ontology(self, ontology: Ontology) -> Finder:
        """Return what finds the types and roles of another ontology.

        Raises:
            EventuneError: If its types are part of the graph.
        """
        ...

    def annotate(self, documents: Sequence[Document], *, on_batch: OnBatch = None) -> list[Document]:
        """Return the documents with what was found in place of their own."""
        ...


class _OneGraph:
    """A finder that has one graph."""

    def __init__(
        self, graph: Graph, tokenizer: SubwordTokenizer, settings: Any, ontology: Ontology, batch_size: int
    ) -> None:
        self._graph, self._settings, self._ontology, self._batch_size = graph, settings, ontology, batch_size
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, opened: OpenExport, *, precision: str, batch_size: int) -> Self:
        """See `Finder`."""
        graph = Graph(opened.graph_file(precision))
        return cls(graph, _tokenizer(opened), opened.settings, opened.ontology, batch_size)


class ArgumentFinder(_OneGraph):
    """Finds events' arguments; see `Finder`."""

    Settings: ClassVar[type[Any]] = SpanSettings

    def __init__(
        self, graph: Graph, tokenizer: SubwordTokenizer, settings: SpanSettings, ontology: Ontology, batch_size: int
    ) -> None:
        super().__init__(graph, tokenizer, settings, ontology, batch_size)
        self._builder = FeatureBuilder(tokenizer, ontology, **settings.reading)

    def for_ontology(self, ontology: Ontology) -> ArgumentFinder:
        """See `Finder`: types and roles are known by their names alone."""
        return ArgumentFinder(self._graph, self._tokenizer, self._settings, ontology, self._batch_size)

    def annotate(self, documents: Sequence[Document], *, on_batch: OnBatch = None) -> list[Document]:
        """See `Finder`."""
        examples, _ = self._builder.encode(documents)
        readings = readings_of(self._windows(examples, on_batch), documents, self._ontology)
        found = merge_readings(readings, documents, self._ontology)
        return annotated(documents, found, self._ontology, self._settings.margins)

    def _windows(
        self, examples: Sequence[EncodedWindow], on_batch: OnBatch
    ) -> Iterator[tuple[EncodedWindow, list[list[Candidate]]]]:
        count = candidates_a_role(self._ontology)
        for chosen in by_length(examples, self._batch_size, on_batch, on_cpu=True):
            spans, null = self._graph(window_inputs(chosen, self._tokenizer.pad_token_id))
            yield from candidates_of(chosen, spans, null, count=count)


class TriggerFinder(_OneGraph):
    """Finds triggers; see `Finder`."""

    Settings: ClassVar[type[Any]] = DetectionSettings

    def __init__(
        self,
        graph: Graph,
        tokenizer: SubwordTokenizer,
        settings: DetectionSettings,
        ontology: Ontology,
        batch_size: int,
    ) -> None:
        super().__init__(graph, tokenizer, settings, ontology, batch_size)
        self._types = list(ontology.types)
        self._encoder = TextEncoder(tokenizer, ontology, **settings.reading)

    def for_ontology(self, ontology: Ontology) -> TriggerFinder:  # noqa: ARG002
        """See `Finder`: types are part of the graph."""
        raise EventuneError(
            "ontology_file: expected none with an export that finds triggers, whose types are part of it, found one",
            "use the run that was exported",
        )

    def annotate(self, documents: Sequence[Document], *, on_batch: OnBatch = None) -> list[Document]:
        """See `Finder`."""
        examples, _ = self._encoder.encode(documents)
        batches = by_length(examples, self._batch_size, on_batch, on_cpu=True)
        pad = self._tokenizer.pad_token_id
        found = trigger_candidates_of(
            ((chosen, *self._graph(text_inputs(chosen, pad))) for chosen in batches), len(documents)
        )
        return [
            document.with_events(select(candidates, self._settings.margins, self._types))
            for document, candidates in zip(documents, found, strict=True)
        ]


class EventFinder:
    """Finds triggers, then their arguments; see `Finder`."""

    Settings: ClassVar[type[Any]] = PipelineSettings

    def __init__(self, detection: Finder, arguments: Finder) -> None:
        self._detection, self._arguments = detection, arguments

    @classmethod
    def load(cls, opened: OpenExport, *, precision: str, batch_size: int) -> EventFinder:
        """See `Finder`: an export of each step, with the margins that both were tuned to together."""
        together = {DETECTION: opened.settings.detection, ARGUMENTS: opened.settings.arguments}
        finders: list[Finder] = []
        for step, margins in together.items():
            own = open_export(opened.path / step)
            if margins is not None:
                own = replace(own, settings=replace(own.settings, margins=margins))
            finders.append(finder_of(own, precision=precision, batch_size=batch_size))
        return cls(*finders)

    def for_ontology(self, ontology: Ontology) -> EventFinder:
        """See `Finder`."""
        return EventFinder(self._detection.for_ontology(ontology), self._arguments.for_ontology(ontology))

    def annotate(self, documents: Sequence[Document], *, on_batch: OnBatch = None) -> list[Document]:
        """See `Finder`; events that are there already are kept, and their arguments found anew."""
        return in_two_steps(
            documents,
            lambda asked: self._detection.annotate(asked, on_batch=on_batch),
            lambda asked: self._arguments.annotate(asked, on_batch=on_batch),
        )


def finder_of(opened: OpenExport, *, precision: str, batch_size: int) -> Finder:
    """Load what an export finds with."""
    kind: type[Finder] = resolve_name(opened.entry.runtime)
    return kind.load(opened, precision=precision, batch_size=batch_size)


def _tokenizer(opened: OpenExport) -> SubwordTokenizer:
    """Load an export's tokenizer."""
    path = opened.path / TOKENIZER
    if opened.record.tokens is None:
        raise EventuneError(f"{opened.path}: expected tokens in export.json, found none", "export the run again")
    tokenizers = require_library("tokenizers", f"{path}: needs tokenizers", "pip install tokenizers")
    try:
        tokenizer = tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # what the library, which is not Python's, raises
        raise EventuneError(f"{path}: cannot be read: {first_line(error)}", "export the run again") from error
    return SubwordTokenizer(tokenizer, **asdict(opened.record.tokens))
