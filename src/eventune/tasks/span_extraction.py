"""`task: extraction`: an encoder scores the spans of a text for the roles of an event."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from eventune.adapters.anatomy import Anatomy, anatomy_of
from eventune.backbones.backbone import Backbone
from eventune.backbones.load import load_encoder
from eventune.backbones.placement import Placement
from eventune.backbones.resolve import BaseModel
from eventune.corpora import read_ontology
from eventune.errors import EventuneError
from eventune.events import Document, Ontology
from eventune.extraction.batches import AXES
from eventune.extraction.coverage import EncodedPart
from eventune.extraction.decoding import EventCandidates, Margins, Readings
from eventune.extraction.features import EncodedWindow
from eventune.extraction.graph import SpanGraph
from eventune.extraction.kinds import VARIANTS
from eventune.extraction.model import JointExtractor
from eventune.extraction.subwords import SubwordTokenizer
from eventune.extraction.task import ExtractionTask
from eventune.extraction.teaching import Teacher, taught_examples
from eventune.extraction.workload import workload_notices
from eventune.tasks.encoder import COMPARED_EXAMPLES, ENCODER, MARGIN_STEPS, EncoderTask, longest_window
from eventune.tasks.encoder_settings import SpanSettings
from eventune.tasks.protocol import Pretraining
from eventune.tasks.splits import DocumentSplits
from eventune.training import run_directory as names
from eventune.training.dropout import cheapen_dropout

if TYPE_CHECKING:
    from eventune.recipe import Recipe


class SpanExtraction(EncoderTask):
    """The task of one run; see `RunTask`."""

    Settings: ClassVar[type[Any]] = SpanSettings
    axes: ClassVar[Mapping[str, Sequence[str]]] = AXES

    def __init__(
        self,
        backbone: Backbone,
        ontology: Ontology,
        settings: SpanSettings,
        *,
        batch_size: int,
        recipe: Recipe | None = None,
        documents: DocumentSplits | None = None,
    ) -> None:
        """Make the task of a run.

        Args:
            backbone: The encoder.
            ontology: What is extracted.
            settings: What the run's settings file holds.
            batch_size: Events a batch in evaluation.
            recipe: What else decides a run that is to be trained.
            documents: What it is trained and scored on.

        Raises:
            EventuneError: If a prompt leaves no room for the text.
        """
        self._recipe, self._batch_size = recipe, batch_size
        splits = documents.by_name() if documents else {}
        builder = self._builder(backbone, ontology, settings)
        encoded = {name: EncodedPart(part, *builder.encode(part)) for name, part in splits.items()}
        super().__init__(backbone, ontology, settings, encoded, recipe=recipe)
        self.loop = self._loop(builder, encoded.get("dev"))
        self.examples: Sequence[EncodedWindow] = encoded["train"].examples if "train" in encoded else ()
        self.beside = {
            f"further_corpora: {corpus.file}": EncodedPart(
                corpus.documents, *self._builder(backbone, corpus.ontology, settings).encode(corpus.documents)
            )
            for corpus in (documents.further if documents else ())
        }
        self.examples = [*self.examples, *(example for part in self.beside.values() for example in part.examples)]
        batch = recipe.optimisation.per_device_train_batch_size if recipe else COMPARED_EXAMPLES
        self.gradient_examples = self.examples[:batch]
        self.pretraining = self._pretraining(documents) if documents and documents.pretrain else None

    @classmethod
    def from_recipe(
        cls, recipe: Recipe, documents: DocumentSplits, base: BaseModel, placement: Placement
    ) -> SpanExtraction:
        """Load the base and make the task of a run that is to be trained."""
        own = recipe.own["extraction"]
        dtype: Any = placement.dtype_of_encoder()
        backbone = load_encoder(base, dropout=recipe.model.hidden_dropout, dtype=dtype)
        settings = SpanSettings(
            extractor=own.extractor,
            method=recipe.adapter.method,
            max_length=longest_window(own.max_length, backbone),
            max_span_length=own.max_span_length,
            trigger_window=own.trigger_window,
            near_window=own.near_window,
            role_descriptions=own.role_descriptions,
            margins=Margins(),
            dtype=dtype,
        )
        batch_size = recipe.optimisation.per_device_eval_batch_size
        return cls(backbone, documents.ontology, settings, batch_size=batch_size, recipe=recipe, documents=documents)

    @classmethod
    def from_run(cls, folder: Path, settings: SpanSettings, backbone: Backbone, *, batch_size: int) -> SpanExtraction:
        """See `RunTask`."""
        settings = replace(settings, max_length=longest_window(settings.max_length, backbone))
        return cls(backbone, read_ontology(folder / names.ONTOLOGY), settings, batch_size=batch_size)

    def for_ontology(self, ontology: Ontology) -> SpanExtraction:
        """See `AnnotatingTask`: types and roles are known by their names alone."""
        return SpanExtraction(self.backbone, ontology, self.settings, batch_size=self._batch_size)

    def learn_from(self, teacher: Teacher) -> None:
        """Let a teacher's probabilities be learned beside the annotation of the training part."""
        part = self.encoded["train"]
        readings = teacher(part.documents, self.ontology)
        self.examples = taught_examples(part, readings, max_span_length=self.settings.max_span_length)
        self.gradient_examples = self.examples[: len(self.gradient_examples)]

    def notices(self) -> Sequence[str]:
        """See `RunTask`; among them what makes the training slow."""
        if self._recipe is None:
            return super().notices()
        own, length = self._recipe.own["extraction"], self.settings.max_length
        padded = length if own.pad_to_max_length else 0
        slow = workload_notices(self.encoded["train"], extractor=own.extractor, max_length=length, padded_length=padded)
        return [*super().notices(), *slow]

    def build_model(self, backbone: Backbone) -> tuple[nn.Module, Anatomy]:
        """See `RunTask`."""
        model = VARIANTS[self.settings.extractor].model(
            backbone.model,
            max_span_length=self.settings.max_span_length,
            dropout=self._recipe.own["extraction"].head_dropout if self._recipe else 0.0,
        )
        if self._recipe:
            cheapen_dropout(model)
        new = [f"{ENCODER}.{name}" for name in backbone.new_modules]
        return model, anatomy_of(model, backbones=(ENCODER,), new_modules=new)

    def predict(
        self, model: nn.Module, split: str, *, on_batch: Callable[[int, int], None] | None = None
    ) -> EventCandidates:
        """See `RunTask`."""
        return self.loop.find_candidates(model, self.encoded[split], on_batch=on_batch)

    def tune(self, predicted: EventCandidates) -> None:
        """See `RunTask`: what the dev part teaches of how probable it is that a span is right."""
        self.settings = replace(self.settings, margins=self.loop.tune(predicted, self.encoded["dev"]))

    def score(self, split: str, predicted: EventCandidates) -> dict[str, Any]:
        """See `RunTask`."""
        return self.loop.score(predicted, self.encoded[split], self.settings.margins).to_dict()

    def found(self, split: str, predicted: EventCandidates) -> Sequence[Document]:
        """See `DocumentTask`."""
        return self.loop.annotate(predicted, self.encoded[split], self.settings.margins)

    def outputs(self, model: nn.Module) -> Tensor:
        """See `RunTask`."""
        examples = self.examples[:COMPARED_EXAMPLES] or self.loop.encode(self.shown_documents()).examples
        device = next(model.parameters()).device
        scores = model(**{name: tensor.to(device) for name, tensor in self.loop.inputs(examples).items()})
        return torch.cat([scores.spans.flatten(), scores.null.flatten()])

    def candidates(
        self, model: nn.Module, documents: Sequence[Document], *, on_batch: Callable[[int, int], None] | None = None
    ) -> tuple[EncodedPart[EncodedWindow], EventCandidates]:
        """See `AnnotatingTask`: the ranked spans of each role."""
        part = self.loop.encode(documents)
        return part, self.loop.find_candidates(model, part, on_batch=on_batch)

    def readings(
        self, model: nn.Module, documents: Sequence[Document], *, on_batch: Callable[[int, int], None] | None = None
    ) -> Readings:
        """Return what each reading of each event says, for an ensemble to average with what others' say."""
        return self.loop.find_readings(model, self.loop.encode(documents), on_batch=on_batch)

    def chosen(
        self, candidates: tuple[EncodedPart[EncodedWindow], EventCandidates], settings: SpanSettings
    ) -> list[Document]:
        """See `AnnotatingTask`."""
        part, ranking = candidates
        return self.loop.annotate(ranking, part, settings.margins)

    def alternatives(self) -> Sequence[SpanSettings]:
        """See `AnnotatingTask`: more generous and stricter choices around the own one."""
        return [replace(self.settings, margins=self.settings.margins.shifted(step)) for step in MARGIN_STEPS]

    def graph(self, model: nn.Module) -> nn.Module:
        """See `ExportableTask`."""
        if not isinstance(model, JointExtractor):
            raise EventuneError(
                f"expected a run with extractor: joint, found one with extractor: {self.settings.extractor}",
                "train it with extractor: joint, which reads an event once and not once for each role",
            )
        return SpanGraph(model)

    def graph_inputs(self, documents: Sequence[Document]) -> dict[str, Tensor]:
        """See `ExportableTask`."""
        return self.loop.inputs(self.loop.encode(documents).examples)

    def _builder(self, backbone: Backbone, ontology: Ontology, settings: SpanSettings) -> Any:
        return VARIANTS[settings.extractor].builder(
            SubwordTokenizer.of(backbone.tokenizer),
            ontology,
            **settings.reading,
        )

    def _loop(self, builder: Any, dev: EncodedPart[EncodedWindow] | None) -> ExtractionTask:
        options: dict[str, Any] = {}
        if self._recipe:
            own = self._recipe.own["extraction"]
            options = {"word_dropout": own.word_dropout, "pad_to_max_length": own.pad_to_max_length}
            options["scorer"] = self._recipe.scoring.scorer
        return VARIANTS[self.settings.extractor].task(builder, dev=dev, batch_size=self._batch_size, **options)

    def _pretraining(self, documents: DocumentSplits) -> Pretraining:
        assert self._recipe is not None
        task = self._loop(self._builder(self.backbone, documents.pretrain_ontology, self.settings), None)
        return Pretraining(
            task,
            task.encode(documents.pretrain).examples,
            self._recipe.data.pretrain_file,
            self._recipe.optimisation.num_pretrain_epochs,
        )
