"""The training objective of the trigger detector."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from eventune.extraction.model import SpanScores


def trigger_loss(scores: SpanScores, targets: Tensor, known: Tensor) -> Tensor:
    """Binary cross-entropy of every span for every type, summed over both, mean over texts.

    Each span is judged for each type by itself, so that it may be a trigger of several types, and lie in another. The
    sum keeps the few triggers' share of the loss as it is, however long the text: a mean would drown them.

    Args:
        scores: Scores of the batch.
        targets: One row for each gold trigger, (text, type, word, length - 1), *shape* (triggers, 4).
        known: Whether the annotation says what a word is, *shape* (texts, words); a span whose first and last word are
            both unknown does not count.

    Returns:
        The loss, a scalar.
    """
    log_odds = scores.log_odds()
    words, lengths = log_odds.shape[2:]
    first = torch.arange(words, device=known.device)[:, None]
    last = (first + torch.arange(lengths, device=known.device)).clamp(max=words - 1)
    counts = torch.isfinite(log_odds) & (known[:, :, None] | known[:, last])[:, None]
    gold = torch.zeros_like(log_odds)
    gold[targets.unbind(1)] = 1.0
    losses = nn.functional.binary_cross_entropy_with_logits(
        log_odds.masked_fill(~counts, 0.0), gold, weight=counts.to(log_odds.dtype), reduction="sum"
    )
    return losses / len(log_odds)
