"""The joint extractor: its formula against a loop, and that neither padding nor company changes an event's scores."""

import math

import pytest
import torch

from eventune.events import Argument, Document, Event, Span
from eventune.extraction.collator import WindowCollator
from eventune.extraction.loss import span_loss
from eventune.extraction.model import JointExtractor, SpanScorer, SpanScores

SENTENCES = [0, 0, 0, 1, 1, 2, -1, -1]
MAX_SPAN_LENGTH = 3


@pytest.fixture
def scorer():
    torch.manual_seed(0)
    scorer = SpanScorer(8, max_span_length=MAX_SPAN_LENGTH, boundary_size=4).eval()
    # Not zero, as it is at the start: a bias that is not used would not show.
    torch.nn.init.normal_(scorer.width)
    return scorer


@pytest.fixture
def states():
    generator = torch.Generator().manual_seed(1)
    shapes = {"roles": (2, 3, 8), "starts": (2, 8, 8), "ends": (2, 8, 8)}
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def slow_score(scorer, role, starts, ends, first, last):
    """`s(r, i, j) = a_r · u_i + b_r · v_j + f_i · g_j + w_{j-i}`, each product over the root of its size."""

    def dot(left, right):
        return sum(x * y for x, y in zip(left.tolist(), right.tolist(), strict=True)) / math.sqrt(len(left))

    return (
        dot(scorer.role_start(role), scorer.word_start(starts[first]))
        + dot(scorer.role_end(role), scorer.word_end(ends[last]))
        + dot(scorer.boundary_start(starts[first]), scorer.boundary_end(ends[last]))
        + scorer.width[last - first].item()
    )


def test_span_scores_are_those_of_a_loop_over_roles_and_spans(scorer, states):
    sentences = torch.tensor([SENTENCES, [0] * 8])

    with torch.no_grad():
        scores = scorer(**states, sentences=sentences)

        for event, role in [(e, r) for e in range(2) for r in range(3)]:
            for first, length in [(i, n) for i in range(8) for n in range(MAX_SPAN_LENGTH)]:
                last, found = first + length, scores.spans[event, role, first, length].item()
                of_words = sentences[event].tolist()
                if last >= 8 or of_words[first] != of_words[last] or of_words[first] < 0:
                    assert found == -math.inf
                else:
                    expected = slow_score(
                        scorer,
                        states["roles"][event, role],
                        states["starts"][event],
                        states["ends"][event],
                        first,
                        last,
                    )
                    assert found == pytest.approx(expected, abs=1e-5)
            assert scores.null[event, role].item() == pytest.approx(
                scorer.null(states["roles"][event, role]).item(), abs=1e-6
            )


def test_no_span_leaves_its_sentence_or_holds_padding(scorer, states):
    scores = scorer(**states, sentences=torch.tensor([SENTENCES, [0, 0, -1, -1, -1, -1, -1, -1]]))
    exists = torch.isfinite(scores.spans[:, 0])
    assert exists[0].tolist() == [
        [True, True, True],
        [True, True, False],
        [True, False, False],
        [True, True, False],
        [True, False, False],
        [True, False, False],
        [False, False, False],
        [False, False, False],
    ]
    assert exists[1].sum() == 3


def test_log_odds_compare_a_span_with_the_empty_role_of_its_own_slot():
    scores = SpanScores(torch.tensor([[[[3.0]], [[1.0]]]]), torch.tensor([[1.0, 4.0]]))
    assert scores.log_odds().flatten().tolist() == [2.0, -3.0]


@pytest.fixture(scope="module")
def model(tiny_encoder):
    from transformers import BertModel

    torch.manual_seed(0)
    return JointExtractor(BertModel.from_pretrained(tiny_encoder, add_pooling_layer=False), max_span_length=6).eval()


@pytest.fixture
def examples(builder):
    """Events with different numbers of roles, words and windows."""
    sentences = [["Rebels", "from", "Homs", "rested", "."], ["They", "shelled", "the", "old-town", "."]]
    first = [
        Event("conflict.attack", Span(6, 7), (Argument("attacker", Span(0, 1)), Argument("target", Span(7, 9)))),
        Event("meet", None, (Argument("participant", Span(2, 3)), Argument("participant", Span(0, 1)))),
    ]
    long = [["They", "met", "in", "town", "on", "Monday", "again", "."]] * 30
    documents = [
        Document.from_sentences("a", sentences, events=first),
        Document.from_sentences("b", [["Met"]], events=[Event("meet", Span(0, 1))]),
        Document.from_sentences(
            "c", long, events=[Event("conflict.attack", Span(1, 2), (Argument("target", Span(80, 84)),))]
        ),
    ]
    return builder().encode(documents)[0]


