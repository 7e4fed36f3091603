"""Words out of an ontology's names."""

from __future__ import annotations

import re

_WORD_BOUNDARY = re.compile(r"[._\-/:\s]+|(?<=[a-z])(?=[A-Z])")
# RAMS writes "n/a" for a level of the type that does not apply, other corpora "none" or "unspecified".
_EMPTY_PARTS = re.compile(r"(?:^|[._:\-])(?:n/a|none|unspecified)(?=$|[._:\-])", re.IGNORECASE)


def natural_name(name: str) -> list[str]:
    """Split an ontology's name into lower-case words.

    Args:
        name: A name such as `conflict.attack.n/a`, `PlaceOfEmployment` or `end_date`.

    Returns:
        Its words, e.g. `["conflict", "attack"]`; the name itself where nothing else is left.
    """
    words = [word.lower() for word in _WORD_BOUNDARY.split(_EMPTY_PARTS.sub("", name)) if word]
    return words or [name]
