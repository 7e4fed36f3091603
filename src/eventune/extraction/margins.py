"""How the margins of decoding are tuned."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eventune.events import Span
from eventune.extraction.decoding import Candidate, Margins

FIRST_MARGINS = np.round(np.arange(-8.0, 8.01, 0.1), 6) + 0.0  # no -0.0 in files
FURTHER_MARGINS = np.round(np.arange(-4.0, 0.01, 0.1), 6) + 0.0
"""The margins that are tried on the dev part."""

SMOOTHING_STEPS = (10, 3)
"""Neighbours that F1 is averaged over, to both sides: one unit of log-odds for the first margin, less for the further
one, whose right value lies within a narrow range."""


def tune_margins(
    candidate_roles: Sequence[Sequence[Candidate]], gold_roles: Sequence[Sequence[Span]], gold: int
) -> Margins:
    """Find the margins with the best F1.

    Margins choose among candidates whose order is known, so what any pair predicts and matches is a sum of counts,
    and all pairs are tried at once.

    Args:
        candidate_roles: The candidates of each role of each event, best first.
        gold_roles: The gold spans of the same roles.
        gold: All gold arguments, those out of reach included.

    Returns:
        The margins with the best F1, averaged over their neighbourhood; the middle of several that do equally well.
    """
    predicted = np.zeros((len(FIRST_MARGINS), len(FURTHER_MARGINS)))
    matched = np.zeros_like(predicted)
    for candidates, spans in zip(candidate_roles, gold_roles, strict=True):
        for place, candidate in enumerate(candidates):
            accepted = np.outer(
                candidates[0].log_odds > FIRST_MARGINS,
                place == 0 or candidate.log_odds - candidates[0].log_odds > FURTHER_MARGINS,
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
