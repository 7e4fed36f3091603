"""Errors that a user can act on."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from typing import Any

_SHOWN = 300
"""Characters of a wrong value, or of its place, that an error shows."""


class EventuneError(Exception):
    """Something a user can mend; the command line prints it without a traceback and exits with code 2.

    Attributes:
        message: What was expected and what was found.
        hint: The next step, or an empty string.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}\n{hint}" if hint else message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self.hint)


class InvalidValueError(EventuneError):
    """A value that breaks a rule of the domain.

    Attributes:
        field: Where the value stands, e.g. `events[0].arguments[2].span`.
        expected: What may stand there.
        found: What stands there, already formatted; of a long value its beginning.
    """

    def __init__(self, field: str, expected: str, found: str, hint: str = "") -> None:
        field, found = (text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…" for text in (field, found))
        super().__init__(f"{field}: expected {expected}, found {found}", hint)
        self.field = field
        self.expected = expected
        self.found = found

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.field, self.expected, self.found, self.hint)

    def inside(self, prefix: str) -> InvalidValueError:
        """Return the same error seen from an enclosing record, with `prefix` before the field."""
        return InvalidValueError(f"{prefix}.{self.field}", self.expected, self.found, self.hint)


def out_of_range(settings: Any, bounds: Mapping[str, tuple[float, float]]) -> Iterator[InvalidValueError]:
    """Yield one error for each number of some settings that is out of range.

    Args:
        settings: What has the numbers as attributes; one that is None is passed over.
        bounds: The least and the greatest value by name; what lies beyond the latter has no use, and would take for
            ever, or more memory than there is.
    """
    for name, (least, most) in bounds.items():
        value = getattr(settings, name)
        if value is not None and not least <= value <= most:
            kind = "an integer" if isinstance(value, int) else "a number"
            yield InvalidValueError(name, f"{kind} {f'>= {least}' if value < least else f'<= {most:,}'}", str(value))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `did you mean 'x'?` for the closest known name, or an empty string where none is close."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"did you mean {matches[0]!r}?" if matches else ""


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or its kind where it has none."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def library_error(panic: BaseException) -> EventuneError:
    """Return the error of a PanicException, with which the tokenizers' library, which is not Python's, stops."""
    hint = "the model's tokenizer.json: copy it anew, or take another model"
    return EventuneError(f"a library stopped: {' '.join(str(panic).split())[:_SHOWN]}", hint)


def exception_of(error: BaseException) -> Exception:
    """Return an exception as it is, and what `except Exception` would pass over, such as a panic, as an error."""
    return error if isinstance(error, Exception) else library_error(error)


def require_library(name: str, message: str, hint: str) -> Any:
    """Import a library that only some commands need.

    Args:
        name: Name of its module.
        message: What needs it.
        hint: How it is installed.

    Returns:
        The module.

    Raises:
        EventuneError: With this message and hint, if it is not installed.
    """
    try:
        return import_module(name)
    except ImportError:
        raise EventuneError(message, hint) from None
