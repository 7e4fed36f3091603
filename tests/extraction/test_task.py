"""The task of an encoder: what its scores become in documents."""

from dataclasses import replace

import pytest
import torch

from eventune.backbones.load import load_encoder
from eventune.backbones.resolve import resolve
from eventune.errors import InvalidValueError
from eventune.events import Argument, Document, Event, Mention, Span
from eventune.extraction.collator import WindowCollator
from eventune.extraction.decoding import Candidate, Margins
from eventune.extraction.detection.features import TextEncoder
from eventune.extraction.detection.task import DetectionTask
from eventune.extraction.model import JointExtractor
from eventune.extraction.task import ExtractionTask
from eventune.scoring import SCORERS, score

WORDS = [["Rebels", "shelled", "and", "bombed", "Homs", "."]]


@pytest.fixture
def two_triggers():
    """An event that two words name, with attributes of its own."""
    event = Event(
        "conflict.attack",
        Span(1, 2),
        (Argument("attacker", Span(0, 1)), Argument("target", Span(4, 5))),
        "e",
        (Mention(Span(1, 2), "t1"), Mention(Span(3, 4), "t2")),
        {"tense": "past"},
    )
    return Document.from_sentences("d", WORDS, events=[event])


@pytest.mark.parametrize("scorer", SCORERS)
def test_perfect_arguments_are_perfect_by_every_scorer_also_with_two_triggers(scorer, builder, two_triggers):
    task = ExtractionTask(builder())
    part = task.encode([two_triggers])
    fillers = {argument.role: argument.span for argument in two_triggers.events[0].arguments}
    roles = task.ontology["conflict.attack"].roles
    candidates = {(0, 0): [[Candidate(fillers[role.name], 5.0, 0.9)] if role.name in fillers else [] for role in roles]}

    (found,) = task.annotate(candidates, part, Margins())

    assert score([two_triggers], [found], scorer).f1 == 1.0
    assert found.events[0].with_arguments(two_triggers.events[0].arguments) == two_triggers.events[0]


def test_no_targets_are_built_where_nothing_is_trained(builder, two_triggers, tiny_encoder, monkeypatch):
    model = JointExtractor(load_encoder(resolve(str(tiny_encoder))).model, max_span_length=6)
    task = ExtractionTask(builder())
    part = task.encode([two_triggers])
    assert task.collate(part.examples).keys() - task.inputs(part.examples).keys() == {"targets", "slots"}
    monkeypatch.delattr(WindowCollator, "targets")

    assert task.find_candidates(model, part).keys() == {(0, 0)}


def test_word_dropout_without_a_mask_token_is_refused(builder, ontology):
    arguments = builder()
    arguments.tokenizer.mask_token_id = None
    triggers = TextEncoder(arguments.tokenizer, ontology, max_length=256, max_trigger_length=3)

    for task, encoder in ((ExtractionTask, arguments), (DetectionTask, triggers)):
        with pytest.raises(InvalidValueError, match="word_dropout: expected 0 with a tokenizer that has no mask token"):
            task(encoder, word_dropout=0.1)
        assert task(encoder).word_dropout == 0.0


@pytest.mark.parametrize("has_trigger", [True, False])
def test_word_dropout_masks_the_text_and_neither_the_prompt_nor_the_trigger(
    has_trigger, builder, two_triggers, tiny_encoder
):
    (event,) = two_triggers.events
    if not has_trigger:
        event = replace(event, trigger=None, mentions=())
    model = JointExtractor(load_encoder(resolve(str(tiny_encoder))).model, max_span_length=6).train()
    task = ExtractionTask(builder(), word_dropout=1.0)
    examples = task.encode([two_triggers.with_events([event])]).examples
    batch, embedded = task.collate(examples), []
    model.encoder.get_input_embeddings().register_forward_pre_hook(lambda module, args: embedded.append(args[0]))

    task.loss(model, batch)

    masked = (embedded[0] == task.mask_token_id)[0].nonzero().flatten().tolist()
    (example,) = examples
    text = {
        at for start, end in zip(example.word_starts, example.word_ends, strict=True) for at in range(start, end + 1)
    }
    trigger = set(range(example.word_starts[1], example.word_ends[1] + 1)) if has_trigger else set()
    assert set(masked) == text - trigger
    assert torch.equal(batch["input_ids"], task.collate(examples)["input_ids"])
