"""The project's own format: one JSON object a line, which loses nothing of a document.

    {"id": "d1", "text": "Rebels shelled Homs.", "tokens": [[0, 6], [7, 14], [15, 19], [19, 20]], "sentences": [[0, 4]],
     "events": [{"id": "e1", "type": "attack", "trigger": [1, 2], "text": "shelled", "start": 7, "end": 14,
                 "arguments": [{"role": "attacker", "span": [0, 1], "text": "Rebels", "start": 0, "end": 6,
                                "score": 0.9}]}],
     "entities": [{"id": "c1", "type": "place", "mentions": [{"id": "m1", "span": [2, 3], "text": "Homs", …}]}],
     "metadata": {"source_url": "…"}}

`tokens` are character spans, all other spans are of tokens, and every span is half-open. Only `id` and `text` must be
there; a document in which no span is given may leave its tokens and sentences to `corpora.text_segmentation`.

`text`, `start` and `end` of an argument, a mention and an event (its trigger's) say in characters what the tokens say.
They are written for other programs, need not be there, and must not contradict the tokens.

An argument or a mention in pieces has their token spans as `fragments`; where a piece begins or ends inside a token,
`characters` holds the exact character span of each piece. An argument's `filler` is the identifier of the mention,
entity or event that fills the role, and an event with several triggers has all of them as `mentions`. Events,
arguments, mentions and entities may have `attributes`, an object with whatever else a corpus says of them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from eventune.corpora.fields import mapping, member, name_in, only, shown, span_at, spans_at
from eventune.corpora.registry import Format
from eventune.corpora.text_segmentation import segment_text
from eventune.errors import InvalidValueError
from eventune.events import Argument, Document, Entity, Event, Mention, Place, Span
from eventune.events.segmentation import sentences_of

FIELDS = ("id", "text", "tokens", "sentences", "events", "entities", "metadata")
_CHARACTERS = ("text", "start", "end")
_PLACE = ("span", "fragments", "characters", "attributes", *_CHARACTERS)


def recognises(record: Any) -> bool:
    """Tell whether a first record looks like this format."""
    if not isinstance(record, dict):
        return False
    # Many formats have a `text`: one with other fields beside it is recognised only by both that must be there.
    return record.keys() >= {"id", "text"} or record.keys() <= set(FIELDS)


def read_document(value: Any) -> Document:
    """Read a document from its record.

    Args:
        value: The JSON object of one line.

    Returns:
        The document.

    Raises:
        InvalidValueError: If a field is missing, unknown, of another type, or a span lies outside the document.
    """
    record = mapping(value, "record")
    only(record, FIELDS)
    text = member(record, "text", "")
    events = member(record, "events", [], required=False)
    entities = member(record, "entities", [], required=False)
    if "tokens" in record:
        tokens = _spans(record, "tokens")
        sentences = _spans(record, "sentences") if "sentences" in record else sentences_of(text, tokens)
    elif "sentences" in record or any(map(_has_span, events)) or entities:
        # Spans count tokens: on tokens made here they would shift with every change of the segmentation.
        needs = "sentences" if "sentences" in record else "entities" if entities else "events"
        hint = 'the character span of each, such as "tokens": [[0, 6], [7, 11]]'
        raise InvalidValueError("tokens", f"the tokens that the spans of {needs} count", "no such field", hint)
    else:
        tokens, sentences = segment_text(text)
    document = Document(
        member(record, "id", ""),
        text,
        tokens,
        sentences,
        tuple(_event(event, f"events[{n}]") for n, event in enumerate(events)),
        member(record, "metadata", {}, required=False),
        tuple(_entity(entity, f"entities[{n}]") for n, entity in enumerate(entities)),
    )
    _check_characters(document, events, entities)
    return document


def write_document(document: Document) -> Iterator[dict[str, Any]]:
    """Yield the one record of a document."""
    record: dict[str, Any] = {
        "id": document.id,
        "text": document.text,
        "tokens": [[token.start, token.end] for token in document.tokens],
        "sentences": [[sentence.start, sentence.end] for sentence in document.sentences],
        "events": [_event_record(document, event) for event in document.events],
        "metadata": dict(document.metadata),
    }
    if document.entities:
        record["entities"] = [_entity_record(document, entity) for entity in document.entities]
    yield record


def _spans(record: Mapping[str, Any], name: str) -> tuple[Span, ...]:
    return spans_at(member(record, name, []), name)


def _event(value: Any, where: str) -> Event:
    record = mapping(value, where)
    only(record, ("id", "type", "trigger", *_CHARACTERS, "arguments", "mentions", "attributes"), inside=where)
    trigger = record.get("trigger")
    arguments = member(record, "arguments", [], inside=where, required=False)
    return Event(
        name_in(record, "type", where),
        None if trigger is None else span_at(trigger, f"{where}.trigger"),
        tuple(_argument(argument, f"{where}.arguments[{n}]") for n, argument in enumerate(arguments)),
        member(record, "id", "", inside=where, required=False),
        _mentions(record, where, required=False),
        member(record, "attributes", {}, inside=where, required=False),
    )


def _argument(value: Any, where: str) -> Argument:
    record = mapping(value, where)
    only(record, ("role", "score", "filler", *_PLACE), inside=where)
    score = record.get("score")
    if score is not None and (type(score) not in (int, float) or abs(score) > sys.float_info.max):
        raise InvalidValueError(f"{where}.score", "a number or null", shown(score))
    filler = member(record, "filler", "", inside=where, required=False)
    try:
        return Argument(name_in(record, "role", where), score=score, filler=filler, **_place(record, where))
    except InvalidValueError as error:
        raise error if error.field.startswith(where) else error.inside(where) from None


def _entity(value: Any, where: str) -> Entity:
    record = mapping(value, where)
    only(record, ("id", "type", "mentions", "attributes"), inside=where)
    mentions = _mentions(record, where, required=True)
    if not mentions:
        raise InvalidValueError(f"{where}.mentions", "at least one mention", "an empty list")
    return Entity(
        mentions,
        member(record, "id", "", inside=where, required=False),
        member(record, "type", "", inside=where, required=False),
        member(record, "attributes", {}, inside=where, required=False),
    )


def _mentions(record: Mapping[str, Any], where: str, *, required: bool) -> tuple[Mention, ...]:
    values = member(record, "mentions", [], inside=where, required=required)
    return tuple(_mention(value, f"{where}.mentions[{n}]") for n, value in enumerate(values))


def _mention(value: Any, where: str) -> Mention:
    record = mapping(value, where)
    only(record, ("id", "type", *_PLACE), inside=where)
    identifier = member(record, "id", "", inside=where, required=False)
    type_name = member(record, "type", "", inside=where, required=False)
    try:
        return Mention(id=identifier, type=type_name, **_place(record, where))
    except InvalidValueError as error:
        raise error if error.field.startswith(where) else error.inside(where) from None


def _place(record: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return what arguments and mentions say of their place, as their constructors take it."""
    pieces = {
        name: tuple(
            span_at(pair, f"{where}.{name}[{n}]")
            for n, pair in enumerate(member(record, name, [], inside=where, required=False))
        )
        for name in ("fragments", "characters")
        if name in record
    }
    attributes = member(record, "attributes", {}, inside=where, required=False)
    return {
        "span": span_at(member(record, "span", [], inside=where), f"{where}.span"),
        "attributes": attributes,
    } | pieces


