"""Batches of the detector."""

import torch

from eventune.extraction.detection.collator import TextCollator
from eventune.extraction.detection.features import EncodedText, EncodedType


def text(tokens, words, gold=()):
    return EncodedText(
        document=0,
        first_word=0,
        input_ids=list(range(1, tokens + 1)),
        marks=[2] * tokens,
        word_starts=list(range(words)),
        word_ends=list(range(words)),
        sentences=[0] * words,
        known=[1] * words,
        gold=list(gold),
    )


def test_texts_are_padded_to_one_rounded_length():
    inputs = TextCollator(pad_token_id=9, multiple=4).inputs([text(5, 3), text(2, 2)])

    assert inputs["input_ids"].tolist() == [[1, 2, 3, 4, 5, 9, 9, 9], [1, 2, 9, 9, 9, 9, 9, 9]]
    assert inputs["attention_mask"].sum(1).tolist() == [5, 2]
    assert inputs["sentences"].tolist() == [[0, 0, 0, -1], [0, 0, -1, -1]]


def test_targets_name_the_text_and_padding_is_unknown():
    targets = TextCollator(pad_token_id=0, multiple=4).targets([text(3, 2), text(3, 3, [(1, 2, 0)])])

    assert targets["targets"].tolist() == [[1, 1, 2, 0]]
    assert targets["known"].tolist() == [[True, True, False, False], [True, True, True, False]]
    empty = TextCollator(pad_token_id=0).targets([text(3, 2)])["targets"]
    assert (empty.shape, empty.dtype) == ((0, 4), torch.long)


def test_types_are_padded_to_the_longest():
    types = TextCollator(pad_token_id=0).types([EncodedType([5, 6, 7], 1), EncodedType([5, 7], 0)])

    assert types["type_ids"].tolist() == [[5, 6, 7], [5, 7, 0]]
    assert types["type_attention"].tolist() == [[1, 1, 1], [1, 1, 0]]
    assert types["type_lengths"].tolist() == [1, 0]
