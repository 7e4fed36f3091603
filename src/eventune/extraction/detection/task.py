"""Trigger detection as the trainer and the extractor see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from eventune.events import Document, Ontology
from eventune.extraction.batches import by_length
from eventune.extraction.coverage import EncodedPart
from eventune.extraction.detection.collator import TextCollator
from eventune.extraction.detection.decoding import (
    TriggerCandidate,
    TriggerMargins,
    select,
    tune_margins,
)
from eventune.extraction.detection.features import EncodedText, TextEncoder
from eventune.extraction.detection.loss import trigger_loss
from eventune.extraction.detection.marks import TypeMark
from eventune.extraction.detection.ranking import candidates_of
from eventune.results import Score
from eventune.scoring import score

TYPES_A_BATCH = 32
"""Types that a batch is trained on where they are read by themselves: those of its triggers, and others by chance."""

Found = list[list[TriggerCandidate]]
"""The ranked candidates of each document."""


class DetectionTask:
    """Encodes documents, computes losses, and turns scores into triggers."""

    def __init__(
        self,
        encoder: TextEncoder,
        *,
        dev: EncodedPart[EncodedText] | None = None,
        batch_size: int = 32,
        word_dropout: float = 0.0,
        has_prototypes: bool = True,
    ) -> None:
        self.encoder, self.dev, self.batch_size = encoder, dev, batch_size
        self.word_dropout, self.mask_token_id = word_dropout, encoder.tokenizer.mask_for(word_dropout)
        self._has_prototypes = has_prototypes
        self._types = list(encoder.ontology.types)
        self._collator = TextCollator(encoder.tokenizer.pad_token_id)
        self._own_inputs = self._collator.types(encoder.types) if encoder.types else None

    @property
    def ontology(self) -> Ontology:
        """The ontology whose types are found."""
        return self.encoder.ontology

    def encode(self, documents: Sequence[Document], *, partial: bool = False) -> EncodedPart[EncodedText]:
        """Encode a part of a corpus."""
        return EncodedPart(documents, *self.encoder.encode(documents, partial=partial))

    def length(self, example: EncodedText) -> int:
        """Return an example's length in subword tokens."""
        return len(example.input_ids)

    def collate(self, examples: Sequence[EncodedText]) -> dict[str, Tensor]:
        """Pad examples to a batch."""
        return {**self._collator.inputs(examples), **self._collator.targets(examples)}

    def inputs(self, examples: Sequence[EncodedText], device: torch.device) -> dict[str, Tensor]:
        """Return what the model reads of examples, but the types."""
        return {name: tensor.to(device) for name, tensor in self._collator.inputs(examples).items()}

    def num_items(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return how many windows the loss of a batch is the mean of."""
        return torch.tensor(len(batch["input_ids"]), device=batch["input_ids"].device)

    def loss(self, model: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the loss of a batch."""
        inputs = dict(batch)
        targets, known = inputs.pop("targets"), inputs.pop("known")
        if model.training and self.word_dropout and self.mask_token_id is not None:
            drop = torch.rand(inputs["marks"].shape, device=targets.device) < self.word_dropout
            inputs["input_ids"] = inputs["input_ids"].masked_fill(
                drop & (inputs["marks"] == TypeMark.TEXT), self.mask_token_id
            )
        chosen = self._types_of_batch(targets)
        if chosen is not None:
            row_of = torch.full((len(self._types),), -1, device=targets.device)
            row_of[chosen] = torch.arange(len(chosen), device=targets.device)
            targets = torch.cat([targets[:, :1], row_of[targets[:, 1:2]], targets[:, 2:]], dim=1)
        scores = model(**inputs, **self._type_inputs(targets.device, chosen))
        return trigger_loss(scores, targets, known)

    def _types_of_batch(self, targets: Tensor) -> Tensor | None:
        """Return the types that a batch is trained on; None for all."""
        if self.encoder.beside or len(self._types) <= TYPES_A_BATCH:
            return None
        order = torch.rand(len(self._types), device=targets.device)
        order[targets[:, 1]] = 2.0
        count = max(TYPES_A_BATCH, len(set(targets[:, 1].tolist())))
        return order.topk(count).indices.sort().values

    def _type_inputs(self, device: torch.device, chosen: Tensor | None = None) -> dict[str, Tensor]:
        rows = torch.arange(len(self._types), device=device) if chosen is None else chosen
        inputs = {"type_rows": rows} if self._has_prototypes else {}
        if self._own_inputs is None:
            return {**inputs, "type_tokens": torch.tensor(self.encoder.type_tokens, device=device)}
        return {**inputs, **{name: tensor.to(device)[rows] for name, tensor in self._own_inputs.items()}}

    def evaluate(self, model: nn.Module, *, on_batch: Callable[[int, int], None] | None = None) -> dict[str, float]:
        """Score the dev part with the margins that suit it best."""
        if self.dev is None:
            return {}
        found = self.rank(model, self.dev, on_batch=on_batch)
        return self.score(found, self.dev, self.tune(found, self.dev)).metrics

    def type_inputs(self, model: nn.Module) -> dict[str, Tensor]:
        """Return the types as the model takes them in evaluation; read once where they are read by themselves."""
        inputs = self._type_inputs(next(model.parameters()).device)
        if self._own_inputs is None:
            return inputs
        was_training = model.training
        model.eval()
        plain: Any = model
        try:
            with torch.inference_mode():
                return {"type_states": plain.read_types(**inputs)}
        finally:
            model.train(was_training)

    def rank(
        self,
        model: nn.Module,
        part: EncodedPart[EncodedText],
        *,
        types: Mapping[str, Tensor] | None = None,
        on_batch: Callable[[int, int], None] | None = None,
    ) -> Found:
        """Find the best spans of each document.

        Args:
            model: The trained model.
            part: The encoded documents.
            types: What `type_inputs` returned for this model.
            on_batch: Called after each batch, with how many windows of how many are done.

        Returns:
            The candidates, windows merged.
        """
        scores = self._scores(model, part.examples, types or self.type_inputs(model), on_batch)
        return candidates_of(scores, len(part.documents))

    def _scores(
        self,
        model: nn.Module,
        examples: Sequence[EncodedText],
        types: Mapping[str, Tensor],
        on_batch: Callable[[int, int], None] | None,
    ) -> Iterator[tuple[list[EncodedText], np.ndarray, np.ndarray]]:
        device = next(model.parameters()).device
        was_training = model.training
        model.eval()
        try:
            for chosen in by_length(examples, self.batch_size, on_batch, on_cpu=device.type == "cpu"):
                batch = self.inputs(chosen, device)
                with torch.inference_mode():
                    spans, null = model(**batch, **types).arrays()
                yield chosen, spans, null
        finally:
            model.train(was_training)

    def tune(self, found: Found, part: EncodedPart[EncodedText]) -> TriggerMargins:
        """Return the margins with the best F1 on a part."""
        row_of = {name: row for row, name in enumerate(self._types)}
        gold = [
            {(e.trigger, row_of[e.type]) for e in document.events if e.trigger is not None and e.type in row_of}
            for document in part.documents
        ]
        return tune_margins(found, gold, part.gold)

    def annotate(self, found: Found, part: EncodedPart[EncodedText], margins: TriggerMargins) -> list[Document]:
        """Return the documents with the triggers that exceed the margins in place of their own events."""
        return [
            document.with_events(select(candidates, margins, self._types))
            for document, candidates in zip(part.documents, found, strict=True)
        ]

    def score(self, found: Found, part: EncodedPart[EncodedText], margins: TriggerMargins) -> Score:
        """Score a part by TextEE's definition: TC, and TI beside it."""
        return score(part.documents, self.annotate(found, part, margins), scorer="textee", triggers="alone")
