"""Regular expressions of a stranger's configuration: those that no name of a module keeps busy."""

from __future__ import annotations

import re

_PIECE = re.compile(
    r"""
    (?P<single>\\[^A-Za-z0-9]|\\[dws]|\[[\w\-.]+\]|[\w.\-])       # a character, or one of several
    |(?P<group>\((?:\?:)?(?:[\w\-|]|\\[^A-Za-z0-9])+\))           # a choice of words
    |(?P<end>[\^$])
    |(?P<bar>\|)
    |(?P<repeat>[*+?]\??)
    """,
    re.VERBOSE,
)
_MOST_LENGTH = 100_000
_MOST_REPEATS = 4
"""Each may try as many places as a name has characters, for each place of those before it."""


def quick_expression(expression: str, *, most_repeats: int = _MOST_REPEATS) -> str:
    r"""Return an expression if matching it takes no time to speak of.

    Args:
        expression: Names and choices of words, with a few repeated characters: `.*\.layers\.(0|1)\.q_proj`.
        most_repeats: So many repeats between two bars.

    Raises:
        ValueError: If it is another one: groups that are repeated or nested, or more repeats, can take years.
    """
    at, repeats, before = 0, 0, ""
    while at < len(expression) <= _MOST_LENGTH:
        piece = _PIECE.match(expression, at)
        kind = piece.lastgroup if piece else None
        repeats = 0 if kind == "bar" else repeats + (kind == "repeat")
        if piece is None or repeats > most_repeats or (kind == "repeat" and before != "single"):
            break
        at, before = piece.end(), str(kind)
    if at < len(expression):
        raise ValueError(
            f"names, choices of words and {most_repeats} repeated characters at the most, such as .*\\.(0|1)\\.q_proj"
        )
    return expression


def quick_key(expression: str) -> str:
    """Return an expression for the end of names, which PEFT puts one more repeat before; see `quick_expression`."""
    return quick_expression(expression, most_repeats=_MOST_REPEATS - 1)
