"""How probable it is that a candidate is right, learned on a dev part, and from which probability on it is kept.

A threshold that is tuned for F1 on a few dozen documents follows their chance. A logistic regression over all
candidates uses each of them; what each role adds to it is shrunk towards nothing where the role has few. Where
probabilities are right, the threshold with the best expected F1 needs no search on counts (Lipton, Elkan and
Naryanaswamy 2014, "Optimal thresholding of classifiers to maximize F1 measure").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from eventune.events import Document, Ontology
from eventune.extraction.decoding import Calibration, EventCandidates, signals_of
from eventune.scoring.gains import ArgumentGains

PENALTY = 10.0
"""Weight of the squared coefficients, the intercept's excepted, beside the sum of all candidates' losses; also of the
squares of what each role adds."""
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
    of_roles: list[str] = []
    for (document, event), candidates in found.items():
        event_type = ontology[documents[document].events[event].type]
        for role, of_role in zip(event_type.roles, candidates, strict=True):
            signals += signals_of(of_role)
            of_roles += [role.name] * len(of_role)
            right += gains.matches(document, event, [candidate.argument(role.name) for candidate in of_role])
    return fitted(np.array(signals), np.array(right), of_roles, gold=gains.gold)


def fitted(signals: np.ndarray, right: np.ndarray, roles: Sequence[str], *, gold: float) -> Calibration:
    """Fit a calibration.

    Args:
        signals: What `signals_of` says of each candidate, *shape* (candidates, signals).
        right: 1 for those that are right, *shape* (candidates,); what counts in part lies between.
        roles: The name of each candidate's role.
        gold: How much there is to be found.

    Returns:
        The calibration, in the digits that a run keeps.
    """
    if not len(right):
        return Calibration()
    inputs = np.column_stack([np.ones(len(signals)), signals])
    intercept, *weights = _rounded(learned := _logistic_regression(inputs, right))
    names, of_role = np.unique(roles, return_inverse=True)
    added = _rounded(_added_by_role(inputs @ learned, right, of_role, len(names)))
    calibration = Calibration(intercept, tuple(weights), roles=dict(zip(names.tolist(), added, strict=True)))
    probabilities = np.sort(list(map(calibration.probability_of, signals, roles)))[::-1]
    matched, predicted = np.cumsum(probabilities), np.arange(1, len(probabilities) + 1)
    best = int((2 * matched / (predicted + gold)).argmax())
    below = probabilities[best + 1] if best + 1 < len(probabilities) else 0.0
    return replace(calibration, threshold=round(float(probabilities[best] + below) / 2, 6))


def _rounded(values: np.ndarray) -> list[float]:
    """Return numbers in the digits that a run keeps."""
    return [round(value, 6) for value in values.tolist()]


def _logistic_regression(inputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Minimise the penalised loss by Newton's method, with steps halved where it would rise."""
    penalties = np.full(inputs.shape[1], PENALTY)
    penalties[0] = 1e-6

    def loss(weights: np.ndarray) -> Any:
        scores = inputs @ weights
        return (np.logaddexp(0, scores) - targets * scores).sum() + 0.5 * (penalties * weights**2).sum()

    weights = np.zeros(inputs.shape[1])
    for _ in range(_STEPS):
        probabilities = _probabilities(inputs @ weights)
        gradient = inputs.T @ (probabilities - targets) + penalties * weights
        curvature = (inputs.T * (probabilities * (1 - probabilities))) @ inputs + np.diag(penalties)
        step, size = np.linalg.solve(curvature, gradient), 1.0
        while loss(weights - size * step) > loss(weights) and size > 1e-6:
            size /= 2
        weights = weights - size * step
        if np.abs(size * step).max() < 1e-8:
            break
    return weights


def _added_by_role(scores: np.ndarray, right: np.ndarray, of_role: np.ndarray, roles: int) -> np.ndarray:
    """Return what each role adds to its candidates' log-odds, by Newton's method with bounded steps."""
    added = np.zeros(roles)
    for _ in range(_STEPS):
        probabilities = _probabilities(scores + added[of_role])
        gradient = np.bincount(of_role, probabilities - right, roles) + PENALTY * added
        curvature = np.bincount(of_role, probabilities * (1 - probabilities), roles) + PENALTY
        step = np.clip(gradient / curvature, -1, 1)
        added -= step
        if np.abs(step).max() < 1e-8:
            break
    return added


def _probabilities(log_odds: np.ndarray) -> np.ndarray:
    probabilities: np.ndarray = 1 / (1 + np.exp(-np.clip(log_odds, -500, 500)))
    return probabilities
