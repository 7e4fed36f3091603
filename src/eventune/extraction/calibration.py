"""How probable it is that a candidate is right, learned on a dev part, and from which probability on it is kept.

A threshold that is tuned for F1 on a few dozen documents follows their chance. A logistic regression over all
candidates uses each of them, and where probabilities are right the threshold with the best expected F1 needs no search
on counts (Lipton, Elkan and Naryanaswamy 2014, "Optimal thresholding of classifiers to maximize F1 measure").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from eventune.events import Document, Ontology
from eventune.extraction.decoding import Calibration, EventCandidates, signals_of
from eventune.scoring.gains import ArgumentGains

PENALTY = 10.0
"""Weight of the squared coefficients, the intercept's excepted, beside the sum of all candidates' losses."""
_STEPS = 100


def calibrate(found: EventCandidates, documents: Sequence[Document], ontology: Ontology, *, scorer: str) -> Calibration:
    """Learn on annotated documents how probable it is that a candidate is right, and choose the threshold.

    Args:
        found: The candidates of each role of each event.
        documents: The annotated documents.
        ontology: The ontology that the candidates were found for.
        scorer: Name of the definition that says what is right, one of `scoring.SCORERS`.

    Returns:
        The calibration; where there is no candidate, one that keeps none.
    """
    gains = ArgumentGains(scorer, documents)
    signals: list[Sequence[float]] = []
    right: list[float] = []
    for (document, event), candidates in found.items():
        event_type = ontology[documents[document].events[event].type]
        for role, of_role in zip(event_type.roles, candidates, strict=True):
            signals += signals_of(of_role)
            right += gains.matches(document, event, [candidate.argument(role.name) for candidate in of_role])
    return fitted(np.array(signals), np.array(right), gold=gains.gold)


def fitted(signals: np.ndarray, right: np.ndarray, *, gold: float) -> Calibration:
    """Fit a calibration.

    Args:
        signals: What `signals_of` says of each candidate, *shape* (candidates, signals).
        right: 1 for those that are right, *shape* (candidates,); what counts in part lies between.
        gold: How much there is to be found.

    Returns:
        The calibration, in the digits that a run keeps.
    """
    if not len(right):
        return Calibration()
    weights = _logistic_regression(np.column_stack([np.ones(len(signals)), signals]), right)
    learned = Calibration(round(float(weights[0]), 6), tuple(round(float(weight), 6) for weight in weights[1:]))
    probabilities = np.sort([learned.probability_of(signal) for signal in signals])[::-1]
    matched, predicted = np.cumsum(probabilities), np.arange(1, len(probabilities) + 1)
    best = int((2 * matched / (predicted + gold)).argmax())
    below = probabilities[best + 1] if best + 1 < len(probabilities) else 0.0
    return Calibration(learned.intercept, learned.weights, round(float(probabilities[best] + below) / 2, 6))


def _logistic_regression(inputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Minimise the penalised loss by Newton's method, with steps halved where it would rise."""
    penalties = np.full(inputs.shape[1], PENALTY)
    penalties[0] = 1e-6

    def loss(weights: np.ndarray) -> Any:
        scores = inputs @ weights
        return (np.logaddexp(0, scores) - targets * scores).sum() + 0.5 * (penalties * weights**2).sum()

    weights = np.zeros(inputs.shape[1])
    for _ in range(_STEPS):
        probabilities = 1 / (1 + np.exp(-np.clip(inputs @ weights, -500, 500)))
        gradient = inputs.T @ (probabilities - targets) + penalties * weights
        curvature = (inputs.T * (probabilities * (1 - probabilities))) @ inputs + np.diag(penalties)
        step, size = np.linalg.solve(curvature, gradient), 1.0
        while loss(weights - size * step) > loss(weights) and size > 1e-6:
            size /= 2
        weights = weights - size * step
        if np.abs(size * step).max() < 1e-8:
            break
    return weights
