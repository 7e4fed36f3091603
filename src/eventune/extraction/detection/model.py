"""The trigger detector: one encoder pass reads a text and scores every short span of it for every event type.

The types are read in one of two ways, by the same encoder: beside the text,
`[CLS] type 1 , type 2 , … [SEP] text [SEP]`, so that types have read the text and the text has read them; or each by
itself, `[CLS] type : description [SEP]`, as a vector that is made once for all texts. A type's state is the mean of its
name's subword tokens and, for the types of the ontology that is trained for, a learned vector added to it.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from eventune.extraction.detection.marks import TypeMark
from eventune.extraction.model import SpanScorer, SpanScores, rows_of

RARE_LOG_ODDS = 5.0
"""How far the empty span is above all others at first: about one in 150 is a trigger."""


class TriggerDetector(nn.Module):
    """An encoder with marks on its input, a vector for each type, and a span scorer on its output."""

    def __init__(self, encoder: PreTrainedModel, *, types: int, max_trigger_length: int, dropout: float = 0.1) -> None:
        """Put the detector's heads on an encoder.

        Args:
            encoder: The encoder.
            types: Event types with a learned vector; 0 where types are known by their names alone.
            max_trigger_length: Words of the longest trigger.
            dropout: Dropout before the span scorer.
        """
        super().__init__()
        self.encoder = encoder
        self.config = encoder.config
        hidden_size = encoder.config.hidden_size
        self.marks = nn.Embedding(len(TypeMark), hidden_size, padding_idx=TypeMark.NONE)
        nn.init.normal_(self.marks.weight, std=encoder.config.initializer_range)
        # Zero at first: what a type's name means comes first, and what its mentions have in common is learned.
        self.prototypes = nn.Embedding(types, hidden_size) if types else None
        if self.prototypes is not None:
            nn.init.zeros_(self.prototypes.weight)
        self.scorer = SpanScorer(hidden_size, max_span_length=max_trigger_length, dropout=dropout)
        # Hardly a span is a trigger: without it the first steps learn nothing but that.
        nn.init.constant_(self.scorer.null.bias, RARE_LOG_ODDS)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        marks: Tensor,
        word_starts: Tensor,
        word_ends: Tensor,
        sentences: Tensor,
        type_states: Tensor | None = None,
        type_tokens: Tensor | None = None,
        type_rows: Tensor | None = None,
        type_ids: Tensor | None = None,
        type_attention: Tensor | None = None,
        type_lengths: Tensor | None = None,
    ) -> SpanScores:
        """Score every span of every text of a batch for every type.

        Args:
            input_ids: Subword tokens, *shape* (texts, tokens).
            attention_mask: 1 for tokens, 0 for padding, *shape* (texts, tokens).
            marks: `TypeMark` of each subword token, *shape* (texts, tokens).
            word_starts: First subword token of each word, *shape* (texts, words).
            word_ends: Last subword token of each word, *shape* (texts, words).
            sentences: Sentence of each word, -1 for padding, *shape* (texts, words).
            type_states: What `read_types` returned, *shape* (types, hidden); or
            type_tokens: First and last subword token of each type's name beside the text, *shape* (types, 2); or
            type_rows: see `read_types`, as the three below.
            type_ids: Subword tokens of each type.
            type_attention: 1 for tokens.
            type_lengths: Subword tokens of each type's name.

        Returns:
            The scores; those of a span are compared with the empty one's of its type alone.
        """
        states = self._encoded(input_ids, attention_mask, marks)
        if type_tokens is not None:
            tokens = torch.arange(input_ids.shape[1], device=input_ids.device)
            in_type = (tokens >= type_tokens[:, :1]) & (tokens <= type_tokens[:, 1:])
            types = (in_type.to(states.dtype) / in_type.sum(-1, keepdim=True)) @ states
            types = self._with_prototypes(types, type_rows)
        else:
            if type_states is None:
                assert type_ids is not None
                assert type_attention is not None
                assert type_lengths is not None
                type_states = self.read_types(type_ids, type_attention, type_lengths, type_rows)
            # One row for all texts: what is computed of types is computed once.
            types = type_states[None]
        scores = self.scorer(types, rows_of(states, word_starts), rows_of(states, word_ends), sentences)
        return cast("SpanScores", scores)

    def read_types(
        self, type_ids: Tensor, type_attention: Tensor, type_lengths: Tensor, type_rows: Tensor | None = None
    ) -> Tensor:
        """Read types by themselves.

        Args:
            type_ids: Subword tokens of each type, its name first, *shape* (types, tokens).
            type_attention: 1 for tokens, 0 for padding, *shape* (types, tokens).
            type_lengths: Subword tokens of each type's name, *shape* (types,).
            type_rows: Rows of the learned vectors, *shape* (types,); None for types of another ontology.

        Returns:
            Their states, *shape* (types, hidden).
        """
        places = torch.arange(type_ids.shape[1], device=type_ids.device)
        in_name = (places >= 1) & (places <= type_lengths[:, None])
        states = self._encoded(type_ids, type_attention, in_name.long() * int(TypeMark.TYPE))
        means = (states * in_name[..., None]).sum(1) / in_name.sum(1, keepdim=True)
        return self._with_prototypes(means, type_rows)

    def _with_prototypes(self, types: Tensor, type_rows: Tensor | None) -> Tensor:
        if self.prototypes is None or type_rows is None:
            return types
        learned: Tensor = self.prototypes(type_rows)
        return types + learned

    def _encoded(self, input_ids: Tensor, attention_mask: Tensor, marks: Tensor) -> Tensor:
        embedded = self.encoder.get_input_embeddings()(input_ids)
        embedded = embedded + self.marks(marks).to(embedded.dtype)
        states: Tensor = self.encoder(inputs_embeds=embedded, attention_mask=attention_mask).last_hidden_state
        return states.to(self.marks.weight.dtype)
