"""The project's own format: one JSON object a line, which loses nothing of a document.

    {"id": "d1", "text": "Rebels shelled Homs.", "tokens": [[0, 6], [7, 14], [15, 19], [19, 20]], "sentences": [[0, 4]],
     "events": [{"id": "e1", "type": "attack", "trigger": [1, 2],
                 "arguments": [{"role": "attacker", "span": [0, 1], "score": 0.9}]}],
     "entities": [{"id": "c1", "type": "place", "mentions": [{"id": "m1", "span": [2, 3]}]}],
     "metadata": {"source_url": "…"}}

`tokens` are character spans, all other spans are of tokens, and every span is half-open. Only `id` and `text` must be
there; where no span counts tokens, these and the sentences are left to `eventune.events.segmentation`.

An argument or a mention in pieces has their token spans as `fragments`; where a piece begins or ends inside a token,
`characters` holds the exact character span of each piece. An argument's `filler` is the identifier of the mention,
entity or event that fills the role, and an event with several triggers has all of them as `mentions`. Events,
arguments, mentions and entities may have `attributes`, an object with whatever else a corpus says of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from eventune.corpora.fields import mapping, member, name_in, only, shown, span_at
from eventune.corpora.registry import Format
from eventune.errors import InvalidValueError
from eventune.events import Argument, Document, Entity, Event, Mention, Place, Span
from eventune.events.segmentation import segment, sentences_of

FIELDS = ("id", "text", "tokens", "sentences", "events", "entities", "metadata")
_PLACE = ("span", "fragments", "characters", "attributes")


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
    events = tuple(
        _event(event, f"events[{n}]") for n, event in enumerate(member(record, "events", [], required=False))
    )
    entities = tuple(
        _entity(entity, f"entities[{n}]") for n, entity in enumerate(member(record, "entities", [], required=False))
    )
    with_spans = {
        "sentences": "sentences" in record,
        "events": any(event.triggers or event.arguments for event in events),
        "entities": bool(entities),
    }
    if "tokens" in record:
        tokens = _spans(record, "tokens")
        sentences = _spans(record, "sentences") if "sentences" in record else sentences_of(text, tokens)
    elif any(with_spans.values()):
        # On tokens made here the spans would shift with every change of the segmentation.
        hint = 'the character span of each, such as "tokens": [[0, 6], [7, 11]]'
        first = next(name for name, has_spans in with_spans.items() if has_spans)
        raise InvalidValueError("tokens", f"the tokens that the spans of {first} count", "no such field", hint)
    else:
        tokens, sentences = segment(text)
    return Document(
        member(record, "id", ""),
        text,
        tokens,
        sentences,
        events,
        member(record, "metadata", {}, required=False),
        entities,
    )


def write_document(document: Document) -> Iterator[dict[str, Any]]:
    """Yield the one record of a document."""
    record: dict[str, Any] = {
        "id": document.id,
        "text": document.text,
        "tokens": [[token.start, token.end] for token in document.tokens],
        "sentences": [[sentence.start, sentence.end] for sentence in document.sentences],
        "events": [_event_record(event) for event in document.events],
        "metadata": dict(document.metadata),
    }
    if document.entities:
        record["entities"] = [_entity_record(entity) for entity in document.entities]
    yield record


def _spans(record: Mapping[str, Any], name: str) -> tuple[Span, ...]:
    return tuple(span_at(pair, f"{name}[{n}]") for n, pair in enumerate(member(record, name, [])))


def _event(value: Any, where: str) -> Event:
    record = mapping(value, where)
    only(record, ("id", "type", "trigger", "arguments", "mentions", "attributes"), inside=where)
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
    if score is not None and type(score) not in (int, float):
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


def _event_record(event: Event) -> dict[str, Any]:
    record: dict[str, Any] = {
        "id": event.id,
        "type": event.type,
        "trigger": None if event.trigger is None else _pair(event.trigger),
        "arguments": [_argument_record(argument) for argument in event.arguments],
    }
    if event.mentions:
        record["mentions"] = [_mention_record(mention) for mention in event.mentions]
    if event.attributes:
        record["attributes"] = dict(event.attributes)
    return record


def _argument_record(argument: Argument) -> dict[str, Any]:
    record: dict[str, Any] = {"role": argument.role, **_place_record(argument, argument.attributes)}
    if argument.score is not None:
        record["score"] = argument.score
    if argument.filler:
        record["filler"] = argument.filler
    return record


def _entity_record(entity: Entity) -> dict[str, Any]:
    record: dict[str, Any] = _named(entity.id, entity.type)
    record["mentions"] = [_mention_record(mention) for mention in entity.mentions]
    if entity.attributes:
        record["attributes"] = dict(entity.attributes)
    return record


def _mention_record(mention: Mention) -> dict[str, Any]:
    return {**_named(mention.id, mention.type), **_place_record(mention, mention.attributes)}


def _named(identifier: str, type_name: str) -> dict[str, Any]:
    return {name: value for name, value in (("id", identifier), ("type", type_name)) if value}


def _place_record(place: Place, attributes: Mapping[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = {"span": _pair(place.span)}
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
