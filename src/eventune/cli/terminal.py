"""What standard output and a terminal take: JSON in any encoding, and text without what a terminal would obey."""

from __future__ import annotations

import codecs
import json
import re
import sys

_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_CONTROLS = {**dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)), "\ufffd"), ord("\r"): " "}
del _CONTROLS[ord("\n")], _CONTROLS[ord("\t")]


def stdout_json(text: str) -> str:
    """Return JSON as it is written to standard output: with escapes where that is not UTF-8, as JSON has to be.

    Args:
        text: The JSON.
    """
    if codecs.lookup(getattr(sys.stdout, "encoding", None) or "utf-8").name == "utf-8":
        return text
    # Outside of strings JSON is ASCII.
    return _NOT_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], text)


def printable(text: str) -> str:
    """Return a text without control characters, each replaced by one character, so that all offsets still hold.

    Args:
        text: A text that may come from anywhere. A terminal would move its cursor, or do what the text says.
    """
    return text.translate(_CONTROLS)
