"""From ranked spans to triggers: candidates, margins, and how the margins are tuned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from eventune.events import Event, Span

MARGINS = np.round(np.arange(-6.0, 6.01, 0.1), 6) + 0.0  # no -0.0 in files
"""The margins that are tried on the dev part."""
SMOOTHING_STEPS = 5
"""Neighbours that F1 is averaged over, to both sides: half a unit of log-odds."""
NEVER = 1e3
"""A margin that nothing exceeds."""


@dataclass(frozen=True, slots=True)
class TriggerMargins:
    """When a candidate becomes a trigger.

    Attributes:
        alone: What the log-odds of a candidate must exceed that overlaps no better one.
        overlapping: What they must exceed where it overlaps a better one: a span of two types, or a trigger in another.
    """

    alone: float = 0.0
    overlapping: float = 2.0


@dataclass(frozen=True, slots=True)
class TriggerCandidate:
    """A span that may be a trigger.

    Attributes:
        span: Token span in the document.
        type: Index of the event type.
        log_odds: Its score minus the empty one's of its type.
        overlapping: Whether it overlaps a better candidate.
    """

    span: Span
    type: int
    log_odds: float
    overlapping: bool = False

    @property
    def probability(self) -> float:
        """Its probability, in [0, 1]."""
        return 1.0 / (1.0 + float(np.exp(-self.log_odds)))

    def exceeds(self, margins: TriggerMargins) -> bool:
        """Tell whether it is a trigger."""
        return self.log_odds > (margins.overlapping if self.overlapping else margins.alone)


def ranked(candidates: Iterable[TriggerCandidate]) -> list[TriggerCandidate]:
    """Merge the candidates of all windows of a document, from best to worst.

    Args:
        candidates: The candidates; of one that two windows found, the better score counts.

    Returns:
        The candidates, each of which says whether it overlaps a better one that does not itself.
    """
    best_first = sorted(candidates, key=lambda c: (-c.log_odds, c.span, c.type))
    seen: set[tuple[Span, int]] = set()
    # Long documents have thousands of candidates: comparing each with all better ones takes seconds.
    covered = bytearray(max((candidate.span.end for candidate in best_first), default=0))
    result = []
    for candidate in best_first:
        span = candidate.span
        if (span, candidate.type) in seen:
            continue
        seen.add((span, candidate.type))
        overlapping = any(covered[span.start : span.end])
        if not overlapping:
            covered[span.start : span.end] = b"\1" * len(span)
        result.append(TriggerCandidate(span, candidate.type, candidate.log_odds, overlapping))
    return result


def select(candidates: Sequence[TriggerCandidate], margins: TriggerMargins, types: Sequence[str]) -> list[Event]:
    """Return the candidates that exceed their margins as events, in the order of the text."""
    chosen = sorted(
        (candidate for candidate in candidates if candidate.exceeds(margins)), key=lambda c: (c.span, -c.log_odds)
    )
    return [Event(types[c.type], c.span, attributes={"score": round(c.probability, 6)}) for c in chosen]


def tune_margins(
    documents: Sequence[Sequence[TriggerCandidate]], gold: Sequence[set[tuple[Span, int]]], total: int
) -> TriggerMargins:
    """Find the margins with the best F1.

    What a margin predicts and matches is a sum of counts for candidates of either kind, so all pairs are tried at once.

    Args:
        documents: The ranked candidates of each document.
        gold: The gold triggers of the same documents, with the indices of their types.
        total: All gold triggers, those out of reach included.

    Returns:
        The margins with the best F1, averaged over their neighbourhood.
    """
    predicted, matched = np.zeros((2, len(MARGINS))), np.zeros((2, len(MARGINS)))
    for candidates, triggers in zip(documents, gold, strict=True):
        for candidate in candidates:
            accepted = candidate.log_odds > MARGINS
            predicted[int(candidate.overlapping)] += accepted
            matched[int(candidate.overlapping)] += accepted * ((candidate.span, candidate.type) in triggers)
    if not matched[1].any():
        # Nothing on the dev part is to be gained by overlaps.
        f1 = _smoothed(2 * matched[0] / np.maximum(predicted[0] + total, 1))
        return TriggerMargins(float(MARGINS[int(f1.argmax())]), NEVER)
    both = 2 * (matched[0][:, None] + matched[1]) / np.maximum(predicted[0][:, None] + predicted[1] + total, 1)
    f1 = np.apply_along_axis(_smoothed, 1, np.apply_along_axis(_smoothed, 0, both))
    alone, overlapping = np.unravel_index(int(f1.argmax()), f1.shape)
    return TriggerMargins(float(MARGINS[alone]), float(MARGINS[overlapping]))


def _smoothed(values: np.ndarray) -> np.ndarray:
    padded = np.pad(values, SMOOTHING_STEPS, mode="edge")
    window = 2 * SMOOTHING_STEPS + 1
    smoothed: np.ndarray = np.lib.stride_tricks.sliding_window_view(padded, window).mean(axis=-1)
    return smoothed
