"""Label Studio's JSON export of span labels and relations.

Quirks, each with a test:

- A task has `data.text` and `annotations`, of which the first that was not cancelled counts; the others stay in the
  metadata.
- A result of the type `labels` is a span: `{"id", "type": "labels", "value": {"start", "end", "labels": […]}}`; one of
  the type `relation` leads from `from_id` to `to_id`. `eventune.corpora.related_spans` says how that means events.
  Results of other types stay in the metadata.
- Offsets count characters. Older versions counted UTF-16 units (HumanSignal/label-studio#1347, mended by #1559): where
  a span's own `text` says so, it is read that way.
- Several labels of one span: the first is its label, the others an attribute.
- A span of the tag `trigger` (its `from_name`, in a project of `labelling_configuration`) is a trigger, with or without
  arguments. Triggers without arguments that have another tag are listed in `data.triggers`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

from eventune.corpora.fields import beyond, mapping, member, shown
from eventune.corpora.offsets import Offsets
from eventune.corpora.registry import JSON_ARRAY, Format
from eventune.corpora.related_spans import Relation, events_and_entities, number_of, spans_and_relations, text_of
from eventune.errors import InvalidValueError
from eventune.events import Document, Mention, Ontology
from eventune.events.segmentation import segment

_PRIVATE = "label_studio"
_LABELS, _RELATION = "labels", "relation"
TRIGGER, LABEL = "trigger", "label"
"""Names of the tags that have the event types, and the roles and whatever else is labelled."""
_TYPE_COLOUR, _ROLE_COLOUR = "#1f6feb", "#b45309"


def recognises(value: Any) -> bool:
    """Tell whether a first record looks like this format."""
    return isinstance(value, dict) and "annotations" in value and isinstance(value.get("data"), dict)


def read_document(value: Any) -> Document:
    """Read a document from a task; see `Format`."""
    record = mapping(value, "record")
    data = member(record, "data", {})
    text = member(data, "text", "", inside="data")
    offsets = Offsets.of(text, segment)
    number, annotation = _chosen(record)
    where = f"annotations[{number}].result"
    spans: list[Mention] = []
    relations = []
    others = []
    for n, item in enumerate(member(annotation, "result", [], inside=where.rpartition(".")[0], required=False)):
        result = mapping(item, f"{where}[{n}]")
        if result.get("type") == _LABELS:
            spans.append(_span(result, f"{where}[{n}]", text, offsets))
        elif result.get("type") == _RELATION:
            relations.append(_relation(result, f"{where}[{n}]"))
        else:
            others.append(item)
    if len({span.id for span in spans}) < len(spans):
        raise InvalidValueError(where, "spans with identifiers of their own", "one twice")
    triggers = [str(item) for item in member(data, "triggers", [], inside="data", required=False)]
    triggers += [span.id for span in spans if span.attributes.get("from_name") == TRIGGER]
    events, entities = events_and_entities(spans, relations, triggers)
    kept = {
        "task": beyond(record, {"id", "data", "annotations"}),
        "data": beyond(data, {"text", "triggers"}),
        "annotation": beyond(annotation, {"result"}),
        "others": [item for n, item in enumerate(member(record, "annotations", [])) if n != number],
        "results": others,
    }
    metadata = {name: item for name, item in kept.items() if item}
    identifier = text_of(record.get("id"), "id")
    return offsets.document(identifier, events, {_PRIVATE: metadata} if metadata else {}, entities)


def write_document(document: Document) -> Iterator[dict[str, Any]]:
    """Yield the one task of a document; scores and coreference have no place here."""
    spans, relations, triggers = spans_and_relations(document)
    private = document.metadata.get(_PRIVATE)
    kept: Mapping[str, Any] = private if isinstance(private, dict) else {}
    results = [_span_result(document, span, TRIGGER if span.id in triggers else LABEL) for span in spans]
    told = {relation.source for relation in relations} | {
        each["id"] for each in results if each["from_name"] == TRIGGER
    }
    alone = [name for name in triggers if name not in told]
    results += [_relation_result(relation) for relation in relations]
    annotation = {**_part(kept, "annotation"), "result": [*results, *_list(kept, "results")]}
    yield {
        "id": number_of(document.id),
        "data": {"text": document.text, **({"triggers": alone} if alone else {}), **_part(kept, "data")},
        "annotations": [annotation, *_list(kept, "others")],
        **_part(kept, "task"),
    }


def labelling_configuration(ontology: Ontology) -> str:
    """Return the labelling configuration of a project in which an ontology's events are labelled.

    Args:
        ontology: The event types and roles.

    Returns:
        XML with a label for each type in the tag `trigger` and for each role in the tag `label`, whose descriptions
        show as hints, and a relation for each role.
    """
    types = {known.name: known.description for known in ontology.types.values()}
    roles: dict[str, str] = {}
    for known in ontology.types.values():
        for role in known.roles:
            roles[role.name] = roles.get(role.name) or role.description
    view = ElementTree.Element("View")
    relations = ElementTree.SubElement(view, "Relations")
    for name in roles:
        ElementTree.SubElement(relations, "Relation", value=name)
    for tag, colour, names in ((TRIGGER, _TYPE_COLOUR, types), (LABEL, _ROLE_COLOUR, roles)):
        labels = ElementTree.SubElement(view, "Labels", name=tag, toName="text")
        for name, description in names.items():
            hint = {"hint": description} if description else {}
            ElementTree.SubElement(labels, "Label", {"value": name, "background": colour} | hint)
    ElementTree.SubElement(view, "Text", name="text", value="$text")
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"


def _part(kept: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = kept.get(name)
    return value if isinstance(value, dict) else {}


def _list(kept: Mapping[str, Any], name: str) -> list[Any]:
    value = kept.get(name)
    return value if isinstance(value, list) else []


def _chosen(record: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """Return the first annotation that was not cancelled, with its number; an empty one if there is none."""
    annotations = member(record, "annotations", [])
    found = [(number, mapping(item, f"annotations[{number}]")) for number, item in enumerate(annotations)]
    return next((pair for pair in found if not pair[1].get("was_cancelled")), (-1, {}))


def _span(result: Mapping[str, Any], where: str, text: str, offsets: Offsets) -> Mention:
    value = member(result, "value", {}, inside=where)
    labels = member(value, _LABELS, [], inside=f"{where}.value")
    if not labels or not all(isinstance(label, str) and label for label in labels):
        raise InvalidValueError(f"{where}.value.labels", "names of labels", shown(labels))
    start, end, words = value.get("start"), value.get("end"), value.get("text")
    if type(start) is int and type(end) is int and isinstance(words, str) and text[start:end] != words:
        start, end = _from_utf16(text, start, end, words)
    attributes: dict[str, Any] = {"labels": labels[1:]} if len(labels) > 1 else {}
    attributes |= beyond(result, {"id", "type", "value"})
    return offsets.mention(
        [(start, end)],
        f"{where}.value.start, end",
        id=text_of(result.get("id"), f"{where}.id"),
        type=labels[0],
        attributes=attributes,
    )


def _from_utf16(text: str, start: int, end: int, words: str) -> tuple[int, int]:
    """Return offsets in characters if those given count UTF-16 units, else as they are."""
    units = text.encode("utf-16-le")
    before = len(units[: 2 * max(start, 0)].decode("utf-16-le", errors="ignore"))
    inside = units[2 * max(start, 0) : 2 * max(end, 0)].decode("utf-16-le", errors="ignore")
    return (before, before + len(inside)) if inside == words else (start, end)


def _relation(result: Mapping[str, Any], where: str) -> Relation:
    ends = [text_of(result.get(name), f"{where}.{name}") for name in ("from_id", "to_id")]
    labels = member(result, _LABELS, [], inside=where, required=False)
    if not labels or not isinstance(labels[0], str) or not labels[0]:
        raise InvalidValueError(f"{where}.labels", "the role that the relation stands for", shown(labels))
    rest = beyond(result, {"from_id", "to_id", "type", _LABELS})
    if len(labels) > 1:
        rest["labels"] = labels[1:]
    return Relation(ends[0], ends[1], labels[0], where, rest)


def _span_result(document: Document, span: Mention, tag: str) -> dict[str, Any]:
    at = span.characters[0] if span.characters else document.characters_of(span.span)
    rest = beyond(span.attributes, {"labels", "id", "type", "value"})
    value = {
        "start": at.start,
        "end": at.end,
        "text": document.text[at.start : at.end],
        "labels": [span.type, *_list(span.attributes, "labels")],
    }
    return {"from_name": tag, "to_name": "text", **rest, "id": span.id, "type": _LABELS, "value": value}


def _relation_result(relation: Relation) -> dict[str, Any]:
    rest = beyond(relation.attributes, {"labels", "type"})
    labels = [relation.role, *_list(relation.attributes, "labels")]
    ends = {"from_id": relation.source, "to_id": relation.target, "type": _RELATION, "labels": labels}
    return {"direction": "right", **rest, **ends}


FORMAT = Format("label_studio", "Label Studio's export", "id", recognises, read_document, write_document, JSON_ARRAY)
