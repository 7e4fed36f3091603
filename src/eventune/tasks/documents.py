"""What tasks that find events' arguments in documents have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from torch import nn

from eventune.backbones.backbone import Backbone
from eventune.corpora import write_corpus, write_ontology
from eventune.corpora.partial import AnnotationShape
from eventune.corpora.statistics import sizes_of
from eventune.errors import EventuneError
from eventune.events import Document, Ontology, parse_marked_text
from eventune.storage.validation import write_settings
from eventune.tasks.card import MARKED_EXAMPLE, extractor_card
from eventune.tasks.protocol import Outcome, Pretraining
from eventune.training import run_directory as names

if TYPE_CHECKING:
    from eventune.training.trainer import TaskTrainer

_SHOWN_TYPES = 8
SHOWN = "In May, some people [[acted|{}]] near the old bridge of Orsha."
"""A text with an event, which models are compared on."""


def require_triggers(documents: Sequence[Document], setting: str = "train_file") -> None:
    """Refuse a corpus whose events all have no trigger: a detector would learn that nothing is one.

    Args:
        documents: The corpus; some of its events may have none, and it may have no events.
        setting: The setting that names it.

    Raises:
        EventuneError: If it has events, and no trigger.
    """
    events = [event for document in documents for event in document.events]
    if events and all(event.trigger is None for event in events):
        raise EventuneError(
            f"{setting}: expected triggers to learn from, found {len(events)} events without one and no other",
            "the arguments of events without a trigger are found with task: extraction",
        )


def require_negatives(documents: Sequence[Document], setting: str = "train_file") -> None:
    """Refuse a corpus that marks some events only: what is unmarked would be learned as no event.

    Args:
        documents: The corpus.
        setting: The setting that names it.

    Raises:
        EventuneError: If the corpus looks like one.
    """
    if AnnotationShape.of(documents).looks_partial:
        raise EventuneError(
            f"{setting}: every document has exactly one event, so events may be there that are not marked, and a "
            "detector would learn that they are none",
            "with task: detection, partial_annotation: true takes as negatives only what the annotation says; false "
            "alarms rise, so give a negative_file as well",
        )


class DocumentTask:
    """The half of a `RunTask` that does not depend on how arguments are found.

    Attributes:
        backbone: The backbone.
        ontology: The event types and roles that are extracted.
        settings: What the run's settings file holds.
        counts: What was wrong with the answers that `annotate` got so far, by kind; empty for an encoder.
        encoded: The splits, encoded; each has `documents`, `gold` (how much is to be found) and `unreachable`.
        beside: What is trained on beside the corpus, encoded in the same way, by what notices call it.
        unit: What is found.
    """

    unit: ClassVar[str] = "arguments"
    pretraining: Pretraining | None = None
    beside: Mapping[str, Any] = MappingProxyType({})

    def __init__(
        self,
        backbone: Backbone,
        ontology: Ontology,
        settings: Any,
        encoded: Mapping[str, Any],
        *,
        saves_predictions: bool,
    ) -> None:
        self.backbone, self.ontology, self.settings, self.encoded = backbone, ontology, settings, encoded
        self.counts: Counter[str] = Counter()
        self._saves_predictions = saves_predictions

    @property
    def splits(self) -> Sequence[str]:
        """Names of the splits that the finished model is scored on."""
        return [name for name in ("dev", "test") if name in self.encoded]

    def notices(self) -> Sequence[str]:
        """See `RunTask`."""
        return [
            f"{name}: {part.unreachable.total()} of {part.gold} gold {self.unit} are out of reach "
            f"({', '.join(f'{count} {reason}' for reason, count in part.unreachable.items())}); they count as missed"
            for name, part in {**self.encoded, **self.beside}.items()
            if part.unreachable
        ]

    def for_ontology(self, ontology: Ontology) -> Any:  # noqa: ARG002
        """See `AnnotatingTask`; refused where a task does not say how."""
        raise EventuneError(
            f"ontology_file: expected a run with task: extraction, detection or events on an encoder, found one with "
            f"task: {self.settings.task}",
            "train it with that ontology_file",
        )

    def fresh_heads(self, source: Path) -> Sequence[str]:  # noqa: ARG002
        """See `RunTask`; all heads mean the same in every run."""
        return ()

    def check(self, model: nn.Module) -> None:
        """See `RunTask`; nothing is asked of the model."""

    def found(self, split: str, predicted: Any) -> Sequence[Document]:
        """Return a split's documents with the arguments that were predicted."""
        raise NotImplementedError

    def candidates(
        self, model: nn.Module, documents: Sequence[Document], *, on_batch: Callable[[int, int], None] | None = None
    ) -> Any:
        """See `AnnotatingTask`; each task has its own."""
        raise NotImplementedError

    def chosen(self, candidates: Any, settings: Any) -> list[Document]:
        """See `AnnotatingTask`."""
        raise NotImplementedError

    def alternatives(self) -> Sequence[Any]:
        """See `AnnotatingTask`; by default the run's own settings alone."""
        return [self.settings]

    def annotate(
        self, model: nn.Module, documents: Sequence[Document], *, on_batch: Callable[[int, int], None] | None = None
    ) -> list[Document]:
        """See `AnnotatingTask`."""
        return self.chosen(self.candidates(model, documents, on_batch=on_batch), self.settings)

    def save(self, folder: Path, outcome: Outcome) -> None:
        """See `RunTask`."""
        write_ontology(self.ontology, folder / names.ONTOLOGY)
        self.backbone.tokenizer.save_pretrained(folder)
        size = (folder / names.ONTOLOGY).stat().st_size
        write_settings(folder / names.EXTRACTOR, replace(self.settings, ontology_bytes=size))
        if self._saves_predictions and "test" in outcome.predictions:
            write_corpus(self.found("test", outcome.predictions["test"]), folder / names.PREDICTIONS)

    def history(self, trainer: TaskTrainer) -> Sequence[Mapping[str, Any]]:
        """See `RunTask`."""
        return trainer.epochs()

    def data(self) -> dict[str, Any]:
        """See `RunTask`; what is trained on beside the corpus counts as often as an epoch reads it."""
        return {
            name: {
                **sizes_of(part.documents),
                "unreachable": dict(part.unreachable),
            }
            for name, part in {**self.encoded, **self.beside}.items()
        }

    def card(self, settings: Mapping[str, Any], result: Mapping[str, Any]) -> str:
        """See `RunTask`."""
        example = MARKED_EXAMPLE.format(next(iter(self.ontology.types)))
        return extractor_card(settings, result, title="Event argument extractor", example=example)

    def shown_documents(self) -> list[Document]:
        """Return a text with one event of each of the first types that have roles, to compare models on."""
        types = [name for name, event_type in self.ontology.types.items() if event_type.roles][:_SHOWN_TYPES]
        return [parse_marked_text(SHOWN.format(name)) for name in types]
