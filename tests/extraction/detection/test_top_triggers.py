"""The best spans of a batch of scores."""

import torch

from eventune.events import Span
from eventune.extraction.detection.top_triggers import best_triggers
from eventune.extraction.model import SpanScores


def scores(log_odds):
    spans = torch.tensor(log_odds)
    return SpanScores(spans, torch.zeros(spans.shape[:2]))


def test_candidates_are_the_spans_that_some_margin_accepts():
    # One text, two types, two words, spans of up to two words; the last word begins no span of two.
    found = best_triggers(scores([[[[3.0, -2.0], [-9.0, -torch.inf]], [[2.5, -torch.inf], [-7.0, -torch.inf]]]]), [10])

    assert [(c.span, c.type, c.log_odds) for c in found[0]] == [(Span(10, 11), 0, 3.0), (Span(10, 11), 1, 2.5)]
