"""Texts as question answering compares them, and the articles that scorers leave out."""

from __future__ import annotations

import re
import string
from functools import lru_cache

ARTICLES = frozenset({"a", "an", "the"})

_ARTICLE = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = dict.fromkeys(map(ord, string.punctuation))


@lru_cache(maxsize=1 << 16)
def normalised(text: str) -> str:
    """Return a text in small letters, without punctuation and articles, with single spaces.

    Source: `normalize_answer` of the SQuAD evaluation (Rajpurkar et al. 2016), which PAIE and MAVEN-ARG take over.
    """
    return " ".join(_ARTICLE.sub(" ", text.lower().translate(_PUNCTUATION)).split())
