"""Tokens of raw text in any script, and sentences of English and Chinese, with regular expressions alone.

Words are cut as the Penn Treebank cuts clitics (`do|n't`, `Iraq|'s`), numbers keep their separators, and hyphens stand
alone, as they do in RAMS. Where words are not parted by spaces (Chinese, Japanese, Thai, Lao, Burmese, Khmer), every
character is a token of its own. Combining marks, joiners and the parts of an emoji stay with the character before them.
Every character that is no white space belongs to exactly one token. The sentences' rules know two languages and some
abbreviations: `eventune.corpora.text_segmentation` knows more, and a corpus that comes with its own should keep them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache

from eventune.events.document import Span

Segmentation = Callable[[str], tuple[tuple[Span, ...], tuple[Span, ...]]]
"""Gives the character span of each token, and the token span of each sentence."""

# Kana, ideographs with their extensions and compatibility forms. Hangul is written in words and so is left out.
_CJK = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# Thai and Lao, Burmese, Khmer.
_UNSPACED = _CJK + "\u0e00-\u0eff\u1000-\u109f\uaa60-\uaa7f\u1780-\u17ff"
_LETTER = f"[^\\W{_UNSPACED}]"
_CLITIC = r"['’](?:s|re|ve|ll|d|m)(?!\w)"

# A title is always followed by a name, so it never ends a sentence. The others may.
_TITLES = "Mr|Mrs|Ms|Messrs|Dr|Prof|Rev|Hon|Gen|Col|Lt|Sgt|Capt|Cmdr|Maj|Adm|Sen|Rep|Gov|Pres|Amb|St|Mt|vs|Fig"
_ABBREVIATIONS = (
    r"Ph\.D|Inc|Corp|Co|Ltd|Jr|Sr|Bros|Dept|Univ|Ave|Blvd|etc|al|approx|est|cf"
    "|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec"
)

_ZERO_WIDTH_JOINERS = "\u200c\u200d"
_SKIN_TONES = "\U0001f3fb-\U0001f3ff"


@cache
def _token_pattern() -> re.Pattern[str]:
    marks = _marks() + _ZERO_WIDTH_JOINERS
    word = f"(?:{_LETTER}++[{marks}]*+)++"
    return re.compile(
        rf"""
          https?://[^\s<>"'“”，。；、）{_CJK}]*[^\s<>"'“”，。；、）{_CJK}.,;:!?)]  # without the full stop behind it
        | (?<!\w)(?:[A-Za-z]\.){{2,}}                                     # U.S. e.g. p.m.
        | (?<!\w)(?:{_TITLES}|{_ABBREVIATIONS})\.(?!\w)
        | (?<!\w)Nos?\.(?=\s?\d)                                          # No. 10, but not the answer "No."
        | (?<!\w)(?!I\.)[A-Z]\.(?=\s[A-Z])                                # George W. Bush
        | \d+(?:[.,:/]\d+)*{_LETTER}*                                     # 1,250.50  12:30  21st
        | (?i:n['’]t)(?!\w)
        | (?<=[\w{marks}])(?i:{_CLITIC})
        | {_LETTER}+?(?=(?i:n['’]t)(?!\w))                                # the "do" of "don't"
        | {word}(?:(?!(?i:{_CLITIC}))['’]{word})*                         # O'Brien
        | [{_UNSPACED}][{marks}]*
        | \.{{2,}} | …+ | -{{2,}} | —+ | [!?]{{2,}} | `` | ''
        | [\U0001f1e6-\U0001f1ff]{{2}}                                    # two letters that are a flag
        | \S(?:[{marks}{_SKIN_TONES}]*\u200d\S)*[{marks}{_SKIN_TONES}]*   # a family of four in one emoji
        """,
        re.VERBOSE,
    )


def _marks() -> str:
    """Return the combining marks as ranges; Python's `re` has no class for them."""
    marks = [code for code in range(0x300, 0x1F000) if unicodedata.category(chr(code))[0] == "M"]
    firsts = [code for code, before in zip(marks, [0, *marks], strict=False) if code != before + 1]
    lasts = [code for code, behind in zip(marks, [*marks[1:], 0], strict=True) if code != behind - 1]
    ranges = "".join(f"{chr(first)}-{chr(last)}" for first, last in zip(firsts, lasts, strict=True))
    return ranges + "\U000e0100-\U000e01ef"


_TITLE = re.compile(rf"(?:{_TITLES}|Nos?|[A-Z])\.")
_ENDS = frozenset(".!?") | {"…", "……", "..."}
_CJK_ENDS = frozenset("。！？｡")
_RIGHT_CLOSERS = frozenset("”’)]}»」』）】》") | {"''"}
# A straight quote may open or close: it closes where nothing stands between it and the word before.
_CLOSERS = _RIGHT_CLOSERS | frozenset("\"'")
# Words that rarely follow an abbreviation inside a sentence: behind "p.m." they begin a new one.
_STARTER = re.compile("The|An?|He|She|It|They|We|I|But|And|In|On|At|This|That|These|Those|There|His|Her|Their")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")


def segment(text: str) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Cut a text into tokens and sentences.

    Args:
        text: Raw text.

    Returns:
        The character span of each token, and the token span of each sentence, as `Document` takes them.
    """
    tokens = tokens_of(text)
    return tokens, sentences_of(text, tokens)


def tokens_of(text: str) -> tuple[Span, ...]:
    """Return the character span of each token of a text, in any script."""
    return tuple(Span(*match.span()) for match in _token_pattern().finditer(text))


def segment_characters(text: str) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Cut a text into characters and sentences: what Chinese corpora count by.

    Args:
        text: Raw text.

    Returns:
        The span of each character that is no white space, and the token span of each sentence.
    """
    tokens = tuple(Span(index, index + 1) for index, character in enumerate(text) if not character.isspace())
    return tokens, sentences_of(text, tokens)


def sentences_of(text: str, tokens: Sequence[Span]) -> tuple[Span, ...]:
    """Group tokens into sentences; a blank line ends one whatever stands before it.

    Args:
        text: The text.
        tokens: Character span of each token.

    Returns:
        The token span of each sentence; together they cover all tokens.
    """
    sentences = []
    first = 0
    for index in range(len(tokens)):
        if index + 1 == len(tokens) or _ends_behind(text, tokens, index, first):
            sentences.append(Span(first, index + 1))
            first = index + 1
    return tuple(sentences)


def _ends_behind(text: str, tokens: Sequence[Span], index: int, first: int) -> bool:
    """Tell whether a sentence that began at token `first` ends behind token `index`, which is not the last."""
    token, follower = tokens[index], tokens[index + 1]
    gap = text[token.end : follower.start]
    if _BLANK_LINE.search(gap):
        return True
    following = text[follower.start : follower.end]
    if _closes(gap, following) or (not gap and following in _CJK_ENDS | _ENDS):
        return False
    end = index
    while end > first and _closes(text[tokens[end - 1].end : tokens[end].start], _text(text, tokens[end])):
        end -= 1
    ender = _text(text, tokens[end])
    if ender in _CJK_ENDS:
        return True
    if ender in _ENDS or set(ender) <= {"!", "?"}:
        # Without white space it is `example.com`; before a small letter it is `"Stop!" he said`.
        return bool(gap) and not following[:1].islower()
    abbreviation = len(ender) > 1 and ender.endswith(".") and not _TITLE.fullmatch(ender)
    return abbreviation and _STARTER.fullmatch(following) is not None


def _closes(gap: str, word: str) -> bool:
    """Tell whether a quote or bracket still belongs to the sentence before it, to which `gap` is the distance."""
    return word in _RIGHT_CLOSERS or (not gap and word in _CLOSERS)


def _text(text: str, token: Span) -> str:
    return text[token.start : token.end]
