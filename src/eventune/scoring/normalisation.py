"""Texts as question answering compares them, and the articles that scorers leave out."""

from __future__ import annotations

import re
import string

ARTICLES = frozenset({"a", "an", "the"})

_ARTICLE = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = frozenset(string.punctuation)


def normalised(text: str) -> str:
    """Return a text in small letters, without punctuation and articles, with single spaces.

    Source: `normalize_answer` of the SQuAD evaluation (Rajpurkar et al. 2016), which PAIE and MAVEN-ARG take over.
    """
    letters = "".join(character for character in text.lower() if character not in _PUNCTUATION)
    return " ".join(_ARTICLE.sub(" ", letters).split())
