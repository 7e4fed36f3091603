"""The project's own format: one JSON object a line, which loses nothing of a document.

    {"id": "d1", "text": "Rebels shelled Homs.", "tokens": [[0, 6], [7, 14], [15, 19], [19, 20]], "sentences": [[0, 4]],
     "events": [{"id": "e1", "type": "attack", "trigger": [1, 2],
                 "arguments": [{"role": "attacker", "span": [0, 1], "score": 0.9}]}],
     "metadata": {"source_url": "…"}}

`tokens` are character spans, all other spans are of tokens, and every span is half-open. Only `id` and `text` must be
there; a document without events may leave its tokens and sentences to `eventune.events.segmentation`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from eventune.corpora.fields import mapping, member, only, shown, span_at
from eventune.errors import InvalidValueError
from eventune.events import Argument, Document, Event, Span
from eventune.events.segmentation import segment, sentences_of

FIELDS = ("id", "text", "tokens", "sentences", "events", "metadata")


def recognises(record: Mapping[str, Any]) -> bool:
    """Tell whether a first record looks like this format."""
    # Many formats have a `text`: one with other fields beside it is recognised only by both that must be there.
    return record.keys() >= {"id", "text"} or record.keys() <= set(FIELDS)


def read_document(record: Mapping[str, Any]) -> Document:
    """Read a document from its record.

    Args:
        record: The JSON object of one line.

    Returns:
        The document.

    Raises:
        InvalidValueError: If a field is missing, unknown, of another type, or a span lies outside the document.
    """
    only(record, FIELDS)
    text = member(record, "text", "")
    events = member(record, "events", [], required=False)
    if "tokens" in record:
        tokens = _spans(record, "tokens")
        sentences = _spans(record, "sentences") if "sentences" in record else sentences_of(text, tokens)
    elif "sentences" in record or events:
        # Spans count tokens: on tokens made here they would shift with every change of the segmentation.
        needs = "sentences" if "sentences" in record else "events"
        raise InvalidValueError("tokens", f"the tokens that the spans of {needs} count", "no such field")
    else:
        tokens, sentences = segment(text)
    return Document(
        member(record, "id", ""),
        text,
        tokens,
        sentences,
        tuple(_event(event, f"events[{n}]") for n, event in enumerate(events)),
        member(record, "metadata", {}, required=False),
    )


def write_document(document: Document) -> Iterator[dict[str, Any]]:
    """Yield the one record of a document."""
    yield {
        "id": document.id,
        "text": document.text,
        "tokens": [[token.start, token.end] for token in document.tokens],
        "sentences": [[sentence.start, sentence.end] for sentence in document.sentences],
        "events": [_event_record(event) for event in document.events],
        "metadata": dict(document.metadata),
    }


def _spans(record: Mapping[str, Any], name: str) -> tuple[Span, ...]:
    return tuple(span_at(pair, f"{name}[{n}]") for n, pair in enumerate(member(record, name, [])))


def _event(value: Any, where: str) -> Event:
    record = mapping(value, where)
    only(record, ("id", "type", "trigger", "arguments"), inside=where)
    trigger = record.get("trigger")
    arguments = member(record, "arguments", [], inside=where, required=False)
    return Event(
        _name(record, "type", where),
        None if trigger is None else span_at(trigger, f"{where}.trigger"),
        tuple(_argument(argument, f"{where}.arguments[{n}]") for n, argument in enumerate(arguments)),
        member(record, "id", "", inside=where, required=False),
    )


def _argument(value: Any, where: str) -> Argument:
    record = mapping(value, where)
    only(record, ("role", "span", "score"), inside=where)
    score = record.get("score")
    if score is not None and type(score) not in (int, float):
        raise InvalidValueError(f"{where}.score", "a number or null", shown(score))
    role = _name(record, "role", where)
    return Argument(role, span_at(member(record, "span", [], inside=where), f"{where}.span"), score)


def _name(record: Mapping[str, Any], field: str, where: str) -> str:
    name = member(record, field, "", inside=where)
    if not name:
        raise InvalidValueError(f"{where}.{field}", "a non-empty string", shown(name))
    return name


def _event_record(event: Event) -> dict[str, Any]:
    trigger = event.trigger
    return {
        "id": event.id,
        "type": event.type,
        "trigger": None if trigger is None else [trigger.start, trigger.end],
        "arguments": [_argument_record(argument) for argument in event.arguments],
    }


def _argument_record(argument: Argument) -> dict[str, Any]:
    record: dict[str, Any] = {"role": argument.role, "span": [argument.span.start, argument.span.end]}
    if argument.score is not None:
        record["score"] = argument.score
    return record
