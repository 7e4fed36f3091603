"""`task: detection`: an encoder finds the triggers of events in a text, for all event types at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from eventune.adapters.anatomy import Anatomy, anatomy_of
from eventune.backbones.backbone import Backbone
from eventune.backbones.load import load_encoder
from eventune.backbones.placement import Placement
from eventune.backbones.resolve import BaseModel
from eventune.corpora import read_ontology
from eventune.corpora.partial import AnnotationShape
from eventune.errors import EventuneError
from eventune.events import Document, Ontology, parse_marked_text
from eventune.extraction.coverage import EncodedPart
from eventune.extraction.detection.batches import AXES
from eventune.extraction.detection.decoding import TriggerMargins
from eventune.extraction.detection.features import EncodedText, TextEncoder
from eventune.extraction.detection.model import TriggerDetector
from eventune.extraction.detection.task import DetectionTask, Found
from eventune.extraction.graph import TriggerGraph
from eventune.extraction.subwords import SubwordTokenizer
from eventune.tasks.card import UNMARKED_EXAMPLE, extractor_card
from eventune.tasks.documents import SHOWN, require_negatives, require_triggers
from eventune.tasks.encoder import COMPARED_EXAMPLES, ENCODER, MARGIN_STEPS, EncoderTask, longest_window
from eventune.tasks.encoder_settings import DetectionSettings
from eventune.tasks.protocol import Pretraining
from eventune.tasks.splits import DocumentSplits
from eventune.training import run_directory as names
from eventune.training.dropout import cheapen_dropout

if TYPE_CHECKING:
    from eventune.recipe import Recipe


class TriggerDetection(EncoderTask):
    """The task of one run; see `RunTask`."""

    Settings: ClassVar[type[Any]] = DetectionSettings
    axes: ClassVar[Mapping[str, Sequence[str]]] = AXES
    unit: ClassVar[str] = "triggers"

    def __init__(
        self,
        backbone: Backbone,
        ontology: Ontology,
        settings: DetectionSettings,
        *,
        batch_size: int,
        recipe: Recipe | None = None,
        documents: DocumentSplits | None = None,
    ) -> None:
        """Make the task of a run.

        Args:
            backbone: The encoder.
            ontology: Whose types are found.
            settings: What the run's settings file holds.
            batch_size: Windows a batch in evaluation.
            recipe: What else decides a run that is to be trained.
            documents: What it is trained and scored on.

        Raises:
            EventuneError: If the types' names leave no room for the text.
        """
        self._batch_size = batch_size
        self._type_states: WeakKeyDictionary[nn.Module, Mapping[str, Tensor]] = WeakKeyDictionary()
        encoder = _text_encoder(backbone, ontology, settings)
        encoded = {}
        if documents is not None and recipe is not None:
            partial = recipe.own["detection"].partial_annotation
            for setting, corpus in (("train_file", documents.train), ("pretrain_file", documents.pretrain)):
                require_triggers(corpus, setting)
                if not partial:
                    require_negatives(corpus, setting)
            for name, part in documents.by_name().items():
                encoded[name] = EncodedPart(part, *encoder.encode(part, partial=partial and name == "train"))
        super().__init__(backbone, ontology, settings, encoded, recipe=recipe)
        self.loop = self._loop(encoder, encoded.get("dev"))
        self.examples: Sequence[EncodedText] = encoded["train"].examples if "train" in encoded else ()
        if documents is not None and documents.negatives:
            negatives = EncodedPart(documents.negatives, *encoder.encode(documents.negatives))
            self.beside = {"negative_file": negatives}
            self.examples = [*self.examples, *negatives.examples]
        batch = recipe.optimisation.per_device_train_batch_size if recipe else COMPARED_EXAMPLES
        self.gradient_examples = self.examples[:batch]
        self.pretraining = self._pretraining(documents) if documents and documents.pretrain else None

    @classmethod
    def from_recipe(
        cls, recipe: Recipe, documents: DocumentSplits, base: BaseModel, placement: Placement
    ) -> TriggerDetection:
        """Load the base and make the task of a run that is to be trained."""
        common, own = recipe.own["extraction"], recipe.own["detection"]
        dtype: Any = placement.dtype_of_encoder()
        backbone = load_encoder(base, dropout=recipe.model.hidden_dropout, dtype=dtype)
        settings = DetectionSettings(
            method=recipe.adapter.method,
            max_length=longest_window(common.max_length, backbone),
            max_trigger_length=own.max_trigger_length,
            type_reading=own.type_reading,
            type_embeddings=own.type_embeddings,
            margins=TriggerMargins(),
            dtype=dtype,
        )
        encoder = _text_encoder(backbone, documents.ontology, settings)
        settings = replace(settings, type_reading="beside" if encoder.beside else "vectors")
        if recipe.adapter.trained_layers and not encoder.beside:
            raise EventuneError(
                "trained_layers: expected 0 where types are read by themselves (type_reading: vectors), found "
                f"{recipe.adapter.trained_layers}",
                "leave it out; it is for inputs that are the same in every epoch",
            )
        batch_size = recipe.optimisation.per_device_eval_batch_size
        return cls(backbone, documents.ontology, settings, batch_size=batch_size, recipe=recipe, documents=documents)

    @classmethod
    def from_run(
        cls, folder: Path, settings: DetectionSettings, backbone: Backbone, *, batch_size: int
    ) -> TriggerDetection:
        """See `RunTask`."""
        settings = replace(settings, max_length=longest_window(settings.max_length, backbone))
        return cls(backbone, read_ontology(folder / names.ONTOLOGY), settings, batch_size=batch_size)

    def for_ontology(self, ontology: Ontology) -> TriggerDetection:
        """See `AnnotatingTask`."""
        if self.settings.type_embeddings and list(ontology.types) != list(self.ontology.types):
            raise EventuneError(
                "ontology_file: expected the types that the run was trained for, found others, of which its detection "
                "has learned no vectors",
                "use a run that was trained with type_embeddings: false, such as warmup",
            )
        return TriggerDetection(self.backbone, ontology, self.settings, batch_size=self._batch_size)

    def build_model(self, backbone: Backbone) -> tuple[nn.Module, Anatomy]:
        """See `RunTask`."""
        model = TriggerDetector(
            backbone.model,
            types=len(self.ontology) if self.settings.type_embeddings else 0,
            max_trigger_length=self.settings.max_trigger_length,
            dropout=self._recipe.own["extraction"].head_dropout if self._recipe else 0.0,
        )
        if self._recipe:
            cheapen_dropout(model)
        new = [f"{ENCODER}.{name}" for name in backbone.new_modules]
        return model, anatomy_of(model, backbones=(ENCODER,), new_modules=new)

    def fresh_heads(self, source: Path) -> Sequence[str]:
        """See `RunTask`: a type's learned vector is of no other type."""
        known = list(read_ontology(source / names.ONTOLOGY).types)
        return () if known == list(self.ontology.types) else ("prototypes",)

    def predict(self, model: nn.Module, split: str, *, on_batch: Callable[[int, int], None] | None = None) -> Found:
        """See `RunTask`."""
        return self.loop.rank(model, self.encoded[split], on_batch=on_batch)

    def tune(self, predicted: Found) -> None:
        """See `RunTask`: the margins with the best score on the dev part."""
        self.settings = replace(self.settings, margins=self.loop.tune(predicted, self.encoded["dev"]))

    def score(self, split: str, predicted: Found) -> dict[str, Any]:
        """See `RunTask`."""
        return self.loop.score(predicted, self.encoded[split], self.settings.margins).to_dict()

    def found(self, split: str, predicted: Found) -> Sequence[Document]:
        """See `DocumentTask`."""
        return self.loop.annotate(predicted, self.encoded[split], self.settings.margins)

    def outputs(self, model: nn.Module) -> Tensor:
        """See `RunTask`."""
        examples = (
            self.examples[:COMPARED_EXAMPLES] or self.loop.encode([parse_marked_text(SHOWN.format("any"))]).examples
        )
        inputs = self.loop.inputs(examples, next(model.parameters()).device)
        scores = model(**inputs, **self.loop.type_inputs(model))
        return torch.cat([scores.spans.flatten(), scores.null.flatten()])

    def candidates(
        self, model: nn.Module, documents: Sequence[Document], *, on_batch: Callable[[int, int], None] | None = None
    ) -> tuple[EncodedPart[EncodedText], Found]:
        """See `AnnotatingTask`: the ranked spans of each document."""
        if model not in self._type_states:
            self._type_states[model] = self.loop.type_inputs(model)
        part = self.loop.encode(documents)
        return part, self.loop.rank(model, part, types=self._type_states[model], on_batch=on_batch)

    def chosen(self, candidates: tuple[EncodedPart[EncodedText], Found], settings: DetectionSettings) -> list[Document]:
        """See `AnnotatingTask`: the documents with the events that were found, which have no arguments yet."""
        part, found = candidates
        return self.loop.annotate(found, part, settings.margins)

    def alternatives(self) -> Sequence[DetectionSettings]:
        """See `AnnotatingTask`: other margins around the own ones."""
        margins = self.settings.margins
        steps = (round(margins.alone + step, 6) for step in MARGIN_STEPS)
        return [replace(self.settings, margins=replace(margins, alone=alone)) for alone in steps]

    def graph(self, model: nn.Module) -> nn.Module:
        """See `ExportableTask`; its types are part of it."""
        return TriggerGraph(cast("TriggerDetector", model), self.loop.type_inputs(model))

    def graph_inputs(self, documents: Sequence[Document]) -> dict[str, Tensor]:
        """See `ExportableTask`."""
        return self.loop.inputs(self.loop.encode(documents).examples, torch.device("cpu"))

    def card(self, settings: Mapping[str, Any], result: Mapping[str, Any]) -> str:
        """See `RunTask`."""
        return extractor_card(settings, result, title="Trigger detector", example=UNMARKED_EXAMPLE)

    def _loop(
        self, encoder: TextEncoder, dev: EncodedPart[EncodedText] | None, *, has_prototypes: bool = True
    ) -> DetectionTask:
        return DetectionTask(
            encoder,
            dev=dev,
            batch_size=self._batch_size,
            word_dropout=self._recipe.own["extraction"].word_dropout if self._recipe else 0.0,
            has_prototypes=has_prototypes,
        )

    def _pretraining(self, documents: DocumentSplits) -> Pretraining:
        assert self._recipe is not None
        own = self._recipe.own["detection"]
        # Types of another ontology have no learned vectors: there is nothing to learn but to read names.
        encoder = _text_encoder(
            self.backbone, documents.pretrain_ontology, replace(self.settings, type_reading=own.type_reading)
        )
        task = self._loop(encoder, None, has_prototypes=False)
        partial = own.partial_annotation and AnnotationShape.of(documents.pretrain).looks_partial
        return Pretraining(
            task,
            task.encode(documents.pretrain, partial=partial).examples,
            self._recipe.data.pretrain_file,
            self._recipe.optimisation.num_pretrain_epochs,
        )


def _text_encoder(backbone: Backbone, ontology: Ontology, settings: DetectionSettings) -> TextEncoder:
    return TextEncoder(SubwordTokenizer.of(backbone.tokenizer), ontology, **settings.reading)
