"""Tokens and sentences of text that comes without either, in any language.

Tokens are those of `eventune.events.segmentation`; Chinese counts characters, as Chinese corpora do. Sentences are
found by `sentencex`, which has rules for a few hundred languages; a blank line ends one whatever stands before it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

import sentencex

from eventune.errors import InvalidValueError
from eventune.events import Span
from eventune.events.segmentation import segment_characters, tokens_of

AUTO = "auto"
"""In place of a language: tell it by the script."""
ENGLISH, CHINESE, JAPANESE = "en", "zh", "ja"

_BEGINNING = 4096
"""So many characters tell the language."""
# A script that many languages share has the rules of the one that most write in it.
_SCRIPTS = {
    language: re.compile(f"[{letters}]")
    for language, letters in {
        ENGLISH: "A-Za-z\u00c0-\u024f",
        CHINESE: "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff",
        JAPANESE: "\u3041-\u30ff",
        "ko": "\u1100-\u11ff\uac00-\ud7af",
        "ru": "\u0400-\u052f",
        "ar": "\u0600-\u06ff\u0750-\u077f",
        "he": "\u0590-\u05ff",
        "el": "\u0370-\u03ff",
        "hy": "\u0530-\u058f",
        "ka": "\u10a0-\u10ff",
        "hi": "\u0900-\u097f",
        "bn": "\u0980-\u09ff",
        "pa": "\u0a00-\u0a7f",
        "gu": "\u0a80-\u0aff",
        "or": "\u0b00-\u0b7f",
        "ta": "\u0b80-\u0bff",
        "te": "\u0c00-\u0c7f",
        "kn": "\u0c80-\u0cff",
        "ml": "\u0d00-\u0d7f",
        "si": "\u0d80-\u0dff",
        "th": "\u0e00-\u0e7f",
        "lo": "\u0e80-\u0eff",
        "my": "\u1000-\u109f",
        "am": "\u1200-\u137f",
        "km": "\u1780-\u17ff",
    }.items()
}
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]+)*")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
# sentencex stops at white space of several bytes (U+2028 behind a letter and a full stop). One character takes the
# place of one: offsets stay.
_PLAIN_SPACE = {code: " " for code in range(0x3001) if chr(code).isspace() and chr(code) not in " \n"}
_PLAIN_SPACE |= {0x2028: "\n", 0x2029: "\n"}


def segment_text(text: str, language: str = AUTO) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Cut a text into tokens and sentences.

    Args:
        text: The text, which is Unicode: no half of a surrogate pair.
        language: ISO 639 code of its language, or `auto`. One that has no rules of its own gets English ones.

    Returns:
        The character span of each token, and the token span of each sentence, as `Document` takes them.

    Raises:
        InvalidValueError: If the language is no such code.
    """
    check_language(language)
    chosen = language_of(text) if language == AUTO else language
    tokens = segment_characters(text)[0] if chosen.split("-")[0] == CHINESE else tokens_of(text)
    return tokens, tuple(_sentences(text, tokens, chosen))


def check_language(language: str) -> None:
    """Make sure that a language is `auto` or looks like an ISO 639 code.

    Raises:
        InvalidValueError: If not.
    """
    if language != AUTO and not _LANGUAGE.fullmatch(language):
        raise InvalidValueError("language", "an ISO 639 code such as en, zh, de, or auto", repr(language))


def language_of(text: str) -> str:
    """Tell a text's language by the script that most of its first letters have.

    Args:
        text: The text.

    Returns:
        The language's code; English for all in Latin letters, and where there are no letters.
    """
    beginning = text[:_BEGINNING]
    counts = {language: len(script.findall(beginning)) for language, script in _SCRIPTS.items()}
    # Japanese has as many ideographs as kana, Chinese no kana.
    if counts[JAPANESE] * 10 > counts[CHINESE]:
        counts[JAPANESE] += counts[CHINESE]
    return max(counts, key=lambda language: counts[language])


def _sentences(text: str, tokens: Sequence[Span], language: str) -> Iterator[Span]:
    """Yield the sentences: token spans that end where a boundary stands, or with the token that it stands in."""
    starts = [token.start for token in tokens]
    first = 0
    for boundary in _boundaries(text, language):
        behind = bisect_left(starts, boundary)
        if behind > first:
            yield Span(first, behind)
            first = behind


def _boundaries(text: str, language: str) -> Iterator[int]:
    """Yield the character behind each sentence, the text's end among them."""
    plain = text.translate(_PLAIN_SPACE)
    start = 0
    # Paragraphs one by one: sentencex's time grows with the square of the quotes and brackets in what it is given.
    for end in [*(gap.end() for gap in _BLANK_LINE.finditer(plain)), len(plain)]:
        for sentence in sentencex.get_sentence_boundaries(language, plain[start:end]):
            yield start + sentence["end_index"]
        start = end
