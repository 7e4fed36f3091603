"""The best spans of a batch of scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from eventune.events import Span
from eventune.extraction.decoding import Candidate
from eventune.extraction.features import EncodedWindow


def candidates_of(
    windows: Sequence[EncodedWindow], spans: np.ndarray, null: np.ndarray, *, count: int
) -> Iterator[tuple[EncodedWindow, list[list[Candidate]]]]:
    """Return each window of a batch with the candidates of its roles; arguments as for `best_spans`."""
    first_words = [window.first_word for window in windows]
    role_counts = [len(window.role_tokens) for window in windows]
    return zip(windows, best_spans(spans, null, first_words, role_counts, count=count), strict=True)


def best_spans(
    spans: np.ndarray, null: np.ndarray, first_words: Sequence[int], role_counts: Sequence[int], *, count: int
) -> list[list[list[Candidate]]]:
    """Pick each role's best spans.

    Args:
        spans: Scores of a batch's spans, *shape* (events, roles, words, lengths); `-inf` where there is no such span.
        null: Scores of the empty role, *shape* (events, roles).
        first_words: Index of each window's first word in its document.
        role_counts: Number of roles of each event.
        count: How many of a role's spans are kept.

    Returns:
        For each event and role, its candidates from best to worst.
    """
    lengths = spans.shape[-1]
    flat = spans.reshape(*null.shape, -1)
    places = best_places(flat, min(count, flat.shape[-1]))
    values = np.take_along_axis(flat, places, axis=-1)
    log_odds = (values - null[..., None]).tolist()
    probabilities = np.exp(values - _log_total(flat, null)).tolist()
    positions = places.tolist()
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


def best_places(values: np.ndarray, count: int) -> np.ndarray:
    """Return where the greatest values of each row are, the greatest first, of equal ones the first."""
    chosen = np.sort(np.argpartition(values, -count, axis=-1)[..., -count:], axis=-1)
    order = np.argsort(-np.take_along_axis(values, chosen, axis=-1), axis=-1, kind="stable")
    return np.take_along_axis(chosen, order, axis=-1)


def _log_total(flat: np.ndarray, null: np.ndarray) -> np.ndarray:
    """Return the logarithm of what all spans and the empty one of a role add up to, *shape* (events, roles, 1).

    It is added up in double precision, so that it does not depend on how far a batch is padded.
    """
    greatest = np.maximum(flat.max(axis=-1), null)[..., None]
    total = np.exp(flat - greatest).sum(axis=-1, keepdims=True, dtype=np.float64) + np.exp(null[..., None] - greatest)
    result: np.ndarray = greatest + np.log(total)
    return result
