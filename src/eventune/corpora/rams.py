"""RAMS 1.0 (Ebner et al. 2020, "Multi-Sentence Argument Linking"), one JSON object with one event a line.

Quirks, each with a test:

- Token indices count from the start of the document, not of the sentence, and their end is **inclusive**.
- A link is `[[trigger], [argument], "evt043arg01communicator"]`; its role is what follows the last run of digits, which
  is how the official scorer reads it (it splits at runs of digits and takes the last piece).
- A line holds at most one event; a second event of the same text is another line with another `doc_key`.
- Two links may name the same span and role, under labels that differ in their number. The official scorer counts
  multisets, so both are kept.

The raw `evt_triggers`, `ent_spans` and `gold_evt_links` stay in `metadata["rams"]`, all other fields at the top of the
metadata. As long as a document still has the events it was read with, its record is written back unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from eventune.corpora.fields import beyond, mapping, member, shown, span_at
from eventune.corpora.registry import Format
from eventune.errors import InvalidValueError
from eventune.events import Argument, Document, Event, Span

_RAW = ("evt_triggers", "ent_spans", "gold_evt_links")
_OWN = frozenset({"doc_key", "sentences", *_RAW})
# What the authors' own tools expect in a line, for documents that come from elsewhere.
_DEFAULTS: Mapping[str, Any] = {
    "rel_triggers": [],
    "gold_rel_links": [],
    "language_id": "",
    "source_url": "",
    "split": "",
}


def recognises(record: Any) -> bool:
    """Tell whether a first record looks like this format."""
    return isinstance(record, dict) and bool(record.keys() & {"gold_evt_links", "evt_triggers"})


def role_of(label: str) -> str:
    """Return the role that a link's label names, e.g. `communicator` for `evt043arg01communicator`."""
    return re.split(r"\d+", label)[-1]


def read_document(value: Any) -> Document:
    """Read a document, with no event or one; see `Format`."""
    record = mapping(value, "record")
    key = member(record, "doc_key", "")
    if not key:
        raise InvalidValueError("doc_key", "a non-empty string", shown(key))
    sentences = member(record, "sentences", [])
    for number, sentence in enumerate(sentences):
        if not isinstance(sentence, list):
            raise InvalidValueError(f"sentences[{number}]", "a list of words", shown(sentence))
    length = sum(len(sentence) for sentence in sentences)
    return Document.from_sentences(
        key,
        sentences,
        events=_events(record, length),
        metadata={
            **beyond(record, _OWN),
            "rams": {name: record[name] for name in _RAW if name in record},
        },
    )


def write_document(document: Document) -> Iterator[dict[str, Any]]:
    """Yield a record for each event of a document, or one record if there is none.

    The records of several events are told apart by `.1`, `.2` … behind their `doc_key`. Events without the labels of
    RAMS get labels numbered from their own arguments, and a score becomes the probability in `ent_spans`.

    RAMS has no place for events without a trigger, nor for roles with digits, which could not be read back.
    """
    sentences = [list(document.words[sentence.start : sentence.end]) for sentence in document.sentences]
    metadata = beyond(document.metadata, _OWN | {"rams"})
    raw = document.metadata.get("rams")
    if isinstance(raw, dict) and _still_says(raw, document):
        yield {"doc_key": document.id, "sentences": sentences, **raw, **metadata}
        return
    events = [event for event in document.events if event.trigger is not None]
    for number, event in enumerate(events or (None,), 1):
        key = f"{document.id}.{number}" if len(events) > 1 else document.id
        links = {"evt_triggers": [], "ent_spans": [], "gold_evt_links": []} if event is None else _raw(event, number)
        yield {"doc_key": key, "sentences": sentences, **links, **_DEFAULTS, **metadata}


def _events(record: Mapping[str, Any], length: int) -> list[Event]:
    triggers = member(record, "evt_triggers", [])
    links = member(record, "gold_evt_links", [])
    if len(triggers) > 1:
        raise InvalidValueError("evt_triggers", "at most one event a line", f"{len(triggers)} events")
    if not triggers:
        if links:
            raise InvalidValueError("evt_triggers", "the trigger of the links", "an empty list")
        return []
    where = "evt_triggers[0]"
    entry = triggers[0]
    if not isinstance(entry, list) or len(entry) != 3:
        raise InvalidValueError(where, "[start, end, [[type, probability]]]", shown(entry))
    trigger = span_at(entry[:2], where, length=length, inclusive=True)
    match entry[2]:
        case [[str(event_type), _]] if event_type:
            pass
        case _:
            raise InvalidValueError(f"{where}[2]", "one event type, [[type, probability]]", shown(entry[2]))
    arguments = tuple(_argument(link, f"gold_evt_links[{n}]", trigger, length) for n, link in enumerate(links))
    return [Event(event_type, trigger, arguments)]


def _argument(link: Any, where: str, trigger: Span, length: int) -> Argument:
    if not isinstance(link, list) or len(link) != 3 or not isinstance(link[2], str):
        raise InvalidValueError(where, "[[trigger], [argument], label]", shown(link))
    if span_at(link[0], f"{where}[0]", length=length, inclusive=True) != trigger:
        raise InvalidValueError(f"{where}[0]", f"the line's trigger {shown(_inclusive(trigger))}", shown(link[0]))
    role = role_of(link[2])
    if not role:
        raise InvalidValueError(f"{where}[2]", "a label that ends in a role, like evt043arg01place", shown(link[2]))
    return Argument(role, span_at(link[1], f"{where}[1]", length=length, inclusive=True))


def _still_says(raw: dict[str, Any], document: Document) -> bool:
    """Tell whether the raw fields that a document was read with still describe its events."""
    try:
        return tuple(_events(raw, len(document.tokens))) == document.events
    except InvalidValueError:
        return False


def _raw(event: Event, number: int) -> dict[str, Any]:
    trigger = _trigger(event)
    links = []
    spans = []
    for n, argument in enumerate(event.arguments, 1):
        label = f"evt{number:03d}arg{n:02d}{argument.role}"
        if role_of(label) != argument.role:
            continue
        links.append([trigger, _inclusive(argument.span), label])
        spans.append([*_inclusive(argument.span), [[label, 1.0 if argument.score is None else argument.score]]])
    return {"evt_triggers": [[*trigger, [[event.type, 1.0]]]], "ent_spans": spans, "gold_evt_links": links}


def _trigger(event: Event) -> list[int]:
    if event.trigger is None:
        raise InvalidValueError("trigger", "a trigger, without which RAMS has no event", f"none ({event.type})")
    return _inclusive(event.trigger)


def _inclusive(span: Span) -> list[int]:
    return [span.start, span.end - 1]


FORMAT = Format("rams", "RAMS 1.0", "doc_key", recognises, read_document, write_document)