def _has_span(event: Any) -> bool:
    """Tell whether an event's record says where something stands."""
    return isinstance(event, dict) and any(event.get(name) for name in ("trigger", "arguments", "mentions"))


def _check_characters(document: Document, events: list[Any], entities: list[Any]) -> None:
    """Refuse characters that are not those of the tokens: nobody could tell which of both is meant."""
    for n, (event, record) in enumerate(zip(document.events, events, strict=True)):
        trigger = _trigger_of(event)
        _agree(record, {} if trigger is None else _characters_of(document, trigger), f"events[{n}]")
        for name, places in (("arguments", event.arguments), ("mentions", event.mentions)):
            _check_places(document, places, record.get(name, []), f"events[{n}].{name}")
    for n, (entity, record) in enumerate(zip(document.entities, entities, strict=True)):
        _check_places(document, entity.mentions, record["mentions"], f"entities[{n}].mentions")


def _check_places(document: Document, places: Sequence[Place], records: list[Any], where: str) -> None:
    for n, (place, record) in enumerate(zip(places, records, strict=True)):
        if not record.keys().isdisjoint(_CHARACTERS):
            _agree(record, _characters_of(document, place), f"{where}[{n}]")


def _agree(record: Mapping[str, Any], characters: Mapping[str, Any], where: str) -> None:
    for name in _CHARACTERS:
        if name in record and record[name] != characters.get(name):
            expected = shown(characters[name]) if characters else "none, as there is no trigger"
            hint = "spans count tokens, start and end characters; leave these out if they come from another text"
            raise InvalidValueError(f"{where}.{name}", f"what the tokens say, {expected}", shown(record[name]), hint)


