"""DocEE (Tong et al. 2022), one event a document, in one array.

Quirks, each with a test:

- A record is a list: title, text, event type, and the arguments, which are JSON inside a string.
- There is no trigger, and no identifier: it is made of the title and the text (the first 16 digits of their SHA-1), so
  that two documents that say the same have the same.
- An argument is `{"start", "end", "type", "text"}`; offsets count characters, the end exclusive.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from eventune.corpora.fields import beyond, mapping, name_in, shown
from eventune.corpora.offsets import Offsets
from eventune.corpora.records import json_text, value_at
from eventune.corpora.registry import JSON_ARRAY, Format
from eventune.errors import InvalidValueError
from eventune.events import Argument, Document, Event
from eventune.events.segmentation import segment

_FIELDS = ("title", "text", "event type", "arguments")
_NO_EVENT = ""


def recognises(value: Any) -> bool:
    """Tell whether a first record looks like this format."""
    return isinstance(value, list) and len(value) == len(_FIELDS) and all(isinstance(item, str) for item in value[:3])


def read_document(value: Any) -> Document:
    """Read a document from `[title, text, event type, arguments]`, with one event without a trigger; see `Format`."""
    if not isinstance(value, list) or len(value) != len(_FIELDS):
        raise InvalidValueError("record", f"a list of {', '.join(_FIELDS)}", shown(value))
    for name, item in zip(_FIELDS[:3], value[:3], strict=True):
        if not isinstance(item, str):
            raise InvalidValueError(name, "a string", shown(item))
    title, text, event_type = value[:3]
    offsets = Offsets.of(text, segment)
    arguments = tuple(
        _argument(item, f"arguments[{number}]", text, offsets) for number, item in enumerate(_list(value[3]))
    )
    if event_type == _NO_EVENT and arguments:
        raise InvalidValueError("event type", "a name", shown(event_type))
    events = () if event_type == _NO_EVENT else (Event(event_type, None, arguments),)
    metadata = {"title": title} if isinstance(value[3], str) else {"title": title, "docee": "list"}
    return offsets.document(_identifier(title, text), events, metadata)


def write_document(document: Document) -> Iterator[list[Any]]:
    """Yield the one record of a document; there is no place for triggers, scores, entities, and a second event."""
    title = document.metadata.get("title")
    title = title if isinstance(title, str) else document.id
    event = next(iter(document.events), None)
    arguments = [] if event is None else [_record(document, argument) for argument in event.arguments]
    kept: Any = arguments if document.metadata.get("docee") == "list" else json_text(arguments)
    yield [title, document.text, _NO_EVENT if event is None else event.type, kept]


def _identifier(title: str, text: str) -> str:
    return hashlib.sha1(json_text([title, text]).encode(), usedforsecurity=False).hexdigest()[:16]


def _list(value: Any) -> list[Any]:
    if isinstance(value, str):
        try:
            parsed, end = value_at(value, len(value) - len(value.lstrip()))
        except json.JSONDecodeError:
            raise InvalidValueError("arguments", "JSON inside the string", shown(value)) from None
        if isinstance(parsed, InvalidValueError):
            raise parsed
        if value[end:].strip():
            raise InvalidValueError("arguments", "one list inside the string", shown(value))
        value = parsed
    if not isinstance(value, list):
        raise InvalidValueError("arguments", "a list", shown(value))
    return value


def _argument(value: Any, where: str, text: str, offsets: Offsets) -> Argument:
    record = mapping(value, where)
    at = (record.get("start"), record.get("end"))
    characters = offsets.characters_of(at, f"{where}.start, end")
    rest = beyond(record, {"start", "end", "type"}, {"text": text[characters.start : characters.end]})
    return offsets.argument(name_in(record, "type", where), [at], f"{where}.start, end", attributes=rest)


def _record(document: Document, argument: Argument) -> dict[str, Any]:
    pieces = document.pieces_of(argument)
    start, end = min(piece.start for piece in pieces), max(piece.end for piece in pieces)
    place = {"start": start, "end": end, "type": argument.role}
    rest = beyond(argument.attributes, place)
    return {**place, "text": document.text[start:end], **rest}


FORMAT = Format("docee", "DocEE", "title, text", recognises, read_document, write_document, JSON_ARRAY)
