"""Calibration against cases whose answer is known."""

import math
import random

import pytest

from eventune.generation.extracting.calibration import (
    Calibration,
    best_threshold,
    expected_calibration_error,
    fit,
)
from eventune.scoring import Tally


def test_confidence_that_is_too_low_is_raised_to_how_often_it_is_right() -> None:
    draw = random.Random(0)
    truth = [draw.random() for _ in range(4000)]
    correct = [draw.random() < p for p in truth]
    # Odds of the said are the cube root of the true ones, less 1.
    said = [1 / (1 + math.exp(-(math.log(p / (1 - p)) / 3 - 1))) for p in truth]
    calibration = fit(said, correct)
    assert calibration.slope == pytest.approx(3, rel=0.1)
    assert calibration.intercept == pytest.approx(3, rel=0.15)
    calibrated = [calibration(p) for p in said]
    before, after = (expected_calibration_error(values, correct) for values in (said, calibrated))
    assert before > 0.1
    assert after < 0.03


def test_what_has_no_second_case_is_left_as_it_is() -> None:
    assert fit([0.2, 0.9], [True, True]) == Calibration()
    assert fit([], []) == Calibration()
    assert Calibration()(0.3) == pytest.approx(0.3)


def test_the_error_is_the_mean_distance_of_the_bins() -> None:
    # Two bins: 0.05 said, half right; 0.95 said, all right.
    assert expected_calibration_error([0.05, 0.05, 0.95, 0.95], [True, False, True, True]) == pytest.approx(0.25)
    assert expected_calibration_error([], []) == 0.0


def test_the_threshold_gives_the_best_f1() -> None:
    probabilities, correct = [0.9, 0.8, 0.7, 0.2, 0.1], [True, True, False, False, False]

    def threshold(probabilities: list[float], correct: list[bool], gold: int) -> float:
        added = [(0.0, 1.0, float(is_right)) for is_right in correct]
        return best_threshold(probabilities, added, nothing=(gold, 0, 0), f1=lambda parts: Tally.metrics_of(parts)[2])

    assert threshold(probabilities, correct, 3) == pytest.approx(0.75)
    assert threshold(probabilities, [True] * 5, 5) == 0.0
    assert threshold([], [], 5) == 0.0


def test_what_is_more_probable_never_becomes_less_so() -> None:
    for probabilities, correct in (([0.3, 0.6], [True, False]), ([0.1, 0.2, 0.8, 0.9], [True, True, False, False])):
        calibration = fit(probabilities, correct)
        assert calibration(0.9) > calibration(0.1)
