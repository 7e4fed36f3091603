"""brat standoff: a folder in which each `.txt` has an `.ann` beside it.

    T1	Attack 7 14	shelled
    T2	Place 15 19	Homs
    E1	Attack:T1 Where:T2
    A1	Negated E1

Quirks, each with a test:

- Offsets count the file's characters, line ends included; pieces of a discontinuous span are parted by `;`.
- A role that is filled twice is numbered (`Where`, `Where2`): both are the role `Where`; the number is kept.
- An event may fill a role of another (`Cause:E2`): the argument stands at that event's trigger, its filler is `E2`.
- Equivalences (`*`) are coreference. Attributes (`A`, `M`) are attributes of the event or mention. All other lines
  (relations, notes, normalisations) stay in `metadata["brat"]` as they are.

A document's identifier is the file's name without its suffix, from the folder on.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, count
from pathlib import Path
from typing import Any

from eventune.corpora.fields import mapping, member, shown
from eventune.corpora.files import decode
from eventune.corpora.offsets import Offsets
from eventune.corpora.records import Layout, Record
from eventune.corpora.registry import Format
from eventune.corpora.streams import Location
from eventune.errors import EventuneError, InvalidValueError
from eventune.events import Argument, Document, Entity, Event, Mention, Place
from eventune.events.segmentation import segment
from eventune.storage.atomic import atomic_folder
from eventune.storage.paths import exists, is_folder
from eventune.storage.text_files import read_bytes

_PRIVATE = "brat"
_NUMBERED = "role"
_FLAG = True


def recognises(value: Any) -> bool:
    """Tell whether a first record looks like this format."""
    return isinstance(value, dict) and value.keys() == {"id", "text", "annotations"}


def read_document(value: Any) -> Document:
    """Read a document; text-bound annotations that are no trigger are entities. See `Format`.

    Args:
        value: `{"id", "text", "annotations"}`, the last with the lines of the `.ann` file.
    """
    record = mapping(value, "record")
    text = member(record, "text", "")
    lines = member(record, "annotations", [])
    return _Reader(text, lines).document(member(record, "id", ""))


def write_document(document: Document) -> Iterator[dict[str, Any]]:
    """Yield the record of a document; scores, events without a trigger and other metadata have no place here."""
    yield {"id": document.id, "text": document.text, "annotations": _Writer(document).lines()}


class _Reader:
    """Reads the annotations of a document."""

    def __init__(self, text: str, lines: list[Any]) -> None:
        self._text = text
        self._offsets = Offsets.of(text, segment)
        self._mentions: dict[str, Mention] = {}
        self._events: dict[str, tuple[int, str, str, list[tuple[str, str]]]] = {}
        self._attributes: dict[str, dict[str, Any]] = {}
        self._attribute_lines: list[tuple[str, list[str]]] = []
        self._equivalences: list[tuple[str, list[str]]] = []
        self._clusters: list[list[str]] = []
        self._others: list[str] = []
        for number, line in enumerate(lines, 1):
            if not isinstance(line, str):
                raise InvalidValueError(f"annotations[{number - 1}]", "a line", shown(line))
            if line.strip():
                self._line(line, number)
        for line, words in self._attribute_lines:
            self._attribute(line, *words)
        for where, names in self._equivalences:
            self._join([self._trigger(name, where) for name in names])

    def document(self, identifier: str) -> Document:
        triggers = {trigger for _, _, trigger, _ in self._events.values()}
        events = tuple(self._event(name, *item) for name, item in self._events.items())
        joined: dict[str, int] = {name: n for n, names in enumerate(self._clusters) for name in names}
        groups: dict[Any, list[Mention]] = {}
        for name in self._mentions:
            if name not in triggers or name in joined:
                groups.setdefault(joined.get(name, name), []).append(self._attributed(name))
        entities = tuple(Entity(tuple(mentions)) for mentions in groups.values())
        metadata = {_PRIVATE: self._others} if self._others else {}
        return self._offsets.document(identifier, events, metadata, entities)

    def _line(self, line: str, number: int) -> None:
        name, _, rest = line.partition("\t")
        where = f"line {number}"
        kind = name[:1]
        if kind == "T":
            self._new(name, where)
            self._mentions[name] = self._mention(name, rest, where)
        elif kind == "E":
            self._new(name, where)
            words = [tuple(word.split(":", 1)) for word in rest.split()]
            if not words or any(len(word) != 2 or not all(word) for word in words):
                raise InvalidValueError(where, "E1<tab>Type:T1 Role:T2 …", shown(line))
            pairs = [(word[0], word[1]) for word in words]
            self._events[name] = (number, *pairs[0], pairs[1:])
        elif kind in {"A", "M"} and len(rest.split(None, 2)) >= 2:
            self._attribute_lines.append((line, rest.split(None, 2)))
        elif kind == "*" and rest.split(None, 1)[:1] == ["Equiv"]:
            self._equivalences.append((where, rest.split()[1:]))
        else:
            self._others.append(line)

    def _attribute(self, line: str, label: str, target: str, value: str | None = None) -> None:
        known = self._attributes.setdefault(target, {}) if target in self._mentions or target in self._events else None
        if known is None or label in known or label == "text":
            # Of a relation, or for a second time: there is no place for it but among the other lines.
            self._others.append(line)
        else:
            known[label] = _FLAG if value is None else value.strip()

    def _join(self, names: list[str]) -> None:
        touched = [cluster for cluster in self._clusters if set(cluster) & set(names)]
        joined = list(dict.fromkeys(name for cluster in [*touched, names] for name in cluster))
        self._clusters = [cluster for cluster in self._clusters if cluster not in touched] + [joined]

    def _new(self, name: str, where: str) -> None:
        if name in self._mentions or name in self._events:
            raise InvalidValueError(where, "an identifier of its own", shown(name))

    def _mention(self, name: str, rest: str, where: str) -> Mention:
        match = re.match(r"(\S+) (\d{1,15} \d{1,15}(?:;\d{1,15} \d{1,15})*)(?:\t(.*))?$", rest, re.DOTALL)
        if match is None:
            raise InvalidValueError(where, "T1<tab>Type start end<tab>text", shown(f"{name}\t{rest}"))
        label, spans, words = match.groups()
        pieces = [tuple(int(index) for index in span.split()) for span in spans.split(";")]
        there = " ".join(self._text[piece[0] : piece[-1]] for piece in pieces)
        rest_of = {} if words is None or words == _flat(there) else {"text": words}
        return self._offsets.mention(pieces, where, id=name, type=label, attributes=rest_of)

    def _attributed(self, name: str) -> Mention:
        mention = self._mentions[name]
        attributes = {**mention.attributes, **self._attributes.get(name, {})}
        return Mention(mention.span, name, mention.type, mention.fragments, mention.characters, attributes)

    def _event(self, name: str, number: int, label: str, trigger: str, fillers: list[tuple[str, str]]) -> Event:
        where = f"line {number}"
        at = self._attributed(self._trigger(trigger, where))
        arguments = []
        for numbered, filler in fillers:
            place = self._mentions[self._trigger(filler, where)]
            role = re.sub(r"(?<=\D)\d+$", "", numbered)
            arguments.append(
                Argument(
                    role,
                    place.span,
                    fragments=place.fragments,
                    characters=place.characters,
                    filler=filler,
                    attributes={} if role == numbered else {_NUMBERED: numbered},
                )
            )
        return Event(label, at.span, tuple(arguments), name, (at,), self._attributes.get(name, {}))

    def _trigger(self, name: str, where: str) -> str:
        """Return the text-bound annotation that a name means: itself, or an event's trigger."""
        target = self._events[name][2] if name in self._events else name
        if target not in self._mentions:
            raise InvalidValueError(where, "an annotation of this file", shown(name))
        return target


