"""Which unlabelled documents teach most: those whose findings are least certain, and that are not alike."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from eventune.errors import require_library
from eventune.events import Document

STRATEGIES = {
    "uncertain": "documents with the most findings that are likely to be wrong, unlike each other",
    "diverse": "documents that are least alike, whatever is found in them",
    "random": "documents by chance, to compare with",
}
_UNKNOWN = 0.5
"""Probability of a finding that has none."""
_NOTHING_FOUND = 0.5
"""What a document without any finding counts for: something may have been missed in it."""


def expected_errors(document: Document) -> float:
    """Return how many findings of a document are wrong, by their own probabilities.

    Args:
        document: A document with what was found in it: arguments with a score, events with the attribute `score`.

    Returns:
        The sum of 1 - probability over triggers and arguments.
    """
    told: list[Any] = [event.attributes.get("score") for event in document.events]
    triggers = [float(score) for score in told if _is_share(score)]
    arguments = [argument for event in document.events for argument in event.arguments]
    scores = [_UNKNOWN if argument.score is None else argument.score for argument in arguments]
    return sum(1.0 - probability for probability in (*triggers, *scores))


def _is_share(value: Any) -> bool:
    """Tell whether a value is a number in [0, 1]: attributes of a corpus may be anything."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0.0 <= value <= 1.0


def select(
    documents: Sequence[Document],
    count: int,
    *,
    strategy: str = "uncertain",
    labelled: Sequence[Document] = (),
    seed: int = 0,
) -> list[int]:
    """Choose documents one by one, each by what it adds to those chosen before.

    A document's worth is its expected errors times its novelty beside what is labelled or chosen already: one minus the
    likeness of its words to the most alike document's, times one minus half of that of its event types (cosines of
    binary tf-idf vectors). A text that is there already teaches nothing, a further text about a known type something.

    Args:
        documents: The pool; with what a model found in it where findings count.
        count: How many are chosen.
        strategy: One of `STRATEGIES`.
        labelled: Documents that are annotated already.
        seed: Seed of the chance.

    Returns:
        Their places in the pool, the most instructive first; all where there are fewer.
    """
    if strategy == "random":
        order = list(range(len(documents)))
        random.Random(seed).shuffle(order)
        return order[:count]
    everything = [*documents, *labelled]
    words = _Likeness([{word.lower() for word in document.words} for document in everything], len(documents))
    types = _Likeness([{event.type for event in document.events} for document in everything], len(documents))
    worth = np.ones(len(documents))
    if strategy == "uncertain":
        worth = np.array([_NOTHING_FOUND + expected_errors(document) for document in documents])
    chosen: list[int] = []
    free = np.ones(len(documents), bool)
    while len(chosen) < min(count, len(documents)):
        # Of those that are worth the same, the first.
        novelty = (1.0 - words.to_known) * (1.0 - types.to_known / 2)
        index = int(np.where(free, worth * novelty, -1.0).argmax())
        free[index] = False
        chosen.append(index)
        words.know(index)
        types.know(index)
    return chosen


class _Likeness:
    """How alike the documents of a pool are to those that are known, by some terms of theirs.

    Attributes:
        to_known: Cosine of each document with the most alike known one, *shape* (documents).
    """

    def __init__(self, terms: Sequence[set[str]], pool: int) -> None:
        """Look at documents.

        Args:
            terms: Each document's terms, those of the pool first.
            pool: How many documents the pool has; those behind it are known.
        """
        vectors = _vectors(terms)
        self._pool, self.to_known = vectors[:pool], np.zeros(pool)
        for known in vectors[pool:]:
            self._compare(known)

    def know(self, index: int) -> None:
        """Take a document of the pool for known."""
        self._compare(self._pool[index])

    def _compare(self, known: Any) -> None:
        cosines = np.asarray((self._pool @ known.T).todense()).ravel()
        self.to_known = np.maximum(self.to_known, np.minimum(cosines, 1.0))


def _vectors(terms: Sequence[set[str]]) -> Any:
    """Return the documents' terms as rows of length one, rare terms weighing more; *shape* (documents, terms)."""
    require_library("scipy", "eventune data select needs scipy", "pip install scipy")
    from scipy.sparse import csr_matrix

    columns: dict[str, int] = {}
    rows = [sorted(columns.setdefault(term, len(columns)) for term in sorted(own)) for own in terms]
    indices = np.concatenate([np.array(row, dtype=np.int64) for row in rows]) if rows else np.array([], dtype=np.int64)
    frequency = np.bincount(indices, minlength=len(columns))
    weights = np.log(1.0 + len(terms) / np.maximum(frequency, 1))[indices]
    starts = np.cumsum([0, *map(len, rows)])
    vectors = csr_matrix((weights, indices, starts), shape=(len(rows), len(columns)))
    lengths = np.sqrt(np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel())
    vectors.data = vectors.data / np.repeat(np.maximum(lengths, 1e-12), np.diff(starts))
    return vectors
