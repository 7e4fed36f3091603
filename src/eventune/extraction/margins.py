"""How the margins of decoding are tuned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from eventune.events import Document, Ontology
from eventune.extraction.decoding import Candidate, EventCandidates, Margins, select
from eventune.scoring.gains import ArgumentGains, Parts

FIRST_MARGINS = np.round(np.arange(-8.0, 8.01, 0.1), 6) + 0.0  # no -0.0 in files
FURTHER_MARGINS = np.round(np.arange(-4.0, 0.01, 0.1), 6) + 0.0
"""The margins that are tried on the dev part."""

SMOOTHING_STEPS = (10, 3)
"""Neighbours that F1 is averaged over, to both sides: one unit of log-odds for the first margin, less for the further
one, whose right value lies within a narrow range."""


def tune_margins(found: EventCandidates, documents: Sequence[Document], ontology: Ontology, *, scorer: str) -> Margins:
    """Find the margins with the best F1 by a scorer.

    Args:
        found: The candidates of each role of each event.
        documents: The annotated documents.
        ontology: The ontology that the candidates were found for.
        scorer: Name of the definition, one of `scoring.SCORERS`.

    Returns:
        The margins, as `best_margins` chooses them.
    """
    gains = ArgumentGains(scorer, documents)
    roles, added = [], []
    for (document, event), candidates in found.items():
        event_type = ontology[documents[document].events[event].type]
        for role, of_role in zip(event_type.roles, candidates, strict=True):
            # What no margin takes would be counted in vain.
            taken = select(role.name, of_role, Margins(float(FIRST_MARGINS[0]), float(FURTHER_MARGINS[0])))
            roles.append(of_role[: len(taken)])
            added.append(gains.of(document, event, taken))
    return best_margins(roles, added, nothing=gains.nothing, f1=gains.f1)


def best_margins(
    roles: Sequence[Sequence[Candidate]],
    added: Sequence[Sequence[Parts]],
    *,
    nothing: Parts,
    f1: Callable[[Sequence[Any]], Any],
) -> Margins:
    """Find the margins with the best F1.

    Margins choose among candidates whose order is known, so what any pair of margins gives is a sum, and all pairs are
    tried at once.

    Args:
        roles: The candidates of each role of each event, best first.
        added: What each candidate adds to the parts of the tally when those before it are taken.
        nothing: The parts without any.
        f1: Makes F1 of arrays of parts.

    Returns:
        The margins with the best F1, averaged over their neighbourhood; the middle of several that do equally well.
    """
    parts = [np.full((len(FIRST_MARGINS), len(FURTHER_MARGINS)), value, dtype=np.float64) for value in nothing]
    for candidates, more in zip(roles, added, strict=True):
        for place, (candidate, own) in enumerate(zip(candidates, more, strict=True)):
            accepted = np.outer(
                candidates[0].log_odds > FIRST_MARGINS,
                place == 0 or candidate.log_odds - candidates[0].log_odds > FURTHER_MARGINS,
            )
            for part, gain in zip(parts, own, strict=True):
                if gain:
                    part += gain * accepted
    # A dev part of a hundred documents makes a jagged curve; its neighbours say more of a margin than the margin alone.
    smoothed = _smoothed(f1(parts), SMOOTHING_STEPS)
    first = _middle_of_best(smoothed.max(axis=1))
    further = _middle_of_best(smoothed[first])
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
