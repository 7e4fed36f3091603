"""BLEU as counts that add up over texts, so that texts can be drawn anew and systems compared on the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eventune.scoring.text import bleu_tokenizer, library

_ORDERS = 4


@dataclass(frozen=True, slots=True)
class BleuTally:
    """What texts add to a corpus's BLEU.

    Attributes:
        parts: For n = 1 … 4 the n-grams that match a reference, then the n-grams of each n, then the length of the
            texts and of their closest references.
    """

    parts: tuple[float, ...]

    def __add__(self, other: BleuTally) -> BleuTally:
        return BleuTally(tuple(mine + its for mine, its in zip(self.parts, other.parts, strict=True)))

    @staticmethod
    def metrics_of(parts: Sequence[Any]) -> tuple[Any, Any, Any]:
        """Return BLEU of summed parts, with sacreBLEU's exponential smoothing, and the two factors that it has.

        Args:
            parts: Sums of `parts`: numbers, or numpy arrays of one shape that hold a sum for each resample.

        Returns:
            The precisions' geometric mean, the brevity penalty, and BLEU, as fractions.
        """
        counts = np.asarray(parts, dtype=np.float64)
        matched, present, (length, expected) = counts[:_ORDERS], counts[_ORDERS : 2 * _ORDERS], counts[2 * _ORDERS :]
        missing = matched == 0
        # One half of a match for the first n without any, a quarter for the next.
        smoothed = np.where(missing, 0.5 ** np.cumsum(missing, axis=0), matched)
        mean = np.exp(np.log(smoothed / np.maximum(present, 1)).mean(axis=0))
        precision = np.where((present > 0).all(axis=0) & matched.any(axis=0), mean, 0.0)
        brevity = np.where(length > 0, np.minimum(1.0, np.exp(1 - expected / np.maximum(length, 1))), 0.0)
        return precision, brevity, precision * brevity


def bleu_tallies(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> list[BleuTally]:
    """Count each text against its references, as `score_texts` does for all together.

    Args:
        predictions: The texts.
        references: The references of each.

    Returns:
        A tally for each text; their sum gives the corpus's BLEU.

    Raises:
        EventuneError: If sacreBLEU is missing.
    """
    # The effective order changes the score of single texts only, not their counts, and keeps sacreBLEU from warning.
    bleu = library("sacrebleu.metrics").BLEU(tokenize=bleu_tokenizer(references), effective_order=True)
    scores = [bleu.sentence_score(text, list(ones)) for text, ones in zip(predictions, references, strict=True)]
    return [BleuTally((*score.counts, *score.totals, score.sys_len, score.ref_len)) for score in scores]
