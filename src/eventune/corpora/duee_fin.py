"""DuEE-Fin (Han et al. 2022), Chinese financial announcements, a document a line.

Quirks, each with a test:

- There are no offsets. An argument is placed where its string first stands in the text; so is the trigger. The
  attribute `searched` of the document's metadata says that places were found this way.
- Some roles (`环节`) are choices, whose values need not stand in the text: those arguments are kept in the event's
  attribute `unplaced`, with their position among the arguments, and so is a trigger that stands nowhere.
- `title` is metadata: nothing is searched for in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from eventune.corpora.fields import beyond, mapping, member, name_in, shown
from eventune.corpora.offsets import Offsets
from eventune.corpora.registry import Format
from eventune.errors import InvalidValueError
from eventune.events import UNPLACED, Document, Event
from eventune.events.segmentation import segment_characters

_OWN = frozenset({"id", "text", "event_list"})
_OWN_OF_EVENT = frozenset({"event_type", "trigger", "arguments"})
_SEARCHED = "searched"
_TRIGGER = "unplaced_trigger"
_PRIVATE = frozenset({UNPLACED, _TRIGGER})


def recognises(value: Any) -> bool:
    """Tell whether a first record looks like this format."""
    return isinstance(value, dict) and value.keys() >= {"text", "event_list", "title"}


def read_document(value: Any) -> Document:
    """Read a document, each character of which is a token; see `Format`."""
    record = mapping(value, "record")
    text = member(record, "text", "")
    offsets = Offsets.of(text, segment_characters)
    events = tuple(
        _event(item, f"event_list[{number}]", text, offsets)
        for number, item in enumerate(member(record, "event_list", [], required=False))
    )
    metadata = beyond(record, _OWN)
    return offsets.document(member(record, "id", ""), events, {**metadata, _SEARCHED: True})


def write_document(document: Document) -> Iterator[dict[str, Any]]:
    """Yield the one record of a document; places are not kept."""
    metadata = beyond(document.metadata, _OWN | {_SEARCHED})
    yield {
        "id": document.id,
        "title": "",
        "text": document.text,
        "event_list": [_event_record(document, event) for event in document.events],
        **metadata,
    }


def _event(value: Any, where: str, text: str, offsets: Offsets) -> Event:
    record = mapping(value, where)
    attributes = beyond(record, _OWN_OF_EVENT)
    trigger = None
    words = record.get("trigger")
    if words is not None and not isinstance(words, str):
        raise InvalidValueError(f"{where}.trigger", "a string", shown(words))
    at = _found(words or "", text)
    if at is not None:
        trigger = offsets.tokens_of(at, f"{where}.trigger")
    elif "trigger" in record:
        attributes[_TRIGGER] = words
    arguments = []
    unplaced: list[dict[str, Any]] = []
    for number, item in enumerate(member(record, "arguments", [], inside=where, required=False)):
        inside = f"{where}.arguments[{number}]"
        argument = mapping(item, inside)
        role, words = name_in(argument, "role", inside), member(argument, "argument", "", inside=inside)
        rest = beyond(argument, {"role", "argument"})
        at = _found(words, text)
        if at is None:
            unplaced.append({**argument, "position": number})
        else:
            arguments.append(offsets.argument(role, [at], f"{inside}.argument", attributes=rest))
    if unplaced:
        attributes[UNPLACED] = unplaced
    return Event(name_in(record, "event_type", where), trigger, tuple(arguments), attributes=attributes)


def _found(words: str, text: str) -> tuple[int, int] | None:
    # White space at the ends would find no token, and is none of an argument's words.
    start = text.find(words) if words and words == words.strip() else -1
    return None if start < 0 else (start, start + len(words))


def _event_record(document: Document, event: Event) -> dict[str, Any]:
    record: dict[str, Any] = {"event_type": event.type}
    if event.trigger is not None:
        record["trigger"] = document.text_of(event.trigger)
    elif _TRIGGER in event.attributes:
        record["trigger"] = event.attributes[_TRIGGER]
    arguments: list[dict[str, Any]] = [
        {"role": argument.role, "argument": document.exact_text_of(argument), **argument.attributes}
        for argument in event.arguments
    ]
    for item in event.unplaced:
        if type(item.get("position")) is int:
            rest = beyond(item, {"position"})
            arguments.insert(item["position"], rest)
    record["arguments"] = arguments
    return record | beyond(event.attributes, _OWN_OF_EVENT | _PRIVATE)


FORMAT = Format("duee_fin", "DuEE-Fin", "id", recognises, read_document, write_document)
