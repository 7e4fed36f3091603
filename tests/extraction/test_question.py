import pytest
import torch
from torch import nn

from eventune.backbones.load import load_encoder
from eventune.backbones.resolve import resolve
from eventune.events import Argument, EventType, Ontology, Role, Span, parse_marked_text
from eventune.extraction.decoding import Margins
from eventune.extraction.question import (
    BoundaryScores,
    QuestionExtractor,
    QuestionTask,
    boundary_scores,
)
from eventune.extraction.question_features import QuestionFeatureBuilder
from eventune.extraction.subwords import SubwordTokenizer

TEXT = "Three counterfeiters were [[apprehended|arrest]] in Dresden by the police. They wept."


@pytest.fixture
def ontology():
    roles = (Role("suspect", 2), Role("place", 1, "", "Where did it happen?"), Role("authority"))
    return Ontology.of([EventType("arrest", roles), EventType("rest", ())])


@pytest.fixture
def document():
    document = parse_marked_text(TEXT)
    event = document.events[0]
    fillers = (("suspect", (0, 2)), ("suspect", (10, 11)), ("place", (5, 6)))
    arguments = tuple(Argument(role, Span(*span)) for role, span in fillers)
    return document.with_events([event.with_arguments(arguments)])


@pytest.fixture
def builder(tokenizer, ontology):
    return QuestionFeatureBuilder(SubwordTokenizer.of(tokenizer), ontology, max_length=128, max_span_length=4)


def test_each_slot_of_each_role_is_one_input_with_one_filler_at_most(builder, document):
    examples, coverage = builder.encode([document])

    assert [(example.roles, example.gold) for example in examples] == [
        ((0,), [(0, 0, 1)]),
        ((0,), [(0, 10, 0)]),
        ((1,), [(0, 5, 0)]),
        ((2,), []),
    ]
    assert coverage.gold == 3
    assert not coverage.unreachable


def test_the_question_is_the_ontology_s_or_the_role_s_name_with_type_and_trigger(builder, document, tokenizer):
    examples, _ = builder.encode([document])

    questions = [tokenizer.decode(example.input_ids).partition(" [SEP]")[0] for example in examples]
    assert questions[0] == "[CLS] suspect arrest apprehended"
    assert questions[1] == "[CLS] suspect 2 arrest apprehended"
    assert questions[2].startswith("[CLS] where did it")
    assert questions[2].endswith("arrest apprehended")


def test_scores_of_spans_are_sums_and_stay_inside_sentences():
    starts = torch.tensor([[0.5, 1.0, 2.0, 3.0]])
    ends = torch.tensor([[0.25, 10.0, 20.0, 30.0]])

    scores = boundary_scores(starts, ends, torch.tensor([[0, 0, 1]]), 2)

    assert scores.null.tolist() == [[0.75]]
    inf = float("-inf")
    assert scores.spans.tolist() == [[[[11.0, 21.0], [22.0, inf], [33.0, inf]]]]


def test_the_loss_is_the_cross_entropy_of_both_boundaries(builder):
    generator = torch.Generator().manual_seed(0)
    starts, ends = torch.randn(3, 6, generator=generator), torch.randn(3, 6, generator=generator)
    sentences = torch.tensor([[0, 0, 0, 1, 1], [0, 0, 0, -1, -1], [0, 0, 0, 0, 0]])
    scores = boundary_scores(starts, ends, sentences, 3)
    task = QuestionTask(builder)
    targets = torch.tensor([[0, 0, 3, 1], [1, 0, 0, 2]])

    loss = task._loss(scores, targets, torch.ones(3, 1, dtype=torch.bool))

    def row(logits, index, length):
        return -logits[:length].log_softmax(0)[index]

    expected = torch.stack([row(starts[0], 4, 6), row(starts[1], 1, 4), row(starts[2], 0, 6)]).mean()
    expected += torch.stack([row(ends[0], 5, 6), row(ends[1], 3, 4), row(ends[2], 0, 6)]).mean()
    torch.testing.assert_close(loss, expected)


def test_batches_can_be_padded_to_the_longest_that_there_could_be(builder, document):
    part = QuestionTask(builder, pad_to_max_length=True).encode([document])

    padded = QuestionTask(builder, pad_to_max_length=True).collate(part.examples)
    assert padded["input_ids"].shape == (4, 128)
    assert QuestionTask(builder).collate(part.examples)["input_ids"].shape == (4, 32)
    assert "marks" not in padded


class Oracle(nn.Module):
    """Answers every question rightly; knows the answers by the question's tokens."""

    def __init__(self, examples):
        super().__init__()
        self.idle = nn.Linear(1, 1)
        self.answers = {tuple(e.input_ids): e.gold for e in examples}

    def forward(self, input_ids, attention_mask, word_starts, word_ends, sentences):
        starts = torch.zeros(len(input_ids), 1 + word_starts.shape[1])
        ends = starts.clone()
        for row, (ids, mask) in enumerate(zip(input_ids.tolist(), attention_mask.sum(1).tolist(), strict=True)):
            gold = self.answers[tuple(ids[:mask])]
            start, end = (1 + gold[0][1], 1 + gold[0][1] + gold[0][2]) if gold else (0, 0)
            starts[row, start] = ends[row, end] = 5.0
        return boundary_scores(starts, ends, sentences, 4)


def test_answers_of_all_slots_become_the_event_s_arguments(builder, document):
    task = QuestionTask(builder, batch_size=3)
    part = task.encode([document])

    found = task.annotate(task.find_candidates(Oracle(part.examples), part), part, Margins(0.0, -4.0))[0]

    expected = [(argument.role, argument.span) for argument in document.events[0].arguments]
    assert [(argument.role, argument.span) for argument in found.events[0].arguments] == expected


def test_an_encoder_answers(builder, document, tiny_encoder):
    model = QuestionExtractor(load_encoder(resolve(str(tiny_encoder))).model, max_span_length=4, dropout=0.0).eval()
    task = QuestionTask(builder)
    batch = task.inputs(task.encode([document]).examples)

    scores = model(**batch)

    assert isinstance(scores, BoundaryScores)
    assert scores.spans.shape == (4, 1, 16, 4)
    states = model.encoder(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
    first, last = batch["word_starts"][2, 5], batch["word_ends"][2, 6]
    score = model.linear_1(states[2, first]) + model.linear_2(states[2, last])
    null = model.linear_1(states[2, 0]) + model.linear_2(states[2, 0])
    torch.testing.assert_close(scores.spans[2, 0, 5, 1], score.squeeze())
    torch.testing.assert_close(scores.null[2, 0], null.squeeze())


def test_an_encoder_in_half_precision_answers_by_heads_in_float32(builder, document, tiny_encoder):
    encoder = load_encoder(resolve(str(tiny_encoder)), dtype="bfloat16").model
    task = QuestionTask(builder)

    scores = QuestionExtractor(encoder, max_span_length=4).eval()(**task.inputs(task.encode([document]).examples))

    assert scores.spans.dtype == scores.null.dtype == torch.float32


def test_a_type_without_roles_is_asked_nothing(builder):
    document = parse_marked_text("They [[slept|rest]] well.")

    assert builder.encode([document])[0] == []
