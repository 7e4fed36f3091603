"""Events as annotation tools hold them: labelled spans, and relations from a trigger to what fills a role of its event.

A span from which a relation starts is a trigger, and its label the event type; the relation's label is the role. A
trigger without arguments has no relation: writers list such triggers beside the spans, where the tools keep what they
do not know. All other spans are entities.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from eventune.corpora.fields import shown
from eventune.errors import InvalidValueError
from eventune.events import Argument, Document, Entity, Event, Mention, Place


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation between two spans.

    Attributes:
        source: Identifier of the span it starts from, the trigger.
        target: Identifier of the span it leads to.
        role: Its label.
        where: Its path in the record, for messages.
        attributes: Whatever else the record says of it.
    """

    source: str
    target: str
    role: str
    where: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)


def events_and_entities(
    spans: Sequence[Mention], relations: Iterable[Relation], triggers: Iterable[str]
) -> tuple[tuple[Event, ...], tuple[Entity, ...]]:
    """Return what spans and relations say.

    Args:
        spans: The spans in order; their type is their label, and each has an identifier of its own.
        relations: The relations in order.
        triggers: Identifiers of the spans that are triggers although they may have no relation.

    Returns:
        Events and entities.

    Raises:
        InvalidValueError: If a relation names a span that there is not.
    """
    by_id = {span.id: span for span in spans}
    arguments: dict[str, list[Argument]] = {name: [] for name in triggers if name in by_id}
    for relation in relations:
        for name in (relation.source, relation.target):
            if name not in by_id:
                raise InvalidValueError(relation.where, "identifiers of two spans", repr(name))
        place = by_id[relation.target]
        arguments.setdefault(relation.source, []).append(
            Argument(
                relation.role,
                place.span,
                characters=place.characters,
                filler=relation.target,
                attributes=relation.attributes,
            )
        )
    events = tuple(
        Event(span.type, span.span, tuple(arguments[span.id]), span.id, (span,))
        for span in spans
        if span.id in arguments
    )
    return events, tuple(Entity((span,)) for span in spans if span.id not in arguments)


def spans_and_relations(document: Document) -> tuple[list[Mention], list[Relation], list[str]]:
    """Return the spans and relations that say what a document's events and entities do.

    Args:
        document: The document. Of what is in pieces, the whole range has a place; events without a trigger have none.

    Returns:
        Spans with identifiers of their own, relations, and the identifiers of the triggers.
    """
    writer = _Writer()
    for entity in document.entities:
        for mention in entity.mentions:
            writer.add(mention, mention.type or entity.type or "entity", mention)
    found = []
    for event in document.events:
        if event.trigger is not None:
            first = event.mentions[0] if event.mentions else Mention(event.trigger)
            found.append((event, writer.new(replace(first, id=event.id or first.id, type=event.type))))
    by_id = {event.id: name for event, name in found if event.id}
    relations = [
        Relation(name, _target(argument, by_id, writer), argument.role, attributes=dict(argument.attributes))
        for event, name in found
        for argument in event.arguments
    ]
    return writer.spans, relations, [name for _, name in found]


def text_of(value: Any, where: str) -> str:
    """Return an identifier, a number or a string, as a string."""
    if (type(value) is int or isinstance(value, str)) and str(value):
        return str(value)
    raise InvalidValueError(where, "a number or a string", shown(value))


def number_of(identifier: str) -> int | str:
    """Return an identifier as the number that it is, or as it is."""
    plain = identifier.isascii() and identifier.isdigit() and len(identifier) < 19
    return int(identifier) if plain and str(int(identifier)) == identifier else identifier


def _target(argument: Argument, by_id: dict[str, str], writer: _Writer) -> str:
    event = by_id.get(argument.filler)
    return event if event is not None else writer.add(argument, argument.role, None)


class _Writer:
    """Collects spans, each with an identifier of its own."""

    def __init__(self) -> None:
        self.spans: list[Mention] = []
        self._names: dict[Any, str] = {}
        self._used: set[str] = set()

    def add(self, place: Place, label: str, mention: Mention | None) -> str:
        """Return the identifier of the span that an argument or mention is, added if it is not there yet."""
        identifier = mention.id if mention is not None else getattr(place, "filler", "")
        key = (identifier, place.span, place.characters)
        if key not in self._names:
            attributes = {} if mention is None else mention.attributes
            span = Mention(place.span, identifier, label, (), _whole(place), attributes)
            self._names[key] = self.new(span)
        return self._names[key]

    def new(self, span: Mention) -> str:
        """Add a span whatever there is already, and return its identifier."""
        name = span.id
        number = len(self._used) + 1
        while not name or name in self._used:
            name, number = str(number), number + 1
        self._used.add(name)
        self.spans.append(replace(span, id=name, fragments=(), characters=_whole(span)))
        return name


def _whole(place: Place) -> tuple[Any, ...]:
    """Return the exact characters where there is one piece."""
    return place.characters if len(place.characters) == 1 else ()
