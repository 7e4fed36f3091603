"""The training objective, against plain Python."""

import math

import pytest
import torch

from eventune.extraction.loss import span_loss, teacher_loss
from eventune.extraction.model import SpanScores

EVENTS, ROLES, WORDS, LENGTHS = 3, 4, 6, 3
TARGETS = [(0, 0, 1, 0), (0, 1, 2, 1), (0, 1, 5, 0), (1, 2, 0, 2), (2, 0, 3, 0), (2, 0, 3, 1), (2, 0, 0, 0)]
SLOTS = [[1, 1, 1, 1], [1, 1, 1, 0], [1, 0, 0, 0]]


def random_scores(seed):
    generator = torch.Generator().manual_seed(seed)
    spans = torch.randn(EVENTS, ROLES, WORDS, LENGTHS, generator=generator)
    for length in range(1, LENGTHS):
        spans[:, :, WORDS - length :, length] = -math.inf
    return SpanScores(spans.requires_grad_(), torch.randn(EVENTS, ROLES, generator=generator).requires_grad_())


EVENLY = [1.0, 1 / 2, 1 / 2, 1.0, 1 / 3, 1 / 3, 1 / 3]
"""Each filler's share of its role."""


def slow_loss(scores, shares=EVENLY):
    """Return the cross-entropy with targets of which each has a share of its role, the empty role what is left."""
    spans, null = scores.spans.tolist(), scores.null.tolist()
    losses = []
    for event in range(EVENTS):
        for role in range(ROLES):
            if not SLOTS[event][role]:
                continue
            total = sum(math.exp(score) for row in spans[event][role] for score in row) + math.exp(null[event][role])
            said = [
                (share, spans[event][role][word][length])
                for (e, r, word, length), share in zip(TARGETS, shares, strict=True)
                if (e, r) == (event, role)
            ]
            terms = [*said, (1 - sum(share for share, _ in said), null[event][role])]
            losses.append(-sum(share * math.log(math.exp(score) / total) for share, score in terms))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("seed", range(5))
def test_loss_is_that_of_a_loop_over_roles_with_none_one_and_several_fillers(seed):
    scores = random_scores(seed)
    loss = span_loss(scores, torch.tensor(TARGETS), torch.tensor(SLOTS).bool())
    assert loss.item() == pytest.approx(slow_loss(scores), abs=1e-5)


def test_gradients_reach_every_span_and_empty_role_of_a_slot_and_nothing_else():
    scores = random_scores(0)
    slots = torch.tensor(SLOTS).bool()

    span_loss(scores, torch.tensor(TARGETS), slots).backward()

    exists = torch.isfinite(scores.spans) & slots[..., None, None]
    assert (scores.spans.grad[exists] != 0).all()
    assert (scores.spans.grad[~exists] == 0).all()
    assert (scores.null.grad[slots] != 0).all()
    assert (scores.null.grad[~slots] == 0).all()


def test_gradients_lower_the_loss_by_raising_the_fillers():
    scores = random_scores(1)
    span_loss(scores, torch.tensor(TARGETS), torch.tensor(SLOTS).bool()).backward()
    # Role 1 of event 0 has two fillers: both are raised, its empty role is lowered.
    assert scores.spans.grad[0, 1, 2, 1] < 0
    assert scores.spans.grad[0, 1, 5, 0] < 0
    assert scores.null.grad[0, 1] > 0
    # Role 3 of event 0 has none: the empty role is raised.
    assert scores.null.grad[0, 3] < 0


def test_batch_without_any_filler_has_a_finite_loss():
    scores = random_scores(2)
    loss = span_loss(scores, torch.empty(0, 4, dtype=torch.long), torch.tensor(SLOTS).bool())
    assert torch.isfinite(loss)
    assert loss > 0


def test_padded_roles_words_and_lengths_do_not_count():
    scores, slots = random_scores(4), torch.tensor(SLOTS).bool()
    padded = SpanScores(
        torch.nn.functional.pad(scores.spans, (0, 2, 0, 5, 0, 3), value=-math.inf),
        torch.nn.functional.pad(scores.null, (0, 3), value=7.0),
    )
    expected = span_loss(scores, torch.tensor(TARGETS), slots)
    found = span_loss(padded, torch.tensor(TARGETS), torch.nn.functional.pad(slots, (0, 3)))
    assert found.item() == pytest.approx(expected.item(), abs=1e-6)


def test_sure_and_right_scores_have_almost_no_loss():
    spans = torch.full((1, 2, 4, 2), -20.0)
    spans[0, 0, 1, 0] = 20.0
    scores = SpanScores(spans, torch.tensor([[-20.0, 20.0]]))
    loss = span_loss(scores, torch.tensor([[0, 0, 1, 0]]), torch.ones(1, 2).bool())
    assert loss.item() < 1e-6


@pytest.mark.parametrize("seed", range(3))
def test_what_a_teacher_says_is_weighed_span_by_span_and_the_rest_is_the_empty_role_s(seed):
    scores = random_scores(seed)
    probabilities = [0.7, 0.2, 0.3, 0.9, 0.1, 0.2, 0.3]
    loss = teacher_loss(scores, torch.tensor(TARGETS), torch.tensor(probabilities), torch.tensor(SLOTS).bool())
    assert loss.item() == pytest.approx(slow_loss(scores, probabilities), rel=1e-5)


def test_a_teacher_that_says_what_is_annotated_is_the_annotation():
    scores, targets = random_scores(0), torch.tensor(TARGETS)
    slots, certain = torch.tensor(SLOTS).bool(), torch.tensor(EVENLY)
    assert teacher_loss(scores, targets, certain, slots).item() == pytest.approx(
        span_loss(scores, targets, slots).item(), rel=1e-6
    )


def test_a_teacher_that_is_sure_of_nothing_is_the_empty_role():
    scores, slots = random_scores(0), torch.tensor(SLOTS).bool()
    nothing = torch.zeros((0, 4), dtype=torch.long)
    assert torch.equal(teacher_loss(scores, nothing, torch.zeros(0), slots), span_loss(scores, nothing, slots))
