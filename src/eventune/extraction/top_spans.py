"""The best spans of a batch of scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from eventune.events import Span
from eventune.extraction.decoding import CANDIDATES_A_ROLE, Candidate
from eventune.extraction.model import SpanScores


@torch.no_grad()
def best_spans(
    scores: SpanScores, first_words: Sequence[int], role_counts: Sequence[int]
) -> list[list[list[Candidate]]]:
    """Pick each role's best spans.

    Args:
        scores: Scores of a batch.
        first_words: Index of each window's first word in its document.
        role_counts: Number of roles of each event.

    Returns:
        For each event and role, its candidates from best to worst.
    """
    flat = scores.spans.flatten(2)
    count = min(CANDIDATES_A_ROLE, flat.shape[-1])
    values, indices = flat.topk(count, dim=-1)
    total = torch.logsumexp(torch.cat([flat, scores.null[..., None]], dim=-1), dim=-1, keepdim=True)
    log_odds = (values - scores.null[..., None]).tolist()
    probabilities = (values - total).exp().tolist()
    lengths = scores.spans.shape[-1]
    positions = indices.tolist()
    return [
        [
            [
                Candidate(
                    Span(first + position // lengths, first + position // lengths + position % lengths + 1), odds, p
                )
                for position, odds, p in zip(
                    positions[row][role], log_odds[row][role], probabilities[row][role], strict=True
                )
                if odds > -np.inf
            ]
            for role in range(roles)
        ]
        for row, (first, roles) in enumerate(zip(first_words, role_counts, strict=True))
    ]
