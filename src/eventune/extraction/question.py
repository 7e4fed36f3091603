"""The question extractor: one encoder pass for each role of an event, and for each filler that it may have.

This is reading comprehension: the input is `[CLS] question [SEP] text [SEP]`, two linear layers
score words as starts and as ends, and an empty role answers with `[CLS]`. It costs as many passes as an event has
slots; it is here to be compared with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from eventune.extraction.features import EncodedWindow
from eventune.extraction.model import SpanScores, last_words
from eventune.extraction.task import ExtractionTask


@dataclass(frozen=True, slots=True)
class BoundaryScores(SpanScores):
    """Scores of spans that are sums of a start's and an end's; one role for each input.

    Attributes:
        starts: Score of `[CLS]`, then of each word as the first of a span, *shape* (inputs, 1 + words).
        ends: The same as the last one.
    """

    starts: Tensor
    ends: Tensor


def boundary_scores(starts: Tensor, ends: Tensor, sentences: Tensor, max_span_length: int) -> BoundaryScores:
    """Add up the scores of all spans inside one sentence.

    Args:
        starts: Scores as the first word, `[CLS]` first, *shape* (inputs, 1 + words).
        ends: Scores as the last word, *shape* (inputs, 1 + words).
        sentences: Sentence of each word, -1 for padding, *shape* (inputs, words).
        max_span_length: Words of the longest span.

    Returns:
        The scores of the spans, of the empty role, and of both boundaries.
    """
    last, valid = last_words(sentences, max_span_length)
    ends_of_spans = ends[:, 1:].gather(1, last.flatten(1)).view(last.shape)
    spans = (starts[:, 1:, None] + ends_of_spans).masked_fill(~valid, -torch.inf)
    padding = nn.functional.pad(sentences < 0, (1, 0))
    return BoundaryScores(
        spans[:, None],
        (starts[:, 0] + ends[:, 0])[:, None],
        starts.masked_fill(padding, -torch.inf),
        ends.masked_fill(padding, -torch.inf),
    )


class QuestionExtractor(nn.Module):
    """An encoder with two linear layers that score starts and ends."""

    def __init__(self, encoder: PreTrainedModel, *, max_span_length: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = encoder
        self.config = encoder.config
        self.max_span_length = max_span_length
        self.dropout = nn.Dropout(dropout)
        self.linear_1 = nn.Linear(encoder.config.hidden_size, 1)
        self.linear_2 = nn.Linear(encoder.config.hidden_size, 1)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, word_starts: Tensor, word_ends: Tensor, sentences: Tensor
    ) -> BoundaryScores:
        """Score every span of every input of a batch; arguments as in `JointExtractor.forward`."""
        states = self.dropout(self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state)
        states = states.to(self.linear_1.weight.dtype)
        first = torch.zeros_like(word_starts[:, :1])
        starts = self.linear_1(states).squeeze(-1).float().gather(1, torch.cat([first, word_starts], dim=1))
        ends = self.linear_2(states).squeeze(-1).float().gather(1, torch.cat([first, word_ends], dim=1))
        return boundary_scores(starts, ends, sentences, self.max_span_length)


class QuestionTask(ExtractionTask):
    """The task with the loss of reading comprehension: cross-entropy of start and end, `[CLS]` for an empty slot."""

    def inputs(self, examples: Sequence[EncodedWindow]) -> dict[str, Tensor]:
        """Pad examples to a batch of what the model reads; nothing is marked in it."""
        inputs = super().inputs(examples)
        return {name: tensor for name, tensor in inputs.items() if name not in {"marks", "role_tokens"}}

    def _loss(self, scores: SpanScores, targets: Tensor, slots: Tensor) -> Tensor:
        assert isinstance(scores, BoundaryScores)
        rows, _, words, lengths = targets.unbind(1)
        starts = torch.zeros(len(slots), dtype=torch.long, device=slots.device)
        ends = starts.clone()
        starts[rows], ends[rows] = words + 1, words + lengths + 1
        return nn.functional.cross_entropy(scores.starts, starts) + nn.functional.cross_entropy(scores.ends, ends)
