"""How sure a figure is: bootstrap intervals, and two systems on the same documents.

The bootstrap draws documents with replacement (Efron and Tibshirani 1993; for such scores: Berg-Kirkpatrick et al.
2012, "An Empirical Investigation of Statistical Significance in NLP"). The test is paired approximate randomisation
(Noreen 1989; Yeh 2000): under the hypothesis that both systems are alike, swapping them on a document changes nothing.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from eventune.errors import InvalidValueError
from eventune.scoring.measures import Summable

_CELLS = 4_000_000
"""So many draws are held at once."""

Floats = NDArray[np.float64]
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Interval:
    """Percentile intervals of a measure, as fractions.

    Attributes:
        precision: Lower and upper end for precision.
        recall: The same for recall.
        f1: The same for F1.
        level: How much of the resamples lies inside.
        resamples: How many there were.
    """

    precision: tuple[float, float]
    recall: tuple[float, float]
    f1: tuple[float, float]
    level: float
    resamples: int

    def to_dict(self) -> dict[str, Any]:
        """Return the intervals by their names."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Difference:
    """The difference of two systems' F1 on the same documents, first minus second.

    Attributes:
        difference: The difference, a fraction.
        interval: Its percentile interval under the bootstrap.
        p_value: How often swapped systems differ at least as much (two-sided).
        resamples: How many resamples and swaps there were.
    """

    difference: float
    interval: tuple[float, float]
    p_value: float
    resamples: int

    def to_dict(self) -> dict[str, Any]:
        """Return the figures by their names."""
        return asdict(self)


def bootstrap(tallies: Sequence[Summable], *, resamples: int = 1000, seed: int = 0, level: float = 0.95) -> Interval:
    """Return percentile intervals of a measure over documents drawn with replacement.

    Args:
        tallies: What each document added to the measure.
        resamples: How often all documents are drawn.
        seed: Seed of the draws.
        level: How much of the resamples lies inside the interval.

    Returns:
        The intervals; without documents they are 0 to 0.

    Raises:
        InvalidValueError: If `resamples` is below one or `level` not between 0 and 1.
    """
    return bootstraps({"": tallies}, resamples=resamples, seed=seed, level=level)[""]


def bootstraps(
    measures: Mapping[Key, Sequence[Summable]], *, resamples: int = 1000, seed: int = 0, level: float = 0.95
) -> dict[Key, Interval]:
    """Return the intervals of several measures; those of as many documents share the draws, which take the most time.

    Args:
        measures: What each document added to each measure.
        resamples: See `bootstrap`.
        seed: See `bootstrap`.
        level: See `bootstrap`.

    Returns:
        What `bootstrap` gives for each.

    Raises:
        InvalidValueError: As `bootstrap` does.
    """
    _check(resamples, level)
    parts = {key: _parts(tallies) for key, tallies in measures.items()}
    sums: dict[Key, list[Floats]] = {key: [] for key in measures}
    for documents in sorted({len(tallies) for tallies in measures.values() if tallies}):
        alike = [key for key, tallies in measures.items() if len(tallies) == documents]
        for draws in _draws(documents, resamples, seed):
            for key in alike:
                sums[key].append(draws @ parts[key])
    return {key: _interval(tallies, sums[key], level, resamples) for key, tallies in measures.items()}


def _interval(tallies: Sequence[Summable], sums: Sequence[Floats], level: float, resamples: int) -> Interval:
    """Return the interval of a measure from its sums in the resamples."""
    if not tallies:
        return Interval((0.0, 0.0), (0.0, 0.0), (0.0, 0.0), level, resamples)
    whole = list(np.concatenate(sums).T)
    precision, recall, f1 = (_ends(values, level) for values in tallies[0].metrics_of(whole))
    return Interval(precision, recall, f1, level, resamples)


def paired(
    first: Sequence[Summable],
    second: Sequence[Summable],
    *,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Difference:
    """Compare the F1 of two systems on the same documents.

    Args:
        first: What each document added to the measure with the first system.
        second: The same with the second, in the same order.
        resamples: How often documents are drawn, and how often systems are swapped.
        seed: Seed of both.
        level: How much of the resamples lies inside the interval.

    Returns:
        The difference with its interval and p value; (swaps at least as far apart + 1) / (swaps + 1).

    Raises:
        InvalidValueError: If the systems have other numbers of documents, or an option is out of range.
    """
    _check(resamples, level)
    if len(first) != len(second):
        raise InvalidValueError("second", f"the first's {len(first)} documents", f"{len(second)}")
    if not first:
        return Difference(0.0, (0.0, 0.0), 1.0, resamples)
    ours, theirs = _parts(first), _parts(second)

    def f1(sums: Floats) -> Floats:
        result: Floats = np.asarray(first[0].metrics_of(list(sums.T))[2], dtype=np.float64)
        return result

    difference = difference_of(first, second)
    differences = np.concatenate(
        [f1(draws @ ours) - f1(draws @ theirs) for draws in _draws(len(ours), resamples, seed)]
    )
    total, change = ours.sum(axis=0), theirs - ours
    swapped = np.concatenate([swaps @ change for swaps in _swaps(len(ours), resamples, seed)])
    apart = np.abs(f1(total + swapped) - f1(theirs.sum(axis=0) - swapped))
    # Sums of floats in another order differ in their last bits.
    far = int((apart >= abs(difference) - 1e-12).sum())
    return Difference(difference, _ends(differences, level), (far + 1) / (resamples + 1), resamples)


def difference_of(first: Sequence[Summable], second: Sequence[Summable]) -> float:
    """Return the difference of two systems' F1, first minus second.

    Args:
        first: What each document added to the measure with the first system.
        second: The same with the second.
    """
    if not first:
        return 0.0
    sums = [_parts(tallies).sum(axis=0)[None] for tallies in (first, second)]
    ours, theirs = (float(np.asarray(first[0].metrics_of(list(total.T))[2])[0]) for total in sums)
    return ours - theirs


def _check(resamples: int, level: float) -> None:
    if resamples < 1:
        raise InvalidValueError("resamples", "an integer >= 1", str(resamples))
    if not 0 < level < 1:
        raise InvalidValueError("level", "a number between 0 and 1", str(level))


def _parts(tallies: Sequence[Summable]) -> Floats:
    """Return one row a document."""
    return np.array([tally.parts for tally in tallies], dtype=np.float64)


def _draws(documents: int, resamples: int, seed: int) -> Iterator[Floats]:
    """Yield how often each document is drawn, a row a resample, some rows at a time."""
    generator = np.random.default_rng(seed)
    for size in _chunks(documents, resamples):
        rows = np.zeros((size, documents))
        for row in rows:
            drawn = np.bincount(generator.integers(documents, size=documents), minlength=documents)
            row[:] = drawn
        yield rows


def _swaps(documents: int, resamples: int, seed: int) -> Iterator[Floats]:
    """Yield which documents are swapped, a row a resample, some rows at a time."""
    generator = np.random.default_rng([seed, 1])
    for size in _chunks(documents, resamples):
        yield generator.integers(2, size=(size, documents)).astype(np.float64)


def _chunks(documents: int, resamples: int) -> Iterator[int]:
    rows = max(1, _CELLS // documents)
    for done in range(0, resamples, rows):
        yield min(rows, resamples - done)


def _ends(values: Floats, level: float) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
