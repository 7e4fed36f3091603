"""doccano's JSONL export, of relations between spans or of spans alone.

Quirks, each with a test:

- `{"id", "text", "entities": [{"id", "label", "start_offset", "end_offset"}], "relations": [{"id", "from_id", "to_id",
  "type"}]}`; `eventune.corpora.related_spans` says how that means events.
- Offsets are taken as characters, the end exclusive. doccano counts UTF-16 units unless it is told to count grapheme
  clusters (doccano#2290), and its records do not say which: behind an emoji, have a look at the spans.
- An export without relations has `"label": [[start, end, "LABEL"]]` in place of them: all spans are entities.
- Identifiers are numbers, here strings. doccano refuses others and gives its own: spans that have other identifiers are
  numbered.
- Triggers without arguments are listed in `triggers`, a field that doccano takes for metadata, as `[start, end,
  label]`, which it does not change. A list of identifiers, as earlier versions wrote it, is read too.
- doccano holds a file as a table. What a record lacks is null in its export, and makes its import fail, so that
  `triggers` is always written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from eventune.corpora.fields import beyond, mapping, member, name_in, shown
from eventune.corpora.offsets import Offsets
from eventune.corpora.registry import Format
from eventune.corpora.related_spans import Relation, events_and_entities, number_of, spans_and_relations, text_of
from eventune.errors import InvalidValueError
from eventune.events import Document, Mention
from eventune.events.segmentation import segment

_OWN = frozenset({"id", "text", "entities", "relations", "label", "triggers"})
_PRIVATE = "doccano"


def recognises(value: Any) -> bool:
    """Tell whether a first record looks like this format."""
    if not isinstance(value, dict) or "text" not in value or "tokens" in value:
        return False
    return value.keys() >= {"entities", "relations"} or isinstance(value.get("label"), list)


def read_document(value: Any) -> Document:
    """Read a document; see `Format`."""
    record = mapping(value, "record")
    text = member(record, "text", "")
    offsets = Offsets.of(text, segment)
    plain = "label" in record and "entities" not in record
    spans = list(_labels(record, offsets) if plain else _entities(record, offsets))
    _refuse_repeated(spans)
    relations = [
        _relation(item, f"relations[{number}]")
        for number, item in enumerate(member(record, "relations", [], required=False))
    ]
    events, entities = events_and_entities(spans, relations, _triggers(record))
    metadata = beyond(record, _OWN)
    if plain:
        metadata[_PRIVATE] = "label"
    identifier = text_of(record.get("id"), "id")
    return offsets.document(identifier, events, metadata, entities)


def write_document(document: Document) -> Iterator[dict[str, Any]]:
    """Yield the one record of a document; scores and coreference have no place here."""
    spans, relations, triggers = spans_and_relations(document)
    record: dict[str, Any] = {"id": number_of(document.id), "text": document.text}
    places = [document.characters_of(span.span) if not span.characters else span.characters[0] for span in spans]
    if document.metadata.get(_PRIVATE) == "label" and not triggers:
        record["label"] = [[at.start, at.end, span.type] for at, span in zip(places, spans, strict=True)]
    else:
        numbers = _numbers(spans)
        record["entities"] = [
            {
                **span.attributes,
                "id": numbers[span.id],
                "label": span.type,
                "start_offset": at.start,
                "end_offset": at.end,
            }
            for at, span in zip(places, spans, strict=True)
        ]
        record["relations"] = [
            {
                **relation.attributes,
                "id": _number_or(relation.attributes.get("id"), number),
                "from_id": numbers[relation.source],
                "to_id": numbers[relation.target],
                "type": relation.role,
            }
            for number, relation in enumerate(relations, 1)
        ]
        sources = {relation.source for relation in relations}
        record["triggers"] = [
            [at.start, at.end, span.type]
            for at, span in zip(places, spans, strict=True)
            if span.id in triggers and span.id not in sources
        ]
    yield record | beyond(document.metadata, _OWN | {_PRIVATE})


def _numbers(spans: Sequence[Mention]) -> dict[str, int]:
    """Return the number of each span: its identifier, if all of them are numbers."""
    given = {span.id: number_of(span.id) for span in spans}
    if all(isinstance(number, int) for number in given.values()):
        return {name: int(number) for name, number in given.items()}
    return {name: number for number, name in enumerate(given, 1)}


def _number_or(value: Any, otherwise: int) -> int:
    return value if type(value) is int else otherwise


def _entities(record: Mapping[str, Any], offsets: Offsets) -> Iterator[Mention]:
    for number, item in enumerate(member(record, "entities", [])):
        where = f"entities[{number}]"
        entity = mapping(item, where)
        yield offsets.mention(
            [(entity.get("start_offset"), entity.get("end_offset"))],
            f"{where}.start_offset, end_offset",
            id=text_of(entity.get("id"), f"{where}.id"),
            type=name_in(entity, "label", where),
            attributes=beyond(entity, {"id", "label", "start_offset", "end_offset"}),
        )


def _labels(record: Mapping[str, Any], offsets: Offsets) -> Iterator[Mention]:
    for number, item in enumerate(member(record, "label", [])):
        where = f"label[{number}]"
        if not isinstance(item, list) or len(item) != 3 or not isinstance(item[2], str) or not item[2]:
            raise InvalidValueError(where, "[start, end, label]", shown(item))
        yield offsets.mention([tuple(item[:2])], where, id=str(number + 1), type=item[2])


def _triggers(record: Mapping[str, Any]) -> list[str]:
    """Return the identifiers of the listed triggers; one whose span was changed is none any more."""
    if record.get("triggers") is None:
        return []
    by_place = {
        (entity.get("start_offset"), entity.get("end_offset"), entity.get("label")): str(entity.get("id"))
        for entity in member(record, "entities", [], required=False)
    }
    listed = []
    for number, item in enumerate(member(record, "triggers", [])):
        match item:
            case [int(start), int(end), str(label)]:
                listed.append(by_place.get((start, end, label), ""))
            case list():
                raise InvalidValueError(f"triggers[{number}]", "[start, end, label]", shown(item))
            case _:
                listed.append(str(item))
    return listed


def _refuse_repeated(spans: list[Mention]) -> None:
    seen: set[str] = set()
    for number, span in enumerate(spans):
        if span.id in seen:
            raise InvalidValueError(f"entities[{number}].id", "an identifier of its own", shown(span.id))
        seen.add(span.id)


def _relation(value: Any, where: str) -> Relation:
    record = mapping(value, where)
    ends = [text_of(record.get(name), f"{where}.{name}") for name in ("from_id", "to_id")]
    rest = beyond(record, {"from_id", "to_id", "type"})
    return Relation(ends[0], ends[1], name_in(record, "type", where), where, rest)


FORMAT = Format("doccano", "doccano's export", "id", recognises, read_document, write_document)
