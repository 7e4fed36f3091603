"""Words in subword tokens."""

import pytest
from tokenizers import Tokenizer

from eventune.corpora import read_corpus
from eventune.corpora.sample import sample_file
from eventune.errors import EventuneError
from eventune.extraction.subwords import MAX_SUBWORDS_A_WORD, SubwordTokenizer

ODD = ["old-town", "don't", "A", "x" * 200, "攻击者", "naïve", "\u200b", "[SEP]", "##ing", "1,000.5", "e\u0301"]


def by_transformers(tokenizer, word):
    """What transformers makes of a word that is one of a list of words."""
    return tokenizer([word], is_split_into_words=True, add_special_tokens=False)["input_ids"]


def test_words_are_split_as_transformers_splits_them(tokenizer):
    words = {word for document in read_corpus(sample_file("dev")) for word in document.words}
    found = SubwordTokenizer.of(tokenizer)
    for word in [*sorted(words), *ODD]:
        expected = by_transformers(tokenizer, word)
        if len(expected) <= MAX_SUBWORDS_A_WORD:
            assert list(found.subwords(word)) == (expected or [tokenizer.unk_token_id])
        else:
            half = MAX_SUBWORDS_A_WORD // 2
            assert list(found.subwords(word)) == expected[:half] + expected[-half:]


def test_a_tokenizer_file_is_enough(tokenizer, tiny_encoder):
    first, last, unknown = tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.unk_token_id
    file = Tokenizer.from_file(str(tiny_encoder / "tokenizer.json"))
    alone = SubwordTokenizer(file, cls_token_id=first, sep_token_id=last, unk_token_id=unknown)
    assert alone.all_subwords(ODD) == SubwordTokenizer.of(tokenizer).all_subwords(ODD)


def test_a_tokenizer_that_cuts_and_pads_for_others_does_neither_to_a_word(tokenizer):
    expected = SubwordTokenizer.of(tokenizer).subwords("unbelievable-town")
    tokenizer(["a b c d"], truncation=True, max_length=3, padding="max_length")
    assert SubwordTokenizer.of(tokenizer).subwords("unbelievable-town") == expected


def test_tokenizers_without_ends_are_refused(tokenizer):
    from transformers import PreTrainedTokenizerFast

    bare = PreTrainedTokenizerFast(tokenizer_object=tokenizer.backend_tokenizer)
    with pytest.raises(EventuneError, match="expected a fast tokenizer with cls and sep tokens"):
        SubwordTokenizer.of(bare)


def test_words_that_are_dropped_become_an_unknown_token_even_if_it_is_the_first_of_all(tokenizer):
    file = tokenizer.backend_tokenizer
    alone = SubwordTokenizer(file, cls_token_id=1, sep_token_id=2, unk_token_id=0)
    assert alone.subwords("\u200b") == (0,)
    assert SubwordTokenizer(file, cls_token_id=1, sep_token_id=2).subwords("\u200b") == (2,)
