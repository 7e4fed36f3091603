"""MAVEN-ARG (Wang et al. 2023, "Completing the Puzzle of All-in-One Event Understanding Dataset"), a document a line.

Quirks, each with a test:

- Offsets count characters of `document`, and their end is exclusive.
- An event may have several mentions, all of which are its triggers.
- An argument is either a place with its text, or an entity by `entity_id`: then its span is that of the entity's first
  mention, and the identifier is its filler.
- Roles without an argument are listed with an empty list; they stay in the event's attribute `roles`.
- Test files have bare `event_mentions` in place of `events`: each becomes an event without arguments, unless one has no
  type; then all of them stay in `metadata["maven_arg"]`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from eventune.corpora.fields import beyond, mapping, member, name_in, own_metadata, shown
from eventune.corpora.offsets import Offsets
from eventune.corpora.registry import Format
from eventune.errors import InvalidValueError
from eventune.events import Argument, Document, Entity, Event, Mention, Place, Span
from eventune.events.segmentation import segment

_NAME = "maven_arg"
_OWN = frozenset({"id", "document", "events", "entities", _NAME})
_EVENT = ("id", "type", "mention", "argument", "roles")
_ENTITY = ("id", "type", "mention")
_TRIGGER = ("id", "offset")
_TEST_EVENT = (*_TRIGGER, "type")
_ARGUMENT = ("entity_id", "offset")


def recognises(record: Any) -> bool:
    """Tell whether a first record looks like this format."""
    if not isinstance(record, dict) or "content" in record:
        return False
    return bool(record.keys() & {"document", "negative_triggers"} and record.keys() & {"events", "event_mentions"})


def read_document(value: Any) -> Document:
    """Read a document, with tokens of its own making; see `Format`."""
    record = mapping(value, "record")
    text = member(record, "document", "")
    offsets = Offsets.of(text, segment)
    entities: dict[str, Entity] = {}
    for number, item in enumerate(member(record, "entities", [], required=False)):
        where = f"entities[{number}]"
        entity = _entity(item, where, offsets, text)
        if entity.id in entities:
            expected = "an identifier of its own in the document"
            raise InvalidValueError(f"{where}.id", expected, f"{shown(entity.id)} once more")
        entities[entity.id] = entity
    metadata = beyond(record, _OWN)
    if "events" not in record and "event_mentions" in record:
        candidates = member(record, "event_mentions", [])
        del metadata["event_mentions"]
        typed = all(isinstance(item, dict) and item.get("type") for item in candidates)
        metadata[_NAME] = {"event_mentions": [] if typed else candidates}
        items = enumerate(candidates if typed else [])
        events = [_test_event(item, f"event_mentions[{n}]", offsets, text) for n, item in items]
    else:
        items = enumerate(member(record, "events", []))
        events = [_event(item, f"events[{n}]", offsets, text, entities) for n, item in items]
    identifier = member(record, "id", "")
    return offsets.document(identifier, events, metadata, entities.values())


def write_document(document: Document) -> Iterator[dict[str, Any]]:
    """Yield the one record of a document.

    A place in pieces becomes what lies between its first character and its last. The format has no place for scores,
    nor for identifiers of fillers that are no entities.
    """
    names = (f"ENTITY_{number}" for number in count(1))
    taken = {entity.id for entity in document.entities}
    entities: dict[str, Entity] = {}
    for entity in document.entities:
        name = entity.id if entity.id and entity.id not in entities else next(n for n in names if n not in taken)
        entities[name] = entity
    record: dict[str, Any] = {
        "id": document.id,
        "document": document.text,
        "entities": [_entity_record(name, entity, document) for name, entity in entities.items()],
        **beyond(document.metadata, _OWN),
    }
    candidates = own_metadata(document, _NAME).get("event_mentions")
    bare = all(event.trigger and not event.arguments for event in document.events)
    if isinstance(candidates, list) and bare:
        record["event_mentions"] = [_test_record(event, document) for event in document.events] or candidates
    else:
        record["events"] = [
            _event_record(event, event.id or f"EVENT_{number}", document, entities)
            for number, event in enumerate(document.events, 1)
        ]
    yield record


def _entity(value: Any, where: str, offsets: Offsets, text: str) -> Entity:
    record = mapping(value, where)
    mentions = _mentions(record, where, offsets, text, "mention")
    if not mentions:
        raise InvalidValueError(f"{where}.mention", "at least one mention", "an empty list")
    type_name = member(record, "type", "", inside=where, required=False)
    return Entity(mentions, name_in(record, "id", where), type_name, beyond(record, _ENTITY))


def _mentions(record: Mapping[str, Any], where: str, offsets: Offsets, text: str, word: str) -> tuple[Mention, ...]:
    items = enumerate(member(record, "mention", [], inside=where))
    return tuple(_mention(item, f"{where}.mention[{n}]", offsets, text, word) for n, item in items)


def _mention(
    value: Any, where: str, offsets: Offsets, text: str, word: str, own: tuple[str, ...] = _TRIGGER
) -> Mention:
    """Read a mention, whose text stands in the field `word`."""
    record = mapping(value, where)
    offset = member(record, "offset", [], inside=where)
    mention = offsets.mention([offset], f"{where}.offset")
    attributes = beyond(record, own, {word: text[slice(*offset)]})
    name = member(record, "id", "", inside=where, required=False)
    return Mention(mention.span, name, characters=mention.characters, attributes=attributes)


def _event(value: Any, where: str, offsets: Offsets, text: str, entities: Mapping[str, Entity]) -> Event:
    record = mapping(value, where)
    mentions = _mentions(record, where, offsets, text, "trigger_word")
    arguments: list[Argument] = []
    roles = member(record, "argument", {}, inside=where, required=False)
    for role in roles:
        if not role:
            raise InvalidValueError(f"{where}.argument", "roles with a name", shown(role))
        for n, item in enumerate(member(roles, role, [], inside=f"{where}.argument")):
            arguments.append(_argument(role, item, f"{where}.argument.{role}[{n}]", offsets, text, entities))
    attributes = beyond(record, _EVENT)
    if not all(roles.values()):
        attributes["roles"] = list(roles)
    return Event(
        name_in(record, "type", where),
        mentions[0].span if mentions else None,
        tuple(arguments),
        member(record, "id", "", inside=where, required=False),
        mentions,
        attributes,
    )


def _test_event(value: Any, where: str, offsets: Offsets, text: str) -> Event:
    record = mapping(value, where)
    mention = _mention(record, where, offsets, text, "trigger_word", _TEST_EVENT)
    return Event(name_in(record, "type", where), mention.span, mentions=(mention,))


def _argument(
    role: str, value: Any, where: str, offsets: Offsets, text: str, entities: Mapping[str, Entity]
) -> Argument:
    record = mapping(value, where)
    filler = member(record, "entity_id", "", inside=where, required=False)
    if filler and filler not in entities:
        raise InvalidValueError(f"{where}.entity_id", "the id of one of the entities", shown(filler))
    if filler and "offset" not in record:
        first = entities[filler].mentions[0]
        rest = beyond(record, _ARGUMENT)
        return Argument(role, first.span, characters=first.characters, filler=filler, attributes=rest)
    offset = member(record, "offset", [], inside=where)
    argument = offsets.argument(role, [offset], f"{where}.offset")
    rest = beyond(record, _ARGUMENT, {"content": text[slice(*offset)]})
    return Argument(role, argument.span, characters=argument.characters, filler=filler, attributes=rest)


def _entity_record(name: str, entity: Entity, document: Document) -> dict[str, Any]:
    types = (entity.type, *(mention.type for mention in entity.mentions))
    return {
        "id": name,
        "type": next(filter(None, types), ""),
        "mention": [
            _mention_record(mention.id or f"{name}-{number}", mention, document, "mention")
            for number, mention in enumerate(entity.mentions, 1)
        ],
        **beyond(entity.attributes, _ENTITY),
    }


def _mention_record(name: str, mention: Mention, document: Document, word: str) -> dict[str, Any]:
    place = _located(mention, document, word)
    return {"id": name, **place, **beyond(mention.attributes, _TRIGGER)}


def _event_record(event: Event, name: str, document: Document, entities: Mapping[str, Entity]) -> dict[str, Any]:
    mentions = _triggers(event)
    roles: dict[str, list[Any]] = {}
    known = event.attributes.get("roles")
    if isinstance(known, list):
        roles = {role: [] for role in known if isinstance(role, str) and role}
    for argument in event.arguments:
        roles.setdefault(argument.role, []).append(_argument_record(argument, document, entities))
    return {
        "id": name,
        "type": event.type,
        "mention": [
            _mention_record(mention.id or f"{name}-{number}", mention, document, "trigger_word")
            for number, mention in enumerate(mentions, 1)
        ],
        "argument": roles,
        **beyond(event.attributes, _EVENT),
    }


def _test_record(event: Event, document: Document) -> dict[str, Any]:
    first = _triggers(event)[0]
    return {"type": event.type, **_mention_record(first.id, first, document, "trigger_word")}


def _argument_record(argument: Argument, document: Document, entities: Mapping[str, Entity]) -> dict[str, Any]:
    rest = beyond(argument.attributes, _ARGUMENT)
    entity = entities.get(argument.filler)
    if entity is None:
        return {**_located(argument, document, "content"), **rest}
    named_only = {"entity_id": argument.filler}
    if document.pieces_of(entity.mentions[0]) == document.pieces_of(argument):
        return {**named_only, **rest}
    return {**named_only, **_located(argument, document, "content"), **rest}


def _triggers(event: Event) -> tuple[Mention, ...]:
    return event.mentions or tuple(map(Mention, event.triggers))


def _located(place: Place, document: Document, word: str) -> dict[str, Any]:
    pieces = document.pieces_of(place)
    hull = Span(min(piece.start for piece in pieces), max(piece.end for piece in pieces))
    return {word: document.text[hull.start : hull.end], "offset": [hull.start, hull.end]}


FORMAT = Format("maven_arg", "MAVEN-ARG", "id", recognises, read_document, write_document)