def run(model, examples, *, multiple=16):
    collator = WindowCollator(0, multiple=multiple)
    with torch.no_grad():
        scores = model(**collator.inputs(examples))
    return scores, *collator.targets(examples).values()


def own(scores, index, example):
    """An event's own scores, without the padding of its batch."""
    roles, words = len(example.role_tokens), len(example.word_starts)
    return scores.spans[index, :roles, :words], scores.null[index, :roles]


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=0)


def test_an_event_has_the_same_scores_alone_and_in_any_batch(model, examples):
    assert len(examples) > 4
    alone = [own(run(model, [example])[0], 0, example) for example in examples]
    for order in (range(len(examples)), range(len(examples) - 1, -1, -1), [1, 3], [2, 0, 2]):
        batch = [examples[index] for index in order]
        scores, _, _ = run(model, batch)
        for position, index in enumerate(order):
            assert_same(own(scores, position, examples[index]), alone[index])


@pytest.mark.parametrize("multiple", [1, 7, 64, 256])
def test_padding_changes_no_score(model, examples, multiple):
    scores, _, _ = run(model, examples[:3], multiple=multiple)
    for index, example in enumerate(examples[:3]):
        assert_same(own(scores, index, example), own(run(model, [example], multiple=1)[0], 0, example))


def test_spans_of_padding_words_do_not_exist(model, examples):
    scores, _, _ = run(model, examples, multiple=64)
    for index, example in enumerate(examples):
        assert (scores.spans[index, :, len(example.word_starts) :] == -torch.inf).all()


def test_loss_of_a_batch_is_the_mean_over_the_role_slots_of_its_events(model, examples):
    losses = [(span_loss(*run(model, [example])).item(), len(example.role_tokens)) for example in examples]
    expected = sum(loss * slots for loss, slots in losses) / sum(slots for _, slots in losses)
    assert span_loss(*run(model, examples)).item() == pytest.approx(expected, abs=1e-5)


def test_scores_are_numbers_also_for_the_shortest_text(model, examples):
    scores, _, _ = run(model, examples)
    assert not torch.isnan(scores.spans).any()
    assert torch.isfinite(scores.null).all()
    assert (torch.isfinite(scores.spans).any(dim=(2, 3))).all()


def test_marks_tell_the_model_where_the_trigger_is(model, builder):
    document = Document.from_sentences("d", [["They", "met", "and", "met", "again", "."]])
    events = [Event("meet", Span(1, 2)), Event("meet", Span(3, 4))]
    examples, _ = builder().encode([document.with_events(events)])
    assert examples[0].input_ids == examples[1].input_ids
    scores, _, _ = run(model, examples)
    assert (scores.null[0] - scores.null[1]).abs().max() > 1e-4


def test_gradients_reach_every_parameter_of_head_and_encoder(model, examples):
    collator = WindowCollator(0)
    model.zero_grad()
    span_loss(model(**collator.inputs(examples)), *collator.targets(examples).values()).backward()
    untouched = [
        name
        for name, parameter in model.named_parameters()
        if parameter.grad is None or not torch.isfinite(parameter.grad).all() or not parameter.grad.any()
        # The bias of a key moves all attention scores of a query alike, which changes nothing.
        if not name.endswith("key.bias")
    ]
    assert untouched == []
    model.zero_grad()


@pytest.mark.parametrize("roles", [1, 2, 3, 5])
@pytest.mark.parametrize("shared", [False, True])
def test_scores_are_the_same_bits_whatever_else_is_scored_with_them(roles, shared):
    torch.manual_seed(0)
    scorer = SpanScorer(384, max_span_length=4).eval()
    of_roles, starts, ends = (torch.randn(6, length, 384) for length in (roles, 32, 32))
    sentences = torch.zeros(6, 32, dtype=torch.long)
    if shared:
        of_roles = of_roles[:1]
    with torch.no_grad():
        together = scorer(of_roles, starts, ends, sentences)
        alone = scorer(of_roles[:1], starts[:1], ends[:1], sentences[:1])
    assert torch.equal(alone.spans[0], together.spans[0])
    assert torch.equal(alone.null[0], together.null[0])
