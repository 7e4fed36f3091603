"""The best spans of a batch of scores."""

import numpy as np

from eventune.events import Span
from eventune.extraction.detection.ranking import best_triggers


def scores(log_odds):
    spans = np.array(log_odds)
    return spans, np.zeros(spans.shape[:2])


def test_candidates_are_the_spans_that_some_margin_accepts():
    # One text, two types, two words, spans of up to two words; the last word begins no span of two.
    found = best_triggers(*scores([[[[3.0, -2.0], [-9.0, -np.inf]], [[2.5, -np.inf], [-7.0, -np.inf]]]]), [10])

    assert [(c.span, c.type, c.log_odds) for c in found[0]] == [(Span(10, 11), 0, 3.0), (Span(10, 11), 1, 2.5)]


def test_as_many_candidates_are_kept_as_a_text_has_words_whatever_it_is_padded_to():
    short = [[[[3.0], [1.0]], [[2.5], [0.5]]]]
    padded = [[[[3.0], [1.0], [-np.inf]], [[2.5], [0.5], [-np.inf]]]]
    assert best_triggers(*scores(padded), [0]) == best_triggers(*scores(short), [0])
