"""DuEE 1.0 (Li et al. 2020), Chinese news, a document a line.

Quirks, each with a test:

- Offsets count characters, and only the start is given: the end is the start plus the length of the string.
- `class` and the arguments' `alias` are kept as attributes.
- The test part has no `event_list`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from eventune.corpora.fields import beyond, mapping, member, name_in, shown
from eventune.corpora.offsets import Offsets
from eventune.corpora.registry import Format
from eventune.errors import InvalidValueError
from eventune.events import Argument, Document, Event, Mention, Place
from eventune.events.segmentation import segment_characters

_OWN = frozenset({"id", "text", "event_list"})
_OWN_OF_EVENT = frozenset({"event_type", "trigger", "trigger_start_index", "arguments"})
_OWN_OF_ARGUMENT = frozenset({"role", "argument", "argument_start_index"})


def recognises(value: Any) -> bool:
    """Tell whether a first record looks like this format."""
    return isinstance(value, dict) and value.keys() >= {"text", "event_list"} and "title" not in value


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
    return offsets.document(member(record, "id", ""), events, metadata)


def write_document(document: Document) -> Iterator[dict[str, Any]]:
    """Yield the one record of a document; of what is in pieces, only the first piece has a place here."""
    yield {
        "text": document.text,
        "id": document.id,
        "event_list": [_event_record(document, event) for event in document.events],
        **beyond(document.metadata, _OWN),
    }


def _event(value: Any, where: str, text: str, offsets: Offsets) -> Event:
    record = mapping(value, where)
    trigger: Mention | None = None
    if record.get("trigger") not in (None, ""):
        pieces, rest = _place(record, "trigger", where, text)
        trigger = offsets.mention(pieces, f"{where}.trigger_start_index", attributes=rest)
    arguments = []
    for number, item in enumerate(member(record, "arguments", [], inside=where, required=False)):
        inside = f"{where}.arguments[{number}]"
        argument = mapping(item, inside)
        pieces, rest = _place(argument, "argument", inside, text)
        rest |= beyond(argument, _OWN_OF_ARGUMENT)
        role = name_in(argument, "role", inside)
        arguments.append(offsets.argument(role, pieces, f"{inside}.argument_start_index", attributes=rest))
    plain = trigger is None or trigger == Mention(trigger.span)
    return Event(
        name_in(record, "event_type", where),
        None if trigger is None else trigger.span,
        tuple(arguments),
        mentions=() if plain or trigger is None else (trigger,),
        attributes=beyond(record, _OWN_OF_EVENT),
    )


def _place(record: Mapping[str, Any], name: str, where: str, text: str) -> tuple[list[tuple[int, int]], dict[str, Any]]:
    """Return the characters of a string, and the string where the text says something else there."""
    words = name_in(record, name, where)
    start = record.get(f"{name}_start_index")
    if type(start) is not int:
        raise InvalidValueError(f"{where}.{name}_start_index", "the index of a character", shown(start))
    end = start + len(words)
    return [(start, end)], {} if text[start:end] == words else {"text": words}


def _event_record(document: Document, event: Event) -> dict[str, Any]:
    record: dict[str, Any] = {"event_type": event.type}
    if event.trigger is not None:
        mention = event.mentions[0] if event.mentions else Mention(event.trigger)
        record |= _strings(document, "trigger", mention, mention.attributes)
    record["arguments"] = [
        {"role": argument.role, **_strings(document, "argument", argument, argument.attributes), **_others(argument)}
        for argument in event.arguments
    ]
    return record | beyond(event.attributes, _OWN_OF_EVENT)


def _others(argument: Argument) -> dict[str, Any]:
    return beyond(argument.attributes, _OWN_OF_ARGUMENT | {"text"})


def _strings(document: Document, name: str, place: Place, attributes: Mapping[str, Any]) -> dict[str, Any]:
    first = document.pieces_of(place)[0]
    words = document.text[first.start : first.end]
    kept = attributes.get("text")
    # A string that differs from the text gives the end by its length, so only one of the same length is true here.
    words = kept if isinstance(kept, str) and len(kept) == len(words) else words
    return {f"{name}_start_index": first.start, name: words}


FORMAT = Format("duee", "DuEE 1.0", "id", recognises, read_document, write_document)
