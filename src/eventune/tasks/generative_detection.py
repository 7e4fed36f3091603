"""`task: generative-detection`: a causal LM lists a text's triggers by event type as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from torch import nn

from eventune.backbones.backbone import Backbone
from eventune.backbones.placement import Placement
from eventune.backbones.resolve import BaseModel
from eventune.corpora import read_ontology
from eventune.corpora.statistics import sizes_of
from eventune.events import Document, Ontology, parse_marked_text
from eventune.generation.extracting.prompt_encoding import PromptEncoder
from eventune.generation.extracting.task import Answers
from eventune.generation.extracting.triggers import (
    PROMPT,
    TriggerPromptEncoder,
    answered,
    asked_of,
    asked_ontology,
)
from eventune.results import Score
from eventune.scoring import score
from eventune.tasks.card import UNMARKED_EXAMPLE, extractor_card
from eventune.tasks.documents import SHOWN, require_negatives, require_triggers
from eventune.tasks.generative_extraction import GenerativeExtraction, GenerativeSettings
from eventune.tasks.splits import DocumentSplits
from eventune.training import run_directory as names

if TYPE_CHECKING:
    from eventune.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class GenerativeDetectionSettings(GenerativeSettings):
    """What a run's `extractor.json` holds; lengths of spans are those of triggers."""

    task: Literal["generative-detection"] = "generative-detection"

    @staticmethod
    def asked(ontology: Ontology) -> Ontology:
        """See `GenerativeSettings`."""
        return asked_ontology(ontology)


class GenerativeDetection(GenerativeExtraction):
    """The task of one run; see `RunTask`.

    Attributes:
        ontology: The event types; questions know them as roles of a text.
    """

    Settings: ClassVar[type[Any]] = GenerativeDetectionSettings
    Encoder: ClassVar[type[PromptEncoder]] = TriggerPromptEncoder
    built_in_prompt: ClassVar[Path] = PROMPT
    unit: ClassVar[str] = "triggers"
    _annotated: Mapping[str, Sequence[Document]]
    _negatives: Sequence[Document] = ()

    @classmethod
    def from_recipe(
        cls, recipe: Recipe, documents: DocumentSplits, base: BaseModel, placement: Placement
    ) -> GenerativeDetection:
        """See `GenerativeExtraction`.

        Raises:
            EventuneError: Also if the corpus to be trained on marks some events only, or no triggers.
        """
        is_trained = recipe.optimisation.num_train_epochs > 0
        if is_trained:
            require_triggers(documents.train)
            require_negatives(documents.train)
        asked = replace(
            documents,
            ontology=asked_ontology(documents.ontology),
            train=[asked_of(document) for document in (*documents.train, *documents.negatives)],
            dev=[asked_of(document) for document in documents.dev],
            test=[asked_of(document) for document in documents.test],
        )
        task = super().from_recipe(recipe, asked, base, placement)
        assert isinstance(task, cls)
        task.ontology, task._annotated = documents.ontology, documents.by_name()
        task._negatives = documents.negatives if is_trained else ()
        return task

    @classmethod
    def most_words(cls, recipe: Recipe) -> int:
        """See `GenerativeExtraction`."""
        return int(recipe.own["detection"].max_trigger_length)

    @classmethod
    def from_run(
        cls, folder: Path, settings: GenerativeSettings, backbone: Backbone, *, batch_size: int
    ) -> GenerativeDetection:
        """See `RunTask`."""
        task = super().from_run(folder, settings, backbone, batch_size=batch_size)
        assert isinstance(task, cls)
        task.ontology = read_ontology(folder / names.ONTOLOGY)
        return task

    def scored(self, split: str, found: Sequence[Document]) -> Score:
        """See `GenerativeExtraction`: TextEE's TC, and TI beside it."""
        return score(self._annotated[split], found, scorer="textee", triggers="alone")

    def found(self, split: str, predicted: Answers) -> Sequence[Document]:
        """See `DocumentTask`."""
        return [answered(document) for document in super().found(split, predicted)]

    def data(self) -> dict[str, Any]:
        """See `RunTask`; texts of a `negative_file` are asked about among those of the training part."""
        parts = {name: {**part, **sizes_of(self._annotated[name])} for name, part in super().data().items()}
        if self._negatives:
            parts["negative_file"] = {**sizes_of(self._negatives), "unreachable": {}}
        return parts

    def candidates(
        self, model: nn.Module, documents: Sequence[Document], *, on_batch: Callable[[int, int], None] | None = None
    ) -> tuple[Sequence[Document], Answers]:
        """See `AnnotatingTask`: the model's answers about documents that have no events yet."""
        bare = [asked_of(document.with_events(())) for document in documents]
        return super().candidates(model, bare, on_batch=on_batch)

    def chosen(self, candidates: tuple[Sequence[Document], Answers], settings: GenerativeSettings) -> list[Document]:
        """See `AnnotatingTask`: the documents with the events that were found, which have no arguments yet."""
        return [answered(document) for document in super().chosen(candidates, settings)]

    def shown_documents(self) -> list[Document]:
        """See `DocumentTask`."""
        return [asked_of(parse_marked_text(SHOWN.format(next(iter(self.ontology.types)))))]

    def card(self, settings: Mapping[str, Any], result: Mapping[str, Any]) -> str:
        """See `RunTask`."""
        return extractor_card(settings, result, title="Trigger detector", example=UNMARKED_EXAMPLE)
