"""The joint extractor: one encoder pass reads an event's roles and its text, and scores every span for every role.

The input is `[CLS] type trigger : role 1 role 2 … [SEP] text [SEP]`. A role's state is the mean of its name's
subword tokens, so it has read the text, and the text has read it. Words are scored by their first and last subword
token, so spans end at word boundaries by construction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from eventune.extraction.marks import Mark

ROWS = 4
"""Libraries multiply matrices of rows that are no multiple of it in other ways, whose last bits are others."""


@dataclass(frozen=True, slots=True)
class SpanScores:
    """Scores of every span and of no span, for each role of each event.

    Attributes:
        spans: Score of the span of `k + 1` words from word `w`, *shape* (events, roles, words, max_span_length); `-inf`
            where there is no such span.
        null: Score of the empty role, *shape* (events, roles).
    """

    spans: Tensor
    null: Tensor

    def log_odds(self) -> Tensor:
        """Return each span's score minus the empty role's, *shape* (events, roles, words, max_span_length)."""
        return self.spans - self.null[..., None, None]

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Return both in numpy."""
        return self.spans.numpy(force=True), self.null.numpy(force=True)


class SpanScorer(nn.Module):
    """Scores spans for roles: `s(r, i, j) = a_r · u_i + b_r · v_j + f_i · g_j + w_{j-i}`, null: `n_r`.

    The first two terms ask whether a span from word i to word j fills role r; the third, without role, whether i and j
    bound one phrase; w is a bias for the width.
    """

    def __init__(
        self, hidden_size: int, *, max_span_length: int, dropout: float = 0.1, boundary_size: int = 64
    ) -> None:
        super().__init__()
        self.max_span_length = max_span_length
        self.dropout = nn.Dropout(dropout)
        self.role_start = nn.Linear(hidden_size, hidden_size)
        self.role_end = nn.Linear(hidden_size, hidden_size)
        self.word_start = nn.Linear(hidden_size, hidden_size)
        self.word_end = nn.Linear(hidden_size, hidden_size)
        self.boundary_start = nn.Linear(hidden_size, boundary_size)
        self.boundary_end = nn.Linear(hidden_size, boundary_size)
        self.width = nn.Parameter(torch.zeros(max_span_length))
        self.null = nn.Linear(hidden_size, 1)
        self.scale = hidden_size**-0.5
        # Roles and words start out as alike as the encoder finds them, which is more than a random projection knows.
        for projection in (self.role_start, self.role_end, self.word_start, self.word_end):
            nn.init.eye_(projection.weight)
            nn.init.zeros_(projection.bias)

    def forward(self, roles: Tensor, starts: Tensor, ends: Tensor, sentences: Tensor) -> SpanScores:
        """Score all spans up to the greatest length that stay inside a sentence.

        Args:
            roles: Role states, *shape* (events, roles, hidden), or (1, roles, hidden) where all events have the same.
            starts: State of each word's first subword token, *shape* (events, words, hidden).
            ends: State of each word's last subword token, *shape* (events, words, hidden).
            sentences: Sentence of each word, -1 for padding, *shape* (events, words).

        Returns:
            The scores in float32.
        """
        roles, starts, ends = self.dropout(roles), self.dropout(starts), self.dropout(ends)
        # What is found in a text must not depend on what else is read with it, by not so much as a bit.
        count = roles.shape[1]
        roles = nn.functional.pad(roles, (0, 0, 0, -count % ROWS))
        start = (self.role_start(roles) @ self.word_start(starts).transpose(1, 2))[:, :count].float() * self.scale
        end = (self.role_end(roles) @ self.word_end(ends).transpose(1, 2))[:, :count].float() * self.scale
        boundary = (self.boundary_start(starts) @ self.boundary_end(ends).transpose(1, 2)).float()
        last, valid = last_words(sentences, self.max_span_length)
        boundary = boundary.gather(2, last) * self.boundary_start.out_features**-0.5 + self.width
        events, words, lengths = last.shape
        ends_of_spans = end.gather(2, last.view(events, 1, -1).expand(-1, end.shape[1], -1))
        spans = start[..., None] + ends_of_spans.view(events, -1, words, lengths) + boundary[:, None]
        return SpanScores(spans.masked_fill(~valid[:, None], -torch.inf), self.null(roles)[:, :count, 0].float())


def last_words(sentences: Tensor, max_span_length: int) -> tuple[Tensor, Tensor]:
    """Return each span's last word, and whether it lies in one sentence; *shape* (events, words, max_span_length)."""
    words = sentences.shape[1]
    last = torch.arange(words, device=sentences.device)[:, None] + torch.arange(
        max_span_length, device=sentences.device
    )
    inside = last < words
    last = last.clamp(max=words - 1).expand(sentences.shape[0], -1, -1)
    last_sentences = sentences.gather(1, last.reshape(sentences.shape[0], -1)).view(last.shape)
    return last, inside & (last_sentences == sentences[..., None]) & (sentences[..., None] >= 0)


class JointExtractor(nn.Module):
    """An encoder with marks on its input and a span scorer on its output."""

    def __init__(self, encoder: PreTrainedModel, *, max_span_length: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = encoder
        self.config = encoder.config
        hidden_size = encoder.config.hidden_size
        self.marks = nn.Embedding(Mark.count(), hidden_size, padding_idx=Mark.NONE)
        nn.init.normal_(self.marks.weight, std=encoder.config.initializer_range)
        self.scorer = SpanScorer(hidden_size, max_span_length=max_span_length, dropout=dropout)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        marks: Tensor,
        role_tokens: Tensor,
        word_starts: Tensor,
        word_ends: Tensor,
        sentences: Tensor,
    ) -> SpanScores:
        """Score every span of every event of a batch.

        Args:
            input_ids: Subword tokens, *shape* (events, tokens).
            attention_mask: 1 for tokens, 0 for padding, *shape* (events, tokens).
            marks: `Mark` of each subword token, *shape* (events, tokens).
            role_tokens: First and last subword token of each role's name, *shape* (events, roles, 2); 0, 0 for padding.
            word_starts: First subword token of each word, *shape* (events, words).
            word_ends: Last subword token of each word, *shape* (events, words).
            sentences: Sentence of each word, -1 for padding, *shape* (events, words).

        Returns:
            The scores.
        """
        embedded = self.encoder.get_input_embeddings()(input_ids)
        embedded = embedded + self.marks(marks).to(embedded.dtype)
        states = self.encoder(inputs_embeds=embedded, attention_mask=attention_mask).last_hidden_state
        states = states.to(self.marks.weight.dtype)
        tokens = torch.arange(input_ids.shape[1], device=input_ids.device)
        in_role = (tokens >= role_tokens[..., :1]) & (tokens <= role_tokens[..., 1:])
        weights = in_role.to(states.dtype) / in_role.sum(-1, keepdim=True)
        scores: SpanScores = self.scorer(
            weights @ states, rows_of(states, word_starts), rows_of(states, word_ends), sentences
        )
        return scores


def rows_of(states: Tensor, indices: Tensor) -> Tensor:
    """Pick rows of each event's states, *shape* (events, len(indices), hidden)."""
    return states.gather(1, indices[..., None].expand(-1, -1, states.shape[-1]))
