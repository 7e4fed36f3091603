"""From a model's probabilities to how often it is right, and the threshold that suits best."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_LEAST = 1e-6
_STEPS = 50
_PRIOR = 2.0
"""How strongly the map is held to the identity: as a few arguments would, which matters where there are few."""
_LEAST_SLOPE = 0.05
"""What is more probable must not become less so."""
_FOLDS = 5
_EQUAL = 1e-12


@dataclass(frozen=True, slots=True)
class Calibration:
    """A map of probabilities, and the least that an argument must have.

    Platt's: the log-odds times `slope`, plus `intercept` (Platt 1999; as in Guo et al., arXiv:1706.04599, section 4.2).

    Attributes:
        slope: Above 1 for a model that is too cautious.
        intercept: Above 0 for one that is right more often than it says.
        threshold: Least calibrated probability of an argument that is kept.
    """

    slope: float = 1.0
    intercept: float = 0.0
    threshold: float = 0.0

    def __call__(self, probability: float) -> float:
        """Return the calibrated probability."""
        odds = self.slope * _log_odds(probability) + self.intercept
        return 1.0 / (1.0 + math.exp(-max(min(odds, 50.0), -50.0)))


def fit(probabilities: Sequence[float], correct: Sequence[bool]) -> Calibration:
    """Fit the map to arguments whose truth is known, by Newton's method on the log-likelihood.

    Args:
        probabilities: What the model gave.
        correct: Whether it was right.

    Returns:
        The map without a threshold; the identity where all or none are right.
    """
    if len(set(correct)) < 2:
        return Calibration()
    # Platt's smoothed targets keep few arguments from being trusted beyond their number.
    right = sum(correct)
    high, low = (right + 1) / (right + 2), 1 / (len(correct) - right + 2)
    target = np.where(np.array(correct), high, low)
    inputs = np.stack([np.array([_log_odds(p) for p in probabilities]), np.ones(len(correct))])
    weights = np.array([1.0, 0.0])
    for _ in range(_STEPS):
        found = 1.0 / (1.0 + np.exp(-np.clip(weights @ inputs, -50, 50)))
        gradient = inputs @ (found - target) + _PRIOR * (weights - [1.0, 0.0])
        curvature = (inputs * (found * (1 - found))) @ inputs.T + _PRIOR * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        weights = weights - np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-9:
            break
    return Calibration(max(float(weights[0]), _LEAST_SLOPE), float(weights[1]))


def cross_fitted(probabilities: Sequence[float], correct: Sequence[bool]) -> list[float]:
    """Return each argument's calibrated probability by a map that was fitted to others.

    Args:
        probabilities: What the model gave.
        correct: Whether it was right.
    """
    pairs = list(zip(probabilities, correct, strict=True))
    maps = [fit(*_unzipped([p for n, p in enumerate(pairs) if n % _FOLDS != fold])) for fold in range(_FOLDS)]
    return [maps[number % _FOLDS](probability) for number, (probability, _) in enumerate(pairs)]


def _unzipped(pairs: Sequence[tuple[float, bool]]) -> tuple[list[float], list[bool]]:
    return [probability for probability, _ in pairs], [is_right for _, is_right in pairs]


def best_threshold(
    probabilities: Sequence[float],
    added: Sequence[Sequence[float]],
    *,
    nothing: Sequence[float],
    f1: Callable[[Sequence[Any]], Any],
) -> float:
    """Return the threshold with the best F1.

    Args:
        probabilities: Calibrated probabilities of all arguments found.
        added: What each argument adds to the parts of the scorer's tally when all more probable ones are there.
        nothing: The parts without any argument.
        f1: Makes F1 of parts.

    Returns:
        A value half way between two probabilities; 0 where all are best kept.
    """
    order = sorted(zip(probabilities, added, strict=True), key=lambda pair: -pair[0])
    best, threshold, parts = 0.0, 0.0, list(nothing)
    for count, (probability, gains) in enumerate(order, 1):
        parts = [part + gain for part, gain in zip(parts, gains, strict=True)]
        following = order[count][0] if count < len(order) else 0.0
        reached = f1(parts)
        # Equal fractions may differ in their last bits.
        if reached > best + _EQUAL and following < probability:
            best, threshold = reached, (probability + following) / 2 if count < len(order) else 0.0
    return threshold


def expected_calibration_error(probabilities: Sequence[float], correct: Sequence[bool], *, bins: int = 10) -> float:
    """Return how far probabilities are from the share that is right, over bins of like probability.

    ECE as in Guo et al., arXiv:1706.04599, equation 5, with bins of equal width.

    Args:
        probabilities: The probabilities.
        correct: Whether the arguments are right.
        bins: Number of bins.

    Returns:
        A fraction; 0 where there are none.
    """
    if not probabilities:
        return 0.0
    places = np.minimum((np.array(probabilities) * bins).astype(int), bins - 1)
    right, said = np.array(correct, float), np.array(probabilities)
    gaps = [abs(right[places == place].sum() - said[places == place].sum()) for place in range(bins)]
    return float(sum(gaps) / len(probabilities))


def _log_odds(probability: float) -> float:
    kept = min(max(probability, _LEAST), 1 - _LEAST)
    return math.log(kept / (1 - kept))
