"""`task: extraction`: an encoder scores the spans of a text for the roles of an event."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Ge, Le
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from eventune.adapters.anatomy import Anatomy, anatomy_of
from eventune.backbones.backbone import Backbone
from eventune.backbones.load import load_encoder, load_tokenizer
from eventune.backbones.placement import Placement
from eventune.backbones.resolve import BaseModel
from eventune.corpora import read_ontology
from eventune.events import Document, Ontology
from eventune.extraction.arguments import MOST_SPAN_LENGTH
from eventune.extraction.decoding import Margins
from eventune.extraction.features import EncodedWindow
from eventune.extraction.kinds import VARIANTS
from eventune.extraction.task import EncodedPart, ExtractionTask, Ranking
from eventune.tasks.costs import Forgetting
from eventune.tasks.documents import DocumentSplits, DocumentTask
from eventune.tasks.protocol import MOST_LENGTH, Outcome, Pretraining
from eventune.training import run_directory as names
from eventune.training.dropout import cheapen_dropout

if TYPE_CHECKING:
    from eventune.recipe import Recipe

ENCODER = "encoder"
"""Name of the pretrained encoder inside every extractor."""
_COMPARED_EXAMPLES = 4
"""Events whose outputs are compared when a run is verified."""


@dataclass(frozen=True, kw_only=True)
class SpanSettings:
    """What a run's `extractor.json` holds.

    Attributes:
        task: Name of the task; runs of earlier versions may lack it.
        extractor: The extractor, one of `VARIANTS`; runs of earlier versions may lack it.
        method: What was trained.
        max_length: The most subword tokens that are read at once.
        max_span_length: Words of the longest argument.
        margins: How far a span's score has to be above the empty role's.
        dtype: Type of the base's weights.
        ontology_bytes: Size of the ontology's file: what is left of one that was cut off is often valid YAML.
    """

    task: Literal["extraction"] = "extraction"
    extractor: Literal["joint", "question"] = "joint"
    method: str
    max_length: Annotated[int, Ge(1), Le(MOST_LENGTH)]
    max_span_length: Annotated[int, Ge(1), Le(MOST_SPAN_LENGTH)]
    margins: Margins
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    ontology_bytes: int = 0


class SpanExtraction(DocumentTask):
    """The task of one run; see `RunTask`."""

    Settings: ClassVar[type[Any]] = SpanSettings

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
        super().__init__(
            backbone,
            ontology,
            settings,
            encoded,
            saves_predictions=recipe is not None and recipe.optimisation.save_predictions,
        )
        self.loop = self._loop(builder, encoded.get("dev"))
        self.examples: Sequence[EncodedWindow] = encoded["train"].examples if "train" in encoded else ()
        batch = recipe.optimisation.per_device_train_batch_size if recipe else _COMPARED_EXAMPLES
        self.gradient_examples = self.examples[:batch]
        self.pretraining = self._pretraining(documents) if documents and documents.pretrain else None
        self._forgetting = Forgetting(backbone) if recipe else None

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
            max_length=min(own.max_length or backbone.max_length, backbone.max_length),
            max_span_length=own.max_span_length,
            margins=Margins(),
            dtype=dtype,
        )
        batch_size = recipe.optimisation.per_device_eval_batch_size
        return cls(backbone, documents.ontology, settings, batch_size=batch_size, recipe=recipe, documents=documents)

    @classmethod
    def from_run(cls, folder: Path, settings: SpanSettings, backbone: Backbone, *, batch_size: int) -> SpanExtraction:
        """See `RunTask`."""
        return cls(backbone, read_ontology(folder / names.ONTOLOGY), settings, batch_size=batch_size)

    @classmethod
    def load_backbone(
        cls, base: BaseModel, settings: SpanSettings, *, dtype: str = "", tokenizer_folder: Path | None = None
    ) -> Backbone:
        """See `RunTask`."""
        return load_encoder(base, dtype=dtype or settings.dtype, tokenizer_folder=tokenizer_folder)

    @classmethod
    def load_tokenizer(cls, folder: Path) -> PreTrainedTokenizerBase:
        """See `RunTask`."""
        return load_tokenizer(folder)

    @classmethod
    def files(cls, settings: SpanSettings) -> Sequence[str]:  # noqa: ARG003
        """See `RunTask`."""
        return (names.ONTOLOGY,)

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

    def predict(self, model: nn.Module, split: str) -> Ranking:
        """See `RunTask`."""
        return self.loop.rank(model, self.encoded[split])

    def tune(self, predicted: Ranking) -> None:
        """See `RunTask`: the margins with the best score on the dev part."""
        self.settings = replace(self.settings, margins=self.loop.tune(predicted, self.encoded["dev"]))

    def score(self, split: str, predicted: Ranking) -> dict[str, Any]:
        """See `RunTask`."""
        return self.loop.score(predicted, self.encoded[split], self.settings.margins).to_dict()

    def found(self, split: str, predicted: Ranking) -> Sequence[Document]:
        """See `DocumentTask`."""
        return self.loop.annotate(predicted, self.encoded[split], self.settings.margins)

    def costs(self, outcome: Outcome, cost: Mapping[str, float]) -> dict[str, Any]:
        """See `RunTask`."""
        assert outcome.counts is not None
        return {
            "head_parameters": outcome.counts.heads,
            "documents_per_second": len(self.encoded["train"].documents) / cost["seconds_per_epoch"],
            **(self._forgetting.measured() if self._forgetting else {}),
        }

    def outputs(self, model: nn.Module) -> Tensor:
        """See `RunTask`."""
        examples = self.examples[:_COMPARED_EXAMPLES] or self.loop.encode(self.shown_documents()).examples
        batch = self.loop.collate(examples)
        del batch["targets"], batch["slots"]
        device = next(model.parameters()).device
        scores = model(**{name: tensor.to(device) for name, tensor in batch.items()})
        return torch.cat([scores.spans.flatten(), scores.null.flatten()])

    def annotate(
        self, model: nn.Module, documents: Sequence[Document], *, on_batch: Callable[[int], None] | None = None
    ) -> list[Document]:
        """See `RunTask`."""
        part = self.loop.encode(documents)
        return self.loop.annotate(self.loop.rank(model, part, on_batch=on_batch), part, self.settings.margins)

    def _builder(self, backbone: Backbone, ontology: Ontology, settings: SpanSettings) -> Any:
        return VARIANTS[settings.extractor].builder(
            backbone.tokenizer, ontology, max_length=settings.max_length, max_span_length=settings.max_span_length
        )

    def _loop(self, builder: Any, dev: EncodedPart | None) -> ExtractionTask:
        own = self._recipe.own["extraction"] if self._recipe else None
        return VARIANTS[self.settings.extractor].task(
            builder,
            dev=dev,
            batch_size=self._batch_size,
            **({"word_dropout": own.word_dropout, "pad_to_max_length": own.pad_to_max_length} if own else {}),
        )

    def _pretraining(self, documents: DocumentSplits) -> Pretraining:
        assert self._recipe is not None
        task = self._loop(self._builder(self.backbone, documents.pretrain_ontology, self.settings), None)
        return Pretraining(
            task,
            task.encode(documents.pretrain).examples,
            self._recipe.data.pretrain_file,
            self._recipe.optimisation.num_pretrain_epochs,
        )
