"""The detector's loss against a loop over spans and types."""

import math

import pytest
import torch

from eventune.extraction.detection.loss import trigger_loss
from eventune.extraction.model import SpanScores


def slow_loss(spans, null, gold, known):
    texts, types, words, lengths = spans.shape
    total = 0.0
    for text in range(texts):
        for kind in range(types):
            for word in range(words):
                for length in range(lengths):
                    score = float(spans[text, kind, word, length])
                    if score == -math.inf or not (known[text][word] or known[text][word + length]):
                        continue
                    sign = 1 if (text, kind, word, length) in gold else -1
                    total += math.log1p(math.exp(-sign * (score - float(null[0, kind]))))
    return total / texts


@pytest.mark.parametrize("known", [[[True] * 5] * 2, [[True, False, False, True, False], [False] * 5]])
def test_it_is_the_sum_over_all_known_spans_and_types(known):
    generator = torch.Generator().manual_seed(0)
    spans = torch.randn(2, 3, 5, 2, generator=generator)
    spans[:, :, 4, 1] = -math.inf
    null = torch.randn(1, 3, generator=generator)  # one row for all texts
    gold = {(0, 0, 0, 0), (0, 1, 0, 0), (0, 1, 0, 1), (1, 2, 3, 1)}
    loss = trigger_loss(SpanScores(spans, null), torch.tensor(sorted(gold)), torch.tensor(known))
    assert float(loss) == pytest.approx(slow_loss(spans, null, gold, known), rel=1e-5)


def test_padding_and_unknown_words_get_no_gradient():
    spans = torch.randn(1, 1, 3, 1, requires_grad=True)
    trigger_loss(
        SpanScores(spans, torch.zeros(1, 1)), torch.zeros(0, 4, dtype=torch.long), torch.tensor([[True, False, True]])
    ).backward()
    assert (spans.grad.flatten() != 0).tolist() == [True, False, True]
