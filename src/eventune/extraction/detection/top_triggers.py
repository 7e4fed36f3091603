"""The best spans of a batch of scores."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from eventune.events import Span
from eventune.extraction.detection.decoding import MARGINS, TriggerCandidate
from eventune.extraction.model import SpanScores


@torch.no_grad()
def best_triggers(scores: SpanScores, first_words: Sequence[int]) -> list[list[TriggerCandidate]]:
    """Pick the spans of each text that some margin could accept.

    Args:
        scores: Scores of a batch.
        first_words: Index of each window's first word in its document.

    Returns:
        The candidates of each window, as many as it has words at the most.
    """
    log_odds = scores.log_odds()
    texts, _, words, lengths = log_odds.shape
    values, places = log_odds.reshape(texts, -1).topk(min(words, log_odds[0].numel()), dim=-1)
    found = []
    for first, row, indices in zip(first_words, values.tolist(), places.tolist(), strict=True):
        candidates = []
        for value, place in zip(row, indices, strict=True):
            if value <= MARGINS[0]:
                break
            kind, rest = divmod(place, words * lengths)
            word, more = divmod(rest, lengths)
            candidates.append(TriggerCandidate(Span(first + word, first + word + more + 1), kind, value))
        found.append(candidates)
    return found