def _characters_of(document: Document, place: Place) -> dict[str, Any]:
    """Return text, start and end of a place; the text of one in pieces is that of its pieces."""
    pieces = document.pieces_of(place)
    return {
        "text": document.exact_text_of(place),
        "start": min(piece.start for piece in pieces),
        "end": max(piece.end for piece in pieces),
    }


def _trigger_of(event: Event) -> Mention | None:
    if event.mentions:
        return event.mentions[0]
    return None if event.trigger is None else Mention(event.trigger)


def _event_record(document: Document, event: Event) -> dict[str, Any]:
    trigger = _trigger_of(event)
    record: dict[str, Any] = {
        "id": event.id,
        "type": event.type,
        "trigger": None if event.trigger is None else _pair(event.trigger),
        **({} if trigger is None else _characters_of(document, trigger)),
        "arguments": [_argument_record(document, argument) for argument in event.arguments],
    }
    if event.mentions:
        record["mentions"] = [_mention_record(document, mention) for mention in event.mentions]
    if event.attributes:
        record["attributes"] = dict(event.attributes)
    return record


def _argument_record(document: Document, argument: Argument) -> dict[str, Any]:
    record: dict[str, Any] = {"role": argument.role, **_place_record(document, argument, argument.attributes)}
    if argument.score is not None:
        record["score"] = argument.score
    if argument.filler:
        record["filler"] = argument.filler
    return record


def _entity_record(document: Document, entity: Entity) -> dict[str, Any]:
    record: dict[str, Any] = _named(entity.id, entity.type)
    record["mentions"] = [_mention_record(document, mention) for mention in entity.mentions]
    if entity.attributes:
        record["attributes"] = dict(entity.attributes)
    return record


def _mention_record(document: Document, mention: Mention) -> dict[str, Any]:
    return {**_named(mention.id, mention.type), **_place_record(document, mention, mention.attributes)}


def _named(identifier: str, type_name: str) -> dict[str, Any]:
    return {name: value for name, value in (("id", identifier), ("type", type_name)) if value}


def _place_record(document: Document, place: Place, attributes: Mapping[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = {"span": _pair(place.span), **_characters_of(document, place)}
    if place.fragments:
        record["fragments"] = [_pair(piece) for piece in place.fragments]
    if place.characters:
        record["characters"] = [_pair(piece) for piece in place.characters]
    if attributes:
        record["attributes"] = dict(attributes)
    return record


def _pair(span: Span) -> list[int]:
    return [span.start, span.end]


FORMAT = Format("jsonl", "the project's own, which loses nothing", "id", recognises, read_document, write_document)
