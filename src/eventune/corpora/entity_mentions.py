"""Entity mentions, and events whose arguments name them: what WikiEvents and TextEE share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from eventune.corpora.fields import beyond, mapping, member, name_in, shown, span_at
from eventune.errors import InvalidValueError
from eventune.events import Argument, Document, Entity, Event, Mention, Span

Derived = Callable[[Document, Span], dict[str, Any]]
"""Gives the fields of a mention that follow from the document and a span."""
ReadArgument = Callable[[Any, str, Document, Mapping[str, Mention]], Argument]
"""Reads an argument from its record, its path, the document, and the entity mentions by identifier."""

_MENTION = ("id", "start", "end", "entity_type")
_TRIGGER = ("start", "end")
_EVENT = ("id", "event_type", "trigger", "arguments")


def annotated(
    document: Document, record: Mapping[str, Any], read_argument: ReadArgument, mention: Derived, trigger: Derived
) -> Document:
    """Read the entity mentions and events of a record.

    Args:
        document: The document, of which only the tokens are used.
        record: The record, with `entity_mentions` and `event_mentions`.
        read_argument: Reads an argument.
        mention: Gives the fields of an entity mention that follow from a document and a span.
        trigger: The same for a trigger.

    Returns:
        The document with an entity for each mention, and the events.

    Raises:
        InvalidValueError: If a field is missing, of another type, or outside the document.
    """
    values = member(record, "entity_mentions", [], required=False)
    entities = tuple(
        Entity((read_mention(item, f"entity_mentions[{n}]", document, mention),)) for n, item in enumerate(values)
    )
    mentions = mentions_by_id(entities)
    events = []
    for number, item in enumerate(member(record, "event_mentions", [])):
        where = f"event_mentions[{number}]"
        value = mapping(item, where)
        place = read_trigger(value, where, document, trigger)
        arguments = tuple(
            read_argument(argument, f"{where}.arguments[{n}]", document, mentions)
            for n, argument in enumerate(member(value, "arguments", [], inside=where))
        )
        event_type = name_in(value, "event_type", where)
        identifier = member(value, "id", "", inside=where, required=False)
        kept = (place,) if place.attributes else ()
        events.append(Event(event_type, place.span, arguments, identifier, kept, beyond(value, _EVENT)))
    return replace(document, entities=entities, events=tuple(events))


def event_records(
    document: Document, argument_record: Callable[[Argument], dict[str, Any]], trigger: Derived
) -> list[dict[str, Any]]:
    """Return the records of a document's events, without those that have no trigger.

    Args:
        document: The document.
        argument_record: Makes the record of an argument.
        trigger: Gives the fields of a trigger that follow from a document and a span.

    Returns:
        The records; an event without an identifier gets one by its number.
    """
    return [
        {
            "id": event.id or f"{document.id}-E{number}",
            "event_type": event.type,
            "trigger": trigger_record(event, event.trigger, trigger(document, event.trigger)),
            "arguments": [argument_record(argument) for argument in event.arguments],
            **beyond(event.attributes, _EVENT),
        }
        for number, event in enumerate(document.events, 1)
        if event.trigger is not None
    ]


def placed(text: str, words: Iterable[str]) -> tuple[Span, ...] | None:
    """Find the words of a text in it.

    Args:
        text: The text.
        words: Its words in order, with nothing but white space between them.

    Returns:
        The character span of each word, or None if the text is made of other words.
    """
    spans = []
    behind = 0
    for word in words:
        start = text.find(word, behind)
        if start < 0 or text[behind:start].strip():
            return None
        behind = start + len(word)
        spans.append(Span(start, behind))
    return None if text[behind:].strip() else tuple(spans)


def words_of(values: Sequence[Any], where: str) -> list[str]:
    """Return words that must be strings with something in them; raises InvalidValueError."""
    for number, word in enumerate(values):
        if not isinstance(word, str) or not word:
            raise InvalidValueError(f"{where}[{number}]", "a non-empty string", shown(word))
    return list(values)


def read_mention(value: Any, where: str, document: Document, derived: Derived) -> Mention:
    """Read an entity mention.

    Args:
        value: `{"id", "start", "end", "entity_type", …}`, offsets in tokens, the end exclusive.
        where: Its path in the record, for messages.
        document: The document, of which only the tokens are used.
        derived: Gives the fields that follow from a document and a span.

    Returns:
        The mention.

    Raises:
        InvalidValueError: If a field is missing, of another type, or outside the document.
    """
    record = mapping(value, where)
    name = name_in(record, "id", where)
    span = span_in(record, where, document)
    rest = beyond(record, _MENTION, derived(document, span))
    return Mention(span, name, member(record, "entity_type", "", inside=where), attributes=rest)


def read_trigger(event: Mapping[str, Any], where: str, document: Document, derived: Derived) -> Mention:
    """Read the trigger of an event; arguments and errors are those of `read_mention`."""
    where = f"{where}.trigger"
    record = mapping(event.get("trigger"), where)
    span = span_in(record, where, document)
    return Mention(span, attributes=beyond(record, _TRIGGER, derived(document, span)))


def span_in(record: Mapping[str, Any], where: str, document: Document) -> Span:
    """Return the token span between `start` and `end` of a record; raises InvalidValueError."""
    return span_at([record.get("start"), record.get("end")], where, length=len(document.tokens))


def mentions_by_id(entities: Sequence[Entity]) -> dict[str, Mention]:
    """Return the mention of each entity by its identifier; raises InvalidValueError if two share one."""
    mentions: dict[str, Mention] = {}
    for number, entity in enumerate(entities):
        (mention,) = entity.mentions
        if mention.id in mentions:
            expected = "an identifier of its own in the document"
            raise InvalidValueError(f"entity_mentions[{number}].id", expected, f"{shown(mention.id)} once more")
        mentions[mention.id] = mention
    return mentions


def filler_of(record: Mapping[str, Any], where: str, mentions: Mapping[str, Mention]) -> Mention:
    """Return the entity mention that an argument's `entity_id` names; raises InvalidValueError."""
    name = name_in(record, "entity_id", where)
    if name not in mentions:
        raise InvalidValueError(f"{where}.entity_id", "the id of one of the entity_mentions", shown(name))
    return mentions[name]


