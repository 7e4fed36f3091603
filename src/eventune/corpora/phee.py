"""PHEE (Sun et al. 2022), drug-safety events in single sentences, a document a line.

Quirks, each with a test:

- A role's value is `{"text": [["…"]], "start": [[…]], "entity_id": […]}`: the outer lists hold its fillers, the inner
  ones the pieces of a discontinuous filler. There is no end: it is the start plus the length of the text.
- Roles nest: a `Treatment` has a `Drug`. Here that is the role `Treatment.Drug`.
- A `Treatment` may have combinations, which look like events. Here a combination is an argument at its trigger, with
  its own roles as further arguments (`Treatment.Combination.Drug`); the attribute `combination` tells several apart.
- `Speculated`, `Negated` and `Severity` carry a `value` beside the words that say so.
- Identifiers do not always come one for each filler; the list then stays with the role's first filler.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from eventune.corpora.fields import beyond, mapping, member, name_in, only, shown
from eventune.corpora.offsets import Offsets
from eventune.corpora.registry import Format
from eventune.errors import InvalidValueError
from eventune.events import Argument, Document, Event, Mention
from eventune.events.segmentation import segment

_PLACE = ("text", "start", "entity_id")
_EVENT = ("event_id", "event_type", "Trigger")
_RESERVED = frozenset({*_PLACE, *_EVENT, "value"})
_COMBINATION = "combination"
_IDS = "entity_id"
_ANNOTATION = "annotation"


def recognises(value: Any) -> bool:
    """Tell whether a first record looks like this format."""
    return isinstance(value, dict) and value.keys() >= {"context", "annotations"}


def read_document(value: Any) -> Document:
    """Read a document, with dotted names for nested roles; see `Format`."""
    record = mapping(value, "record")
    text = member(record, "context", "")
    offsets = Offsets.of(text, segment)
    events = []
    for number, item in enumerate(member(record, "annotations", [])):
        annotation = mapping(item, f"annotations[{number}]")
        only(annotation, ("events",), inside=f"annotations[{number}]")
        for n, event in enumerate(member(annotation, "events", [], inside=f"annotations[{number}]")):
            events.append(_Reader(text, offsets, f"annotations[{number}].events[{n}]").event(event, number))
    metadata = beyond(record, {"id", "context", "annotations"})
    return offsets.document(member(record, "id", ""), events, metadata)


def write_document(document: Document) -> Iterator[dict[str, Any]]:
    """Yield the one record of a document.

    Scores, entities and the names of roles that the format has a use of its own for have no place here.
    """
    annotations: dict[int, list[Any]] = {0: []}
    for event in document.events:
        number = event.attributes.get(_ANNOTATION, 0)
        number = number if isinstance(number, int) and 0 <= number <= len(annotations) else 0
        annotations.setdefault(number, []).append(_Writer(document).event(event))
    yield {
        "id": document.id,
        "context": document.text,
        "annotations": [{"events": events} for events in annotations.values()],
        **beyond(document.metadata, {"id", "context", "annotations"}),
    }


class _Reader:
    """Reads one event."""

    def __init__(self, text: str, offsets: Offsets, where: str) -> None:
        self._text = text
        self._offsets = offsets
        self._where = where
        self._arguments: list[Argument] = []

    def event(self, value: Any, annotation: int) -> Event:
        record = mapping(value, self._where)
        triggers = tuple(
            self._offsets.mention(pieces, where, id=identifier, attributes=rest)
            for pieces, where, identifier, rest in self._fillers(record.get("Trigger", {}), f"{self._where}.Trigger")
        )
        self._roles(record, "", self._where, {}, known=_EVENT)
        plain = len(triggers) == 1 and triggers[0] == Mention(triggers[0].span)
        return Event(
            name_in(record, "event_type", self._where),
            triggers[0].span if triggers else None,
            tuple(self._arguments),
            member(record, "event_id", "", inside=self._where, required=False),
            () if plain else triggers,
            {_ANNOTATION: annotation} if annotation else {},
        )

    def _roles(
        self, record: Mapping[str, Any], prefix: str, where: str, attributes: dict[str, Any], known: Sequence[str]
    ) -> None:
        for name, value in record.items():
            if name in known:
                continue
            if not name:
                raise InvalidValueError(where, "roles with a name", "an empty one")
            inside = f"{where}.{name}"
            if isinstance(value, list):
                for number, item in enumerate(value):
                    self._combination(item, prefix + name, f"{inside}[{number}]", number)
            else:
                self._role(value, prefix + name, inside, attributes)

    def _role(self, value: Any, role: str, where: str, attributes: dict[str, Any]) -> None:
        record = mapping(value, where)
        extra = {**attributes, "value": record["value"]} if "value" in record else attributes
        self._add(role, record, where, extra)
        self._roles(record, f"{role}.", where, attributes, known=(*_PLACE, "value"))

    def _combination(self, value: Any, role: str, where: str, number: int) -> None:
        record = mapping(value, where)
        about = {name: member(record, name, "", inside=where) for name in _EVENT[:2]}
        trigger = mapping(record.get("Trigger"), f"{where}.Trigger")
        self._add(role, trigger, f"{where}.Trigger", {_COMBINATION: number, **about})
        self._roles(record, f"{role}.", where, {_COMBINATION: number}, known=_EVENT)

    def _add(self, role: str, record: Mapping[str, Any], where: str, attributes: Mapping[str, Any]) -> None:
        for pieces, at, identifier, rest in self._fillers(record, where):
            rest = {**rest, **attributes}
            self._arguments.append(self._offsets.argument(role, pieces, at, filler=identifier, attributes=rest))

    def _fillers(self, value: Any, where: str) -> Iterator[tuple[list[list[int]], str, str, dict[str, Any]]]:
        """Yield pieces, their path, the identifier and further attributes of each filler of a role."""
        record = mapping(value, where)
        texts = member(record, "text", [], inside=where, required=False)
        starts = member(record, "start", [], inside=where, required=False)
        identifiers = member(record, "entity_id", [], inside=where, required=False)
        if len(texts) != len(starts):
            raise InvalidValueError(f"{where}.start", f"{len(texts)} fillers, as in text", f"{len(starts)}")
        paired = len(identifiers) == len(texts) and all(isinstance(item, str) for item in identifiers)
        for number, (words, begins) in enumerate(zip(texts, starts, strict=True)):
            at = f"{where}.start[{number}]"
            pieces = list(_pieces(words, begins, at))
            rest = {} if paired or number or not identifiers else {_IDS: identifiers}
            if words != [self._text[start:end] for start, end in pieces]:
                rest["text"] = words
            yield pieces, at, identifiers[number] if paired else "", rest


def _pieces(words: Any, starts: Any, where: str) -> Iterator[list[int]]:
    lists = isinstance(words, list) and isinstance(starts, list) and len(words) == len(starts)
    if not lists or not words:
        raise InvalidValueError(where, "a start for each piece of the text", shown(starts))
    for word, start in zip(words, starts, strict=True):
        if not isinstance(word, str) or type(start) is not int:
            raise InvalidValueError(where, "pieces of text with their starts", shown([word, start]))
        yield [start, start + len(word)]


class _Writer:
    """Writes one event."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._combinations: dict[tuple[str, Any], dict[str, Any]] = {}

    def event(self, event: Event) -> dict[str, Any]:
        record: dict[str, Any] = {"event_id": event.id, "event_type": event.type}
        if event.trigger is not None:
            record["Trigger"] = {}
            for mention in event.mentions or (Mention(event.trigger),):
                self._add(record["Trigger"], mention, mention.id, mention.attributes)
        for argument in event.arguments:
            target = self._target(record, argument)
            if target is not None:
                self._add(target, argument, argument.filler, argument.attributes)
        return record

    def _target(self, record: dict[str, Any], argument: Argument) -> dict[str, Any] | None:
        """Return the value that an argument goes to, made where it is not there yet; None if it has no place."""
        number = argument.attributes.get(_COMBINATION)
        names = argument.role.split(".")
        for depth in range(len(names) - 1, 0, -1):
            inside = self._combinations.get((".".join(names[:depth]), number))
            if inside is not None:
                return self._below(inside, names[depth:])
        if number is None or _EVENT[1] not in argument.attributes:
            return self._below(record, names)
        parent = self._below(record, names[:-1]) if len(names) > 1 else record
        listed = None if parent is None else parent.setdefault(names[-1], [])
        if not isinstance(listed, list):
            return None
        made = {name: argument.attributes.get(name, "") for name in _EVENT[:2]} | {"Trigger": {}}
        listed.append(made)
        self._combinations[argument.role, number] = made
        trigger: dict[str, Any] = made["Trigger"]
        return trigger

    def _below(self, record: dict[str, Any], names: list[str]) -> dict[str, Any] | None:
        # A name that the format has a use of its own for, or that is empty, is no level of its own.
        if "" in names or _RESERVED.intersection(names):
            names = [".".join(names)]
        if names[0] in _RESERVED or not names[0]:
            return None
        for name in names:
            record = record.setdefault(name, {})
            if not isinstance(record, dict):
                return None
        return record

    def _add(
        self, record: dict[str, Any], place: Argument | Mention, identifier: str, attributes: Mapping[str, Any]
    ) -> None:
        pieces = self._document.pieces_of(place)
        words = [self._document.text[piece.start : piece.end] for piece in pieces]
        kept = attributes.get("text")
        same = isinstance(kept, list) and [len(word) for word in kept if isinstance(word, str)] == list(map(len, words))
        record.setdefault("text", []).append(kept if same else words)
        record.setdefault("start", []).append([piece.start for piece in pieces])
        record.setdefault("entity_id", []).append(identifier)
        if isinstance(attributes.get(_IDS), list):
            record["entity_id"] = attributes[_IDS]
        if "value" in attributes:
            record["value"] = attributes["value"]


FORMAT = Format("phee", "PHEE", "id", recognises, read_document, write_document)
