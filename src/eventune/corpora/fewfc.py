"""FewFC (Zhou et al. 2021, "What the Role is vs. What Plays the Role"), Chinese financial events, a document a line.

Quirks, each with a test:

- Offsets count characters and their end is exclusive; here a character is a token.
- The trigger is one of an event's mentions, the one with the role `trigger`, at any place among them.
- `word` repeats what the text says at the span; it is kept where it says something else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from eventune.corpora.fields import beyond, mapping, member, name_in
from eventune.corpora.offsets import Offsets
from eventune.corpora.registry import Format
from eventune.events import Document, Event, Mention, Place
from eventune.events.segmentation import segment_characters

_TRIGGER = "trigger"
_ORDER = "trigger_positions"


def recognises(value: Any) -> bool:
    """Tell whether a first record looks like this format."""
    return isinstance(value, dict) and value.keys() >= {"content", "events"} and "id" in value


def read_document(value: Any) -> Document:
    """Read a document, each character of which is a token; see `Format`."""
    record = mapping(value, "record")
    text = member(record, "content", "")
    offsets = Offsets.of(text, segment_characters)
    events = tuple(
        _event(item, f"events[{number}]", text, offsets) for number, item in enumerate(member(record, "events", []))
    )
    metadata = beyond(record, {"id", "content", "events"})
    return offsets.document(member(record, "id", ""), events, metadata)


def write_document(document: Document) -> Iterator[dict[str, Any]]:
    """Yield the one record of a document; of what is in pieces, the pieces become mentions of their own."""
    yield {
        "id": document.id,
        "content": document.text,
        "events": [_event_record(document, event) for event in document.events],
        **beyond(document.metadata, {"id", "content", "events"}),
    }


def _event(value: Any, where: str, text: str, offsets: Offsets) -> Event:
    record = mapping(value, where)
    triggers: list[Mention] = []
    positions = []
    arguments = []
    for number, item in enumerate(member(record, "mentions", [], inside=where)):
        inside = f"{where}.mentions[{number}]"
        mention = mapping(item, inside)
        role = name_in(mention, "role", inside)
        at = [mention.get("span")]
        characters = offsets.characters_of(at[0], f"{inside}.span")
        attributes = beyond(mention, {"role", "span"}, {"word": text[characters.start : characters.end]})
        if role == _TRIGGER:
            triggers.append(offsets.mention(at, f"{inside}.span", attributes=attributes))
            positions.append(number)
        else:
            arguments.append(offsets.argument(role, at, f"{inside}.span", attributes=attributes))
    attributes = beyond(record, {"type", "mentions"})
    if positions not in ([], [0]):
        attributes[_ORDER] = positions
    plain = len(triggers) == 1 and triggers[0] == Mention(triggers[0].span)
    return Event(
        name_in(record, "type", where),
        triggers[0].span if triggers else None,
        tuple(arguments),
        mentions=() if plain else tuple(triggers),
        attributes=attributes,
    )


def _event_record(document: Document, event: Event) -> dict[str, Any]:
    triggers = event.mentions or (() if event.trigger is None else (Mention(event.trigger),))
    mentions: list[dict[str, Any]] = []
    for argument in event.arguments:
        mentions += _mentions(document, argument.role, argument, argument.attributes)
    positions = event.attributes.get(_ORDER)
    places = positions if isinstance(positions, list) and len(positions) == len(triggers) else range(len(triggers))
    for place, trigger in zip(places, triggers, strict=True):
        mentions[place:place] = _mentions(document, _TRIGGER, trigger, trigger.attributes)
    attributes = beyond(event.attributes, {_ORDER})
    return {"type": event.type, "mentions": mentions, **attributes}


def _mentions(document: Document, role: str, place: Place, attributes: Any) -> list[dict[str, Any]]:
    return [
        {"word": document.text[piece.start : piece.end], "span": [piece.start, piece.end], "role": role, **attributes}
        for piece in document.pieces_of(place)
    ]


FORMAT = Format("fewfc", "FewFC", "id", recognises, read_document, write_document)