def mention_record(name: str, mention: Mention, derived: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record of an entity mention; what it says itself goes before what follows from the document."""
    offsets = {"id": name, **_offsets(mention.span), "entity_type": mention.type}
    return {**offsets, **derived, **beyond(mention.attributes, _MENTION)}


def trigger_record(event: Event, trigger: Span, derived: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record of an event's first trigger."""
    attributes = event.mentions[0].attributes if event.mentions else {}
    return {**_offsets(trigger), **derived, **beyond(attributes, _TRIGGER)}


class MentionTable:
    """The entity mentions of a document by identifiers that are unique, and those that its arguments need besides."""

    def __init__(self, document: Document) -> None:
        known = [
            replace(mention, type=mention.type or entity.type)
            for entity in document.entities
            for mention in entity.mentions
        ]
        taken = {mention.id for mention in known}
        self._mentions: dict[str, Mention] = {}
        names = (f"{document.id}-T{number}" for number in count(1))
        self._fresh = (name for name in names if name not in taken and name not in self._mentions)
        self._at: dict[Span, str] = {}
        for mention in known:
            self._add(mention)

    def name_for(self, argument: Argument) -> str:
        """Return the identifier of an entity mention at an argument's place, best the one that it names itself."""
        filler = self._mentions.get(argument.filler)
        if filler is not None and filler.span == argument.span:
            return argument.filler
        return self._at.get(argument.span) or self._add(Mention(argument.span, argument.filler))

    def items(self) -> Iterable[tuple[str, Mention]]:
        """Return the mentions with their identifiers; complete when all arguments have asked for theirs."""
        return self._mentions.items()

    def _add(self, mention: Mention) -> str:
        name = mention.id if mention.id and mention.id not in self._mentions else next(self._fresh)
        self._mentions[name] = mention
        self._at.setdefault(mention.span, name)
        return name

    def __getitem__(self, name: str) -> Mention:
        return self._mentions[name]


def _offsets(span: Span) -> dict[str, int]:
    return {"start": span.start, "end": span.end}
