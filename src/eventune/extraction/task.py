"""Event argument extraction as the trainer and the extractor see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from eventune.events import Document, Ontology
from eventune.extraction.batches import by_length
from eventune.extraction.calibration import calibrate
from eventune.extraction.collator import WindowCollator
from eventune.extraction.coverage import EncodedPart
from eventune.extraction.decoding import (
    Candidate,
    Choice,
    EventCandidates,
    Readings,
    annotated,
    candidates_a_role,
    merge_readings,
    readings_of,
)
from eventune.extraction.features import EncodedWindow, FeatureBuilder
from eventune.extraction.loss import span_loss, teacher_loss
from eventune.extraction.marks import Mark
from eventune.extraction.model import SpanScores
from eventune.extraction.ranking import candidates_of
from eventune.results import Score
from eventune.scoring.definitions import DEFAULT_SCORER, score_model

TEACHER_SHARE = 0.5
"""Share of the loss that a teacher has, where there is one; the rest is the annotation's."""


class ExtractionTask:
    """Encodes documents, computes losses, and turns scores into arguments."""

    def __init__(
        self,
        builder: FeatureBuilder,
        *,
        dev: EncodedPart[EncodedWindow] | None = None,
        batch_size: int = 32,
        word_dropout: float = 0.0,
        pad_to_max_length: bool = False,
        scorer: str = DEFAULT_SCORER,
    ) -> None:
        tokenizer = builder.tokenizer
        self.builder = builder
        self.dev = dev
        self.batch_size = batch_size
        self.scorer = scorer
        self.word_dropout, self.mask_token_id = word_dropout, tokenizer.mask_for(word_dropout)
        length = builder.max_length if pad_to_max_length else 0
        self._collator = WindowCollator(tokenizer.pad_token_id, length=length)

    @property
    def ontology(self) -> Ontology:
        """The ontology that is extracted for."""
        return self.builder.ontology

    def encode(self, documents: Sequence[Document]) -> EncodedPart[EncodedWindow]:
        """Encode a part of a corpus."""
        return EncodedPart(documents, *self.builder.encode(documents))

    def length(self, example: EncodedWindow) -> int:
        """Return an example's length in subword tokens."""
        return len(example.input_ids)

    def inputs(self, examples: Sequence[EncodedWindow]) -> dict[str, Tensor]:
        """Pad examples to a batch of what the model reads."""
        return self._collator.inputs(examples)

    def collate(self, examples: Sequence[EncodedWindow]) -> dict[str, Tensor]:
        """Pad examples to a batch to train on: what the model reads, and what the loss compares its scores with."""
        return {**self.inputs(examples), **self._collator.targets(examples)}

    def loss(self, model: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the loss of a batch."""
        inputs = dict(batch)
        targets, slots = inputs.pop("targets"), inputs.pop("slots")
        taught, probabilities = inputs.pop("taught", None), inputs.pop("probabilities", None)
        if model.training and self.word_dropout and self.mask_token_id is not None:
            drop = torch.rand(inputs["marks"].shape, device=targets.device) < self.word_dropout
            drop &= _is_text(inputs)
            inputs["input_ids"] = inputs["input_ids"].masked_fill(drop, self.mask_token_id)
        scores = model(**inputs)
        loss = self._loss(scores, targets, slots)
        if taught is None or probabilities is None:
            return loss
        return (1 - TEACHER_SHARE) * loss + TEACHER_SHARE * teacher_loss(scores, taught, probabilities, slots)

    def num_items(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return how many role slots the loss of a batch is the mean of."""
        return batch["slots"].sum()

    def _loss(self, scores: SpanScores, targets: Tensor, slots: Tensor) -> Tensor:
        return span_loss(scores, targets, slots)

    def evaluate(self, model: nn.Module, *, on_batch: Callable[[int, int], None] | None = None) -> dict[str, float]:
        """Score the dev part with the calibration that it gives."""
        if self.dev is None:
            return {}
        found = self.find_candidates(model, self.dev, on_batch=on_batch)
        return self.score(found, self.dev, self.tune(found, self.dev)).metrics

    def find_candidates(
        self, model: nn.Module, part: EncodedPart[EncodedWindow], *, on_batch: Callable[[int, int], None] | None = None
    ) -> EventCandidates:
        """Find the best spans for each role of each event.

        Args:
            model: The trained model.
            part: The encoded documents.
            on_batch: Called after each batch, with how many examples of how many are done.

        Returns:
            The candidates, windows merged, overlaps removed, up to each role's multiplicity.
        """
        return merge_readings(self.find_readings(model, part, on_batch=on_batch), part.documents, self.ontology)

    def find_readings(
        self, model: nn.Module, part: EncodedPart[EncodedWindow], *, on_batch: Callable[[int, int], None] | None = None
    ) -> Readings:
        """Find what each reading of each event says, before they are averaged; arguments as for `find_candidates`."""
        return readings_of(self._windows(model, part.examples, on_batch), part.documents, self.ontology)

    def _windows(
        self, model: nn.Module, examples: Sequence[EncodedWindow], on_batch: Callable[[int, int], None] | None
    ) -> Iterator[tuple[EncodedWindow, list[list[Candidate]]]]:
        """Yield each window with the candidates of its roles, in batches of like length."""
        device, count = next(model.parameters()).device, candidates_a_role(self.ontology)
        was_training = model.training
        model.eval()
        try:
            for chosen in by_length(examples, self.batch_size, on_batch, on_cpu=device.type == "cpu"):
                inputs = {name: tensor.to(device) for name, tensor in self.inputs(chosen).items()}
                with torch.inference_mode():
                    spans, null = model(**inputs).arrays()
                yield from candidates_of(chosen, spans, null, count=count)
        finally:
            model.train(was_training)

    def tune(self, found: EventCandidates, part: EncodedPart[EncodedWindow]) -> Choice:
        """Learn on a part how probable it is that a candidate is right, and the threshold with the best expected F1."""
        return calibrate(found, part.documents, self.ontology, scorer=self.scorer)

    def annotate(self, found: EventCandidates, part: EncodedPart[EncodedWindow], choice: Choice) -> list[Document]:
        """Return the documents with the arguments that are chosen in place of their own."""
        return annotated(part.documents, found, self.ontology, choice)

    def score(self, found: EventCandidates, part: EncodedPart[EncodedWindow], choice: Choice) -> Score:
        """Score a part by the task's scorer."""
        return score_model(part.documents, self.annotate(found, part, choice), self.scorer)


def _is_text(inputs: Mapping[str, Tensor]) -> Tensor:
    """Tell of each subword token whether it is of the text beyond the trigger, *shape* (events, tokens)."""
    marks, first = inputs["marks"], inputs["word_starts"][:, :1]
    places, last = torch.arange(marks.shape[1], device=marks.device), inputs["word_ends"].amax(1, keepdim=True)
    return (places >= first) & (places <= last) & (marks != Mark.TRIGGER)
