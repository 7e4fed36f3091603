"""The training objectives of the joint extractor."""

from __future__ import annotations

import torch
from torch import Tensor

from eventune.extraction.model import SpanScores


def span_loss(scores: SpanScores, targets: Tensor, slots: Tensor) -> Tensor:
    """Cross-entropy over all spans and the empty role, mean over role slots.

    A role with n fillers spreads its target evenly over them: `-1/n Σ_g log p(g)`, so that each filler ends up as far
    above the empty role as a single one would; an empty role's target is the empty role.

    Args:
        scores: Scores of the batch.
        targets: One row for each gold span, (event, role, word, length - 1), *shape* (targets, 4).
        slots: True where there is a role, False for padding, *shape* (events, roles).

    Returns:
        The loss, a scalar.
    """
    events, roles, words, lengths = targets.unbind(1)
    fillers = torch.zeros_like(scores.null).index_put_(
        (events, roles), scores.null.new_ones(len(targets)), accumulate=True
    )
    gold = scores.spans[events, roles, words, lengths] / fillers[events, roles]
    gold_mean = torch.zeros_like(scores.null).index_put((events, roles), gold, accumulate=True)
    losses = _log_total(scores) - torch.where(fillers > 0, gold_mean, scores.null)
    return losses[slots].mean()


def teacher_loss(scores: SpanScores, taught: Tensor, probabilities: Tensor, slots: Tensor) -> Tensor:
    """Cross-entropy with what a teacher says, over all spans and the empty role, mean over role slots.

    What the teacher leaves of a role's probability is the empty role's.

    Args:
        scores: Scores of the batch.
        taught: One row for each span that the teacher speaks of, (event, role, word, length - 1), *shape* (spans, 4).
        probabilities: How probable the teacher holds it to be, in [0, 1], *shape* (spans,).
        slots: True where there is a role, False for padding, *shape* (events, roles).

    Returns:
        The loss, a scalar.
    """
    events, roles, words, lengths = taught.unbind(1)
    weighted = probabilities * scores.spans[events, roles, words, lengths]
    spans = torch.zeros_like(scores.null).index_put((events, roles), weighted, accumulate=True)
    filled = torch.zeros_like(scores.null).index_put((events, roles), probabilities, accumulate=True).clamp(max=1.0)
    losses = _log_total(scores) - spans - (1.0 - filled) * scores.null
    return losses[slots].mean()


def _log_total(scores: SpanScores) -> Tensor:
    """Return the logarithm of the sum over each role's spans and its empty role, *shape* (events, roles)."""
    return torch.logsumexp(torch.cat([scores.spans.flatten(2), scores.null[..., None]], dim=-1), dim=-1)