class _Writer:
    """Writes the annotations of a document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._lines: list[str] = []
        self._attribute_lines: list[str] = []
        self._names: dict[Any, str] = {}
        self._used: set[str] = set()
        self._reserved: set[str] = set()

    def lines(self) -> list[str]:
        document = self._document
        events = [event for event in document.events if event.trigger is not None]
        named = [mention.id for entity in document.entities for mention in entity.mentions]
        self._reserved = {*named, *(event.id for event in events), *(m.id for e in events for m in e.mentions)}
        equivalences = []
        for entity in document.entities:
            names = [self._text_bound(mention, mention.type or entity.type, mention) for mention in entity.mentions]
            if len(names) > 1:
                equivalences.append("*\tEquiv " + " ".join(names))
        written = []
        for event in events:
            trigger = event.mentions[0] if event.mentions else Mention(event.trigger)  # type: ignore[arg-type]
            written.append((self._name(event.id, "E"), self._text_bound(trigger, event.type, trigger), event))
        by_id = {event.id: name for name, _, event in written if event.id}
        lines = [self._event(name, trigger, event, by_id) for name, trigger, event in written]
        others = document.metadata.get(_PRIVATE)
        kept = [line for line in others if isinstance(line, str)] if isinstance(others, list) else []
        return [*self._lines, *lines, *self._attribute_lines, *equivalences, *kept]

    def _event(self, name: str, trigger: str, event: Event, by_id: Mapping[str, str]) -> str:
        words = [f"{_word(event.type)}:{trigger}"]
        names = [self._numbered(argument) for argument in event.arguments]
        used = {name for name in names if name}
        for argument, kept in zip(event.arguments, names, strict=True):
            role = _role(argument.role)
            numbered = kept or next(
                name for name in chain([role], (f"{role}{n}" for n in count(2))) if name not in used
            )
            used.add(numbered)
            target = by_id.get(argument.filler) or self._text_bound(argument, role, None)
            words.append(f"{numbered}:{target}")
        self._add_attributes(name, event.attributes)
        return f"{name}\t{' '.join(words)}"

    def _numbered(self, argument: Argument) -> str:
        """Return the role with the number that it was read with, or an empty string."""
        kept = argument.attributes.get(_NUMBERED)
        fits = isinstance(kept, str) and re.fullmatch(re.escape(_role(argument.role)) + r"\d+", kept)
        return str(kept) if fits else ""

    def _text_bound(self, place: Place, label: str, mention: Mention | None) -> str:
        """Return the name of the annotation at a place, written if it is not there yet."""
        identifier = mention.id if mention is not None else getattr(place, "filler", "")
        pieces = self._document.pieces_of(place)
        key = (identifier, pieces) if identifier else (label, pieces)
        if key not in self._names:
            attributes = {} if mention is None else dict(mention.attributes)
            spans = ";".join(f"{piece.start} {piece.end}" for piece in pieces)
            words = attributes.pop("text", None)
            text = (
                words
                if isinstance(words, str) and words == _flat(words)
                else _flat(self._document.exact_text_of(place))
            )
            self._names[key] = name = self._name(identifier, "T")
            label = (mention.type if mention is not None else "") or label or "Entity"
            self._lines.append(f"{name}\t{_word(label)} {spans}\t{text}")
            self._add_attributes(name, attributes)
        return self._names[key]

    def _add_attributes(self, name: str, attributes: Mapping[str, Any]) -> None:
        for label, value in attributes.items():
            words = _word(label) + f" {name}"
            if value is not _FLAG:
                words += f" {_flat(str(value))}"
            self._attribute_lines.append(f"A{len(self._attribute_lines) + 1}\t{words}")

    def _name(self, identifier: str, kind: str) -> str:
        free = identifier not in self._used and re.fullmatch(kind + r"\S+", identifier) is not None
        number = len(self._used) + 1
        while not free:
            identifier = f"{kind}{number}"
            free = identifier not in self._used | self._reserved
            number += 1
        self._used.add(identifier)
        return identifier


def _word(name: str) -> str:
    """Return a name as one word, without the characters that part words."""
    return re.sub(r"[\s:]", "_", name)


def _role(name: str) -> str:
    """Return a role as one word that does not end in a digit, which would be read as its number."""
    word = _word(name)
    return f"{word}_" if word[-1:].isdigit() else word


def _flat(text: str) -> str:
    return re.sub(r"[\r\n\t\v\f\x1c-\x1e\x85\u2028\u2029]", " ", text)


def _takes(path: Location) -> bool:
    return Path(path).suffix == ".ann" or (is_folder(path) and next(_annotations(Path(path)), None) is not None)


def _annotations(folder: Path) -> Iterator[Path]:
    """Yield the files of annotations in a folder; what cannot be looked into, or is gone by then, is passed over."""
    for inner, _, names in os.walk(folder):
        yield from (Path(inner) / name for name in names if name.endswith(".ann"))


def _read(place: Location) -> Iterator[Record]:
    path = Path(place)
    folder = path if is_folder(path) else path.parent
    files = sorted(_annotations(path)) if is_folder(path) else [path]
    for file in files:
        name = file.relative_to(folder).with_suffix("").as_posix()
        try:
            text = decode(read_bytes(file.with_suffix(".txt")))
            lines = decode(read_bytes(file)).removeprefix("\ufeff").split("\n")
            value: Any = {
                "id": name,
                "text": text,
                "annotations": [line.rstrip("\r") for line in lines if line.strip()],
            }
        except InvalidValueError as error:
            value = error
        except EventuneError as error:
            value = InvalidValueError("file", f"{file.name} with its .txt", error.message)
        yield Record(str(file), value)


def _write(values: Iterable[Any], path: Path) -> None:
    if exists(path) and (not is_folder(path) or any(path.iterdir())):
        raise EventuneError(
            f"{path}: expected no such folder, or an empty one, found something", "choose another place"
        )
    with atomic_folder(path) as staging:
        for value in values:
            target = staging / f"{value['id']}.ann"
            if "\0" in value["id"] or {"", ".", ".."}.intersection(value["id"].split("/")):
                raise EventuneError(f"document {value['id']!r}: expected an identifier that is a file's name")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.with_name(f"{target.stem}.txt").write_bytes(value["text"].encode())
            target.write_bytes("".join(f"{line}\n" for line in value["annotations"]).encode())


FORMAT = Format(
    "brat", "brat standoff, a folder", "file", recognises, read_document, write_document, Layout(_takes, _read, _write)
)
