from unicodedata import combining, normalize

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from eventune.backbones.e5s1.layout import Vocabulary
from eventune.backbones.e5s1.tokenizer import build_tokenizer

PIECES = ["<s>", "<pad>", "</s>", "<unk>", *",.▁ab中国é①1", "中国", "▁a", "▁ab", "▁中国", "▁中", "▁1", "🌏", "<mask>"]
CHANGES = {"\x01": "", "\t": " ", "\u200b": " ", "\u200d": " ", "▁": " ", "Ａ": "A", "①": "1", "½": "1⁄2", "，": ","}
TEXTS = st.text(st.sampled_from("ab中国，。 \t①½Ａé🌏👩👧🏽\u0301\u0308\x01\u200d\u200b▁"), max_size=30)


@pytest.fixture(scope="module")
def tiny():
    scores = [-float(len(PIECES) - index) for index in range(len(PIECES))]
    vocabulary = Vocabulary(PIECES, scores, bos=0, eos=2, pad=1, unk=3, changes=CHANGES)
    return build_tokenizer(vocabulary, model_max_length=24).backend_tokenizer


def tokens_and_places(tokenizer, text):
    found = tokenizer.encode(text, add_special_tokens=False)
    return [(token, text[start:stop]) for token, (start, stop) in zip(found.tokens, found.offsets, strict=True)]


def subwords(tokenizer, *words):
    return tokenizer.encode(list(words), is_pretokenized=True, add_special_tokens=False).tokens


def changed(text):
    """What becomes of a text's characters, by Python's own NFKC."""
    kept = "".join(CHANGES[character] if character in "\x01\t\u200b\u200d▁" else character for character in text)
    return normalize("NFKC", kept)


@given(TEXTS)
@example("2023年，北京 发生地震。🌏👩\u200d👧")
@example("a\u0301 中国")
@example("▁中国▁")
@example("\x01a\x01b①½")
def test_offsets_are_those_of_the_raw_text(tiny, text):
    found = tiny.encode(text, add_special_tokens=False)

    last = 0
    covered = set()
    for token, (start, stop) in zip(found.tokens, found.offsets, strict=True):
        assert last <= start < stop
        last = start
        covered |= set(range(start, stop))
        # A mark that NFKC joins with the letter before it lies behind the token.
        end = stop
        while end < len(text) and (combining(text[end]) or text[end] == "\x01"):
            end += 1
        assert token.removeprefix("▁") in changed(text[start:end]).replace(" ", "")
    lacking = {text[at] for at in set(range(len(text))) - covered}
    assert all(not changed(character).strip() or combining(character) for character in lacking)


def test_the_mark_of_a_space_takes_no_place_in_the_text(tiny):
    assert tokens_and_places(tiny, "ab a中国") == [("▁ab", "ab"), ("▁a", "a"), ("中国", "中国")]


def test_chinese_words_and_closing_punctuation_have_no_mark_before_them(tiny):
    assert subwords(tiny, "中", "国", "中国", "，", "a", ".") == ["中", "国", "中国", ",", "▁a", "."]


def test_a_word_is_cut_as_it_is_behind_a_space_in_a_text(tiny):
    text = "ab 中国 ab , a"

    assert subwords(tiny, *text.split()) == tiny.encode(text, add_special_tokens=False).tokens


def test_letters_and_their_marks_are_one_character(tiny):
    assert subwords(tiny, "ae\u0301") == ["▁a", "é"]


def test_what_the_encoder_never_saw_vanishes_or_parts_words(tiny):
    assert subwords(tiny, "a\x01b") == ["▁ab"]
    assert subwords(tiny, "a\u200ba") == ["▁a", "▁a"]
    assert subwords(tiny, "\u200b") == []


def test_a_text_and_a_pair_have_their_ends(tiny):
    assert tiny.encode("ab").tokens == ["<s>", "▁ab", "</s>"]
    assert tiny.encode("ab", "中国").tokens == ["<s>", "▁ab", "</s>", "</s>", "中国", "</s>"]
