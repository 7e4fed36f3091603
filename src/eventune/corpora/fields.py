"""Access to the fields of a JSON record, with errors that name field, expectation and finding."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from eventune.errors import InvalidValueError, did_you_mean
from eventune.events import Document, Span
from eventune.events.document import span_of

_T = TypeVar("_T", str, list[Any], dict[str, Any])
_KINDS: Mapping[type, str] = {str: "a string", list: "a list", dict: "an object"}


def shown(value: Any) -> str:
    """Return a value as JSON, cut to a length that fits into a message."""
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= 60 else text[:57] + "…"


def member(record: Mapping[str, Any], name: str, default: _T, *, inside: str = "", required: bool = True) -> _T:
    """Return a field of a record, which must be of the type of `default`.

    Args:
        record: The record.
        name: Name of the field.
        default: An empty value of the type that the field must have; returned where an optional field is absent.
        inside: Path of the record in its line, for messages.
        required: Whether the field must be there.

    Returns:
        The value.

    Raises:
        InvalidValueError: If the field is missing or of another type.
    """
    where = f"{inside}.{name}" if inside else name
    expected = _KINDS[type(default)]
    if name not in record:
        if not required:
            return default
        raise InvalidValueError(where, expected, "no such field", did_you_mean(name, record))
    value: Any = record[name]
    if type(value) is not type(default):
        raise InvalidValueError(where, expected, shown(value))
    result: _T = value
    return result


def name_in(record: Mapping[str, Any], name: str, inside: str = "") -> str:
    """Return a field of a record that must be a non-empty string, as the names of types and roles are.

    Args:
        record: The record.
        name: Name of the field.
        inside: Path of the record in its line, for messages.

    Returns:
        The string.

    Raises:
        InvalidValueError: If the field is missing, empty or of another type.
    """
    value = member(record, name, "", inside=inside)
    if not value:
        raise InvalidValueError(f"{inside}.{name}" if inside else name, "a non-empty string", shown(value))
    return value


def mapping(value: Any, where: str) -> dict[str, Any]:
    """Return a value that must be a JSON object.

    Args:
        value: The value.
        where: Its path in the line, for messages.

    Returns:
        The object.

    Raises:
        InvalidValueError: If it is something else.
    """
    if not isinstance(value, dict):
        raise InvalidValueError(where, "an object", shown(value))
    return value


def only(record: Mapping[str, Any], known: Iterable[str], *, inside: str = "") -> None:
    """Refuse fields that are not known, so that a misspelt one is not lost silently.

    Args:
        record: The record.
        known: Names of the fields that may stand in it.
        inside: Path of the record in its line, for messages.

    Raises:
        InvalidValueError: If there is another field.
    """
    known = tuple(known)
    for name in record:
        if name not in known:
            where = f"{inside}.{name}" if inside else name
            hint = did_you_mean(name, known) or "keep whatever else is known of a document in its metadata"
            raise InvalidValueError(where, f"only the fields {', '.join(known)}", "an unknown field", hint)


def span_at(value: Any, where: str, *, length: int | None = None, inclusive: bool = False) -> Span:
    """Return a pair of indices as a span.

    Args:
        value: The pair.
        where: Its path in the line, for messages.
        length: How many elements there are, where that is known already.
        inclusive: Whether the second index is the last element's own, instead of the one behind it.

    Returns:
        The half-open span.

    Raises:
        InvalidValueError: If the value is not a pair of integers, is empty or reversed, or lies outside.
    """
    extra = 1 if inclusive else 0
    pair = "[start, end], the end inclusive" if inclusive else "[start, end), the end exclusive"
    whole = isinstance(value, list) and len(value) == 2 and all(type(index) is int for index in value)
    if not whole or not 0 <= value[0] < value[1] + extra:
        raise InvalidValueError(where, f"a non-empty span {pair}", shown(value))
    if length is not None and value[1] + extra > length:
        raise InvalidValueError(where, f"a span {pair}, inside the document's {length} tokens", shown(value))
    return Span(value[0], value[1] + extra)


def spans_at(pairs: Sequence[Any], where: str) -> tuple[Span, ...]:
    """Return pairs of indices as spans; see `span_at`, which says what is wrong with one."""
    spans = []
    for number, pair in enumerate(pairs):
        if type(pair) is list and len(pair) == 2:
            start, end = pair
            if type(start) is int and type(end) is int and 0 <= start < end:
                # Without a call and a message for each: documents have a hundred and more.
                spans.append(span_of(start, end))
                continue
        spans.append(span_at(pair, f"{where}[{number}]"))
    return tuple(spans)


def beyond(record: Mapping[str, Any], own: Iterable[str], derived: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the fields of a record that the domain has no place for.

    Args:
        record: The record.
        own: Names of the fields that the domain has a place for.
        derived: Fields that follow from the document, which are left out where the record says the same.

    Returns:
        The other fields.
    """
    names, same = frozenset(own), derived or {}
    return {k: v for k, v in record.items() if k not in names and not (k in same and same[k] == v)}


def own_metadata(document: Document, name: str) -> Mapping[str, Any]:
    """Return what a format has put under its own name into a document's metadata."""
    value = document.metadata.get(name)
    return value if isinstance(value, dict) else {}
