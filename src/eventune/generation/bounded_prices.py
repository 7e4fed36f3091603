"""What a template's values, filters and methods make, counted before they make it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jinja2 import TemplateError

PURSE = 20_000_000
"""What one rendering may make: characters, values, each of which counts for `VALUE`, and steps, for `STEP`."""
VALUE, STEP = 50, 100
_WIDTH = re.compile(r"%[-+ #0]*\d*\.?(\*|\d{4,})|\{[^{}]+\{|\{[^{}]*\d{4,}")
"""A width or a precision of a format that is large, or stands elsewhere."""


class TooMuchError(TemplateError):
    """A template makes more than a prompt can have."""


def weight(value: Any, most: int) -> int:
    """Return how many characters and values a value stands for, those inside as often as they occur; stops at most."""
    total, waiting = 0, [value]
    while waiting and total <= most:
        one = waiting.pop()
        total += len(one) + VALUE if isinstance(one, str | bytes) else VALUE
        if isinstance(one, Mapping):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple | set | frozenset):
            waiting += one
    return total


def price_of_method(name: str, text: str, args: Any, kwargs: Mapping[str, Any]) -> int:
    """Return what a text's method may make that is longer than the text."""
    if name == "replace" and len(args) > 1:
        return price_of_replacing(text, args[0], args[1])
    if name == "join" and args and isinstance(args[0], str | list | tuple | dict):
        return sum(len(part) + len(text) for part in args[0] if isinstance(part, str))
    return price_of_format(text, (*args, *kwargs.values())) if name == "format" else 0


def price_of_filter(name: str, value: Any, others: tuple[Any, ...]) -> int:
    """Return what a filter may make beyond the length of its value."""
    numbers = sum(abs(int(number)) for number in others if isinstance(number, int | float))
    texts = max((len(other) for other in others if isinstance(other, str)), default=0)
    if name == "replace" and len(others) > 1:
        return price_of_replacing(str(value), str(others[0]), str(others[1]))
    if name == "format":
        return price_of_format(str(value), others)
    if name == "join":
        return texts * (len(value) if isinstance(value, str | list | tuple | dict) else 1)
    if name == "indent":
        return (numbers + texts) * (str(value).count("\n") + 1)
    if name == "sum" and any(not isinstance(other, int | float | str) for other in others):
        raise TooMuchError("sum: expected numbers to be summed up")
    return numbers


def price_of_replacing(text: str, old: Any, new: Any) -> int:
    """Return how many characters come in for those that are replaced."""
    if not isinstance(old, str) or not isinstance(new, str):
        return 0
    return text.count(old) * len(new)


def price_of_format(form: str, values: Any) -> int:
    """Return what a format makes at the most."""
    if _WIDTH.search(form):
        raise TooMuchError("expected a format without widths of thousands")
    values = values.values() if isinstance(values, Mapping) else values
    longest = max((weight(value, PURSE) for value in values), default=0)
    return len(form) + (form.count("%") + form.count("{")) * (longest + 1_000)
