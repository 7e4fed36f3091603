"""From span scores to arguments: candidates, margins, and how the margins are tuned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from eventune.events import Argument, Span
from eventune.extraction.model import SpanScores

CANDIDATES_A_ROLE = 12
"""How many spans of a role are looked at in a window: enough for several fillers and what overlaps them."""

FIRST_MARGINS = np.round(np.arange(-8.0, 8.01, 0.1), 6) + 0.0  # no -0.0 in files
FURTHER_MARGINS = np.round(np.arange(-4.0, 0.01, 0.1), 6) + 0.0
"""The margins that are tried on the dev part."""

SMOOTHING_STEPS = (10, 3)
"""Neighbours that F1 is averaged over, to both sides: one unit of log-odds for the first margin, less for the further
one, whose right value lies within a narrow range."""


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


@dataclass(frozen=True)
class Margins:
    """When a candidate becomes an argument.

    Attributes:
        first: What the log-odds of a role's best candidate against the empty role must exceed.
        further: What a further candidate's log-odds against the best one must exceed, at most 0. The loss spreads a
            role's probability evenly over its fillers, so true ones lie close together whatever the empty role's score.
    """

    first: float = 0.0
    further: float = -1.0

    # Read from a run's settings: a misspelt margin must not leave the default in its place.
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}


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


def non_maximum_suppression(candidates: Sequence[Candidate], multiplicity: int) -> list[Candidate]:
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
    """Return the ranked candidates of a role that exceed their margins as its arguments."""
    if not candidates or candidates[0].log_odds <= margins.first:
        return []
    best = candidates[0].log_odds
    return [
        Argument(role, candidate.span, round(candidate.probability, 6))
        for rank, candidate in enumerate(candidates)
        if rank == 0 or candidate.log_odds - best > margins.further
    ]


def tune_margins(
    ranked_roles: Sequence[Sequence[Candidate]], gold_roles: Sequence[Sequence[Span]], gold: int
) -> Margins:
    """Find the margins with the best F1.

    Candidates are ranked before the margins apply, so what any pair of margins predicts and matches is a sum of counts,
    and all pairs are tried at once.

    Args:
        ranked_roles: The ranked candidates of each role of each event.
        gold_roles: The gold spans of the same roles.
        gold: All gold arguments, those out of reach included.

    Returns:
        The margins with the best F1, averaged over their neighbourhood; the middle of several that do equally well.
    """
    predicted = np.zeros((len(FIRST_MARGINS), len(FURTHER_MARGINS)))
    matched = np.zeros_like(predicted)
    for candidates, spans in zip(ranked_roles, gold_roles, strict=True):
        for rank, candidate in enumerate(candidates):
            accepted = np.outer(
                candidates[0].log_odds > FIRST_MARGINS,
                rank == 0 or candidate.log_odds - candidates[0].log_odds > FURTHER_MARGINS,
            )
            predicted += accepted
            matched += accepted * (candidate.span in spans)
    # A dev part of a hundred documents makes a jagged curve; its neighbours say more of a margin than the margin alone.
    f1 = _smoothed(2 * matched / np.maximum(predicted + gold, 1), SMOOTHING_STEPS)
    first = _middle_of_best(f1.max(axis=1))
    further = _middle_of_best(f1[first])
    return Margins(float(FIRST_MARGINS[first]), float(FURTHER_MARGINS[further]))


def _smoothed(values: np.ndarray, steps: tuple[int, int]) -> np.ndarray:
    """Average each value with its neighbours, `steps` of them to both sides of each axis, the border repeated."""
    padded = np.pad(values, [(step, step) for step in steps], mode="edge")
    window = (2 * steps[0] + 1, 2 * steps[1] + 1)
    smoothed: np.ndarray = np.lib.stride_tricks.sliding_window_view(padded, window).mean(axis=(-2, -1))
    return smoothed


def _middle_of_best(values: np.ndarray) -> int:
    """Return the middle of the longest run of the greatest value, ties to the first run."""
    best = np.flatnonzero(values >= values.max() - 1e-12)
    runs = np.split(best, np.flatnonzero(np.diff(best) > 1) + 1)
    run = max(runs, key=len)
    return int(run[len(run) // 2])
