"""Tokens and sentences of text in any language."""

import time

import pytest

from eventune.corpora.text_segmentation import language_of, segment_text
from eventune.errors import InvalidValueError


def cut(text, language="auto"):
    """The words of each sentence."""
    tokens, sentences = segment_text(text, language)
    words = [text[token.start : token.end] for token in tokens]
    return [words[sentence.start : sentence.end] for sentence in sentences]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Gunmen shot three soldiers in 伊拉克.", "en"),
        ("公司宣布裁员500人。FBI说。", "zh"),
        ("これは日本語の文章です。", "ja"),
        ("한국어 문장입니다.", "ko"),
        ("Москва.", "ru"),
        ("مرحبا بالعالم", "ar"),
        ("שלום עולם", "he"),
        ("हिन्दी", "hi"),
        ("สวัสดี", "th"),
        ("", "en"),
        ("123 !", "en"),
    ],
)
def test_the_script_tells_the_language(text, language):
    assert language_of(text) == language


def test_chinese_counts_characters():
    assert cut("裁员500人。他说：“很好！”") == [list("裁员500人。"), list("他说：“很好！”")]


@pytest.mark.parametrize(
    ("text", "language", "lengths"),
    [
        ("Mr. Smith met U.S. troops. He left.", "auto", [6, 3]),
        ("Das ist z.B. gut. Ja.", "de", [5, 2]),
        ("A headline\n\nThe text\nwrapped.", "auto", [2, 4]),
        ("A headline\r\n\r\nThe text\r\nwrapped.", "auto", [2, 4]),
        ("यह एक वाक्य है। यह दूसरा है।", "auto", [5, 4]),
        ("مرحبا؟ نعم.", "auto", [2, 2]),
        ("no end", "auto", [2]),
        (" \n\n ", "auto", []),
    ],
)
def test_sentences_end_as_the_language_ends_them(text, language, lengths):
    assert [len(sentence) for sentence in cut(text, language)] == lengths


def test_white_space_of_several_bytes_stops_nothing():
    assert [len(sentence) for sentence in cut("Z\u2028.א A.\u2029B. C\u3000d\x85e.")]


def test_a_text_without_an_end_is_one_sentence():
    assert list(map(len, cut("word " * 10_000))) == [10_000]


def test_a_text_of_a_megabyte_is_cut_in_seconds():
    started = time.perf_counter()
    assert len(cut('He said (in "Mosul") that it was over. ' * 13_000 + "\n\n" + "x" * 500_000)) == 13_001
    assert time.perf_counter() - started < 60


@pytest.mark.parametrize("language", ["chinese", "EN", "", "e"])
def test_what_is_no_code_of_a_language_is_refused(language):
    with pytest.raises(InvalidValueError, match="language: expected an ISO 639 code such as en, zh, de, or auto"):
        segment_text("a", language)
