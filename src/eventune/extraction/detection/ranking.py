"""The best triggers of a batch of scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from eventune.events import Span
from eventune.extraction.detection.decoding import MARGINS, TriggerCandidate, ranked
from eventune.extraction.detection.features import EncodedText
from eventune.extraction.ranking import best_places


def candidates_of(
    batches: Iterable[tuple[Sequence[EncodedText], np.ndarray, np.ndarray]], documents: int
) -> list[list[TriggerCandidate]]:
    """Return the ranked candidates of each document.

    Args:
        batches: Windows with the scores of their spans and of the empty span, as for `best_triggers`.
        documents: How many documents the windows are of.

    Returns:
        The candidates of all windows of a document.
    """
    found: list[list[TriggerCandidate]] = [[] for _ in range(documents)]
    for windows, spans, null in batches:
        candidates = best_triggers(spans, null, [window.first_word for window in windows])
        for window, more in zip(windows, candidates, strict=True):
            found[window.document].extend(more)
    return [ranked(candidates) for candidates in found]


def best_triggers(spans: np.ndarray, null: np.ndarray, first_words: Sequence[int]) -> list[list[TriggerCandidate]]:
    """Pick the spans of each text that some margin could accept.

    Args:
        spans: Scores of a batch's spans, *shape* (texts, types, words, lengths); `-inf` where there is no such span.
        null: Scores of the empty span of each type, *shape* (texts, types).
        first_words: Index of each window's first word in its document.

    Returns:
        The candidates of each window, as many as it has words at the most.
    """
    log_odds = spans - null[..., None, None]
    texts, _, words, lengths = log_odds.shape
    flat = log_odds.reshape(texts, -1)
    places = best_places(flat, min(words, flat.shape[-1]))
    values = np.take_along_axis(flat, places, axis=-1)
    # Padding has no spans: what is kept of a text does not depend on what it is padded to.
    own_words = np.isfinite(spans[:, 0, :, 0]).sum(axis=-1).tolist()
    found = []
    for first, count, row, indices in zip(first_words, own_words, values.tolist(), places.tolist(), strict=True):
        candidates = []
        for value, place in zip(row[:count], indices[:count], strict=True):
            if value <= MARGINS[0]:
                break
            kind, rest = divmod(place, words * lengths)
            word, more = divmod(rest, lengths)
            candidates.append(TriggerCandidate(Span(first + word, first + word + more + 1), kind, value))
        found.append(candidates)
    return found
