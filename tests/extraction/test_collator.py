"""Batches of encoded windows."""

from dataclasses import replace

import pytest
import torch

from eventune.events import Argument, Document, Event, Span
from eventune.extraction.collator import WindowCollator
from eventune.extraction.marks import Mark


@pytest.fixture
def long(builder):
    sentences = [["Rebels", "from", "Homs", "rested", "."], ["They", "shelled", "the", "old-town", "."]]
    event = Event("conflict.attack", Span(6, 7), (Argument("target", Span(8, 9)), Argument("attacker", Span(0, 1))))
    return builder().encode([Document.from_sentences("d", sentences, events=[event])])[0]


@pytest.fixture
def short(builder):
    event = Event("meet", None, (Argument("end_date", Span(0, 1)),))
    return builder().encode([Document.from_sentences("d", [["They", "met"]], events=[event])])[0]


def test_batches_are_padded_with_what_does_not_count(long, short, tokenizer):
    collator = WindowCollator(int(tokenizer.pad_token_id))
    batch, targets = collator.inputs([*long, *short]), collator.targets([*long, *short])

    tokens = len(short[0].input_ids)
    assert batch["input_ids"].shape == batch["attention_mask"].shape == batch["marks"].shape
    assert batch["attention_mask"].sum(1).tolist() == [len(long[0].input_ids), tokens]
    assert set(batch["input_ids"][1, tokens:].tolist()) == {tokenizer.pad_token_id}
    assert set(batch["marks"][1, tokens:].tolist()) == {int(Mark.NONE)}
    assert batch["sentences"][1, :2].tolist() == [0, 0]
    assert set(batch["sentences"][1, 2:].tolist()) == {-1}
    assert targets["slots"].tolist() == [[True, True, True], [True, True, False]]
    assert targets["targets"].tolist() == [[0, 2, 8, 0], [0, 0, 0, 0], [1, 1, 0, 0]]
    assert {tensor.dtype for tensor in (*batch.values(), targets["targets"])} == {torch.long}


def test_batches_without_gold_have_targets_of_the_right_shape(long):
    without = [replace(example, gold=[]) for example in long]
    assert WindowCollator(0).targets(without)["targets"].shape == (0, 4)


def test_lengths_are_rounded_so_that_few_shapes_occur(long):
    batch = WindowCollator(0, multiple=16).inputs(long)
    assert batch["input_ids"].shape[1] % 16 == 0
    assert batch["word_starts"].shape[1] % 16 == 0
