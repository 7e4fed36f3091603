"""From span scores to arguments: candidates, margins, and how the margins are tuned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from eventune.events import Argument, Span
from eventune.extraction.model import SpanScores

CANDIDATES_A_ROLE = 12
"""How many spans of a role are looked at in a window: enough for several fillers and what overlaps them."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A span that may fill a role.

    Attributes:
        span: Token span in the document.
        log_odds: Its score minus the empty role's.
        probability: Its share of the role's probability, in [0, 1].
    """

    span: Span
    log_odds: float
    probability: float


@dataclass(frozen=True, slots=True)
class Margins:
    """What a candidate's log-odds must exceed.

    Attributes:
        first: For the best candidate of a role.
        further: For each further candidate of a role that may have several fillers; not below `first`.
    """

    first: float = 0.0
    further: float = 0.0


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


def ranked(candidates: Sequence[Candidate], multiplicity: int) -> list[Candidate]:
    """Merge the candidates of all windows and keep the best that do not overlap.

    Args:
        candidates: Candidates of one role from all windows of the document.
        multiplicity: How many fillers the role may have.

    Returns:
        At most `multiplicity` candidates, from best to worst.
    """
    chosen: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda c: (-c.log_odds, c.span)):
        if len(chosen) == multiplicity:
            break
        if not any(candidate.span.overlaps(other.span) for other in chosen):
            chosen.append(candidate)
    return chosen


def select(role: str, candidates: Sequence[Candidate], margins: Margins) -> list[Argument]:
    """Return the ranked candidates that exceed their margins as arguments of the role."""
    return [
        Argument(role, candidate.span, round(candidate.probability, 6))
        for rank, candidate in enumerate(candidates)
        if candidate.log_odds > (margins.further if rank else margins.first)
    ]


def tune_margins(
    ranked_roles: Sequence[Sequence[Candidate]], gold_roles: Sequence[Sequence[Span]], gold: int
) -> Margins:
    """Find the margins with the best F1.

    Candidates are ranked before the margins apply, so precision and recall for any pair of margins are sums of two
    cumulative counts, and all pairs are tried at once.

    Args:
        ranked_roles: The ranked candidates of each role of each event.
        gold_roles: The gold spans of the same roles.
        gold: All gold arguments, those out of reach included.

    Returns:
        The margins; where neighbouring values do equally well, the middle of them.
    """
    grid = np.linspace(-8.0, 8.0, 161).round(1)
    counts = np.zeros((2, 2, len(grid)))  # (first, further) x (predicted, matched) x margin
    for candidates, spans in zip(ranked_roles, gold_roles, strict=True):
        for rank, candidate in enumerate(candidates):
            accepted = candidate.log_odds > grid
            counts[min(rank, 1), 0] += accepted
            counts[min(rank, 1), 1] += accepted * (candidate.span in spans)
    predicted = counts[0, 0][:, None] + counts[1, 0][None]
    matched = counts[0, 1][:, None] + counts[1, 1][None]
    f1 = 2 * matched / np.maximum(predicted + gold, 1)
    f1[grid[None] < grid[:, None]] = -1.0
    first = _middle_of_best(f1.max(axis=1))
    further = _middle_of_best(f1[first])
    return Margins(float(grid[first]), float(grid[max(first, further)]))


def _middle_of_best(values: np.ndarray) -> int:
    """Return the middle of the longest run of the greatest value, ties to the first run."""
    best = np.flatnonzero(values >= values.max() - 1e-12)
    runs = np.split(best, np.flatnonzero(np.diff(best) > 1) + 1)
    run = max(runs, key=len)
    return int(run[len(run) // 2])
