"""TextEE and OneIE (Huang et al. 2024, "TextEE"; Lin et al. 2020, "OneIE"), a window or a sentence a line.

Quirks, each with a test:

- Several windows share a `doc_id`: a document's identifier is its `wnd_id`, or OneIE's `sent_id`, and only where
  neither is there the `doc_id`. `doc_id` stays in the metadata where it differs.
- Token indices count from the start of the window, and their end is exclusive.
- An argument of TextEE has offsets of its own; one of OneIE has those of the entity mention that `entity_id` names.
- OneIE has the text as `sentence`, or no text at all: then tokens are joined by spaces.
- `sentence_starts`, where they are there, are the first tokens of the sentences.

All other fields (`lang`, `pieces`, `token_lens`, `relation_mentions` …) stay at the top of the metadata.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

from eventune.corpora.fields import mapping, member
from eventune.corpora.registry import Format
from eventune.corpora.wikievents import (
    MentionTable,
    beyond,
    filler_of,
    mention_record,
    mentions_by_id,
    named,
    own_metadata,
    placed,
    read_mention,
    read_trigger,
    span_in,
    trigger_record,
    words_of,
)
from eventune.events import Argument, Document, Entity, Event, Mention, Span
from eventune.events.segmentation import sentences_of

_OWN = frozenset({"wnd_id", "doc_id", "text", "tokens", "entity_mentions", "event_mentions", "textee"})
_EVENT = ("id", "event_type", "trigger", "arguments")
_ARGUMENT = ("entity_id", "role", "start", "end")


def recognises(record: Any) -> bool:
    """Tell whether a first record looks like this format."""
    if not isinstance(record, dict) or record.keys() & {"sentences", "sents_tokens", "document"}:
        return False
    identified = bool(record.keys() & {"wnd_id", "sent_id"})
    return (identified or "tokens" in record) and bool(record.keys() & {"event_mentions", "entity_mentions"})


def read_document(value: Any) -> Document:
    """Read a document from its record.

    Args:
        value: The JSON object of one line.

    Returns:
        The document, which is one window or sentence of the corpus's own.

    Raises:
        InvalidValueError: If a field is missing or of another type, an index lies outside the window, or an argument
            has neither offsets nor an entity mention.
    """
    record = mapping(value, "record")
    document = _without_events(record)
    entities = tuple(
        Entity((read_mention(item, f"entity_mentions[{n}]", document, _derived),))
        for n, item in enumerate(member(record, "entity_mentions", [], required=False))
    )
    mentions = mentions_by_id(entities)
    events = tuple(
        _event(item, f"event_mentions[{n}]", document, mentions)
        for n, item in enumerate(member(record, "event_mentions", []))
    )
    return replace(document, entities=entities, events=events)


def write_document(document: Document) -> Iterator[dict[str, Any]]:
    """Yield the one record of a document, whose arguments have offsets in any case.

    An argument at a place where no entity is mentioned gets an entity mention without a type. The format has no place
    for pieces, parts of tokens, scores, several triggers and events without any.

    Args:
        document: The document.

    Yields:
        The record.
    """
    metadata = document.metadata
    raw = own_metadata(document, "textee")
    table = MentionTable(document)
    events = [
        _event_record(event, event.trigger, f"{document.id}-E{number}", document, table)
        for number, event in enumerate(document.events, 1)
        if event.trigger is not None
    ]
    record: dict[str, Any] = {"doc_id": metadata.get("doc_id", document.id)}
    if metadata.get("sent_id") != document.id:
        record["wnd_id"] = document.id
    record |= {
        "text": text if isinstance(text := raw.get("text"), str) else document.text,
        "tokens": list(document.words),
        "entity_mentions": [
            mention_record(name, mention, _derived(document, mention.span)) for name, mention in table.items()
        ],
        "event_mentions": events,
        **beyond(metadata, _OWN),
    }
    starts = [sentence.start for sentence in document.sentences]
    if document.sentences != _sentences(document.text, document.tokens, metadata.get("sentence_starts")):
        record["sentence_starts"] = starts
    yield record


def _without_events(record: Mapping[str, Any]) -> Document:
    words = words_of(member(record, "tokens", []), "tokens")
    field = next((name for name in ("wnd_id", "sent_id") if name in record), "doc_id")
    identifier = member(record, field, "")
    document = Document.from_sentences(identifier, [words])
    metadata = beyond(record, _OWN)
    if "doc_id" in record and record["doc_id"] != identifier:
        metadata["doc_id"] = record["doc_id"]
    source = "text" if "text" in record else "sentence"
    if source in record:
        text = member(record, source, "")
        tokens = placed(text, words)
        if tokens is not None:
            document = replace(document, text=text, tokens=tokens)
        else:
            metadata["textee"] = {"text": text}
    sentences = _sentences(document.text, document.tokens, record.get("sentence_starts"))
    return replace(document, sentences=sentences, metadata=metadata)


def _sentences(text: str, tokens: tuple[Span, ...], starts: Any) -> tuple[Span, ...]:
    """Return the sentences that begin at the tokens given, or those of the segmentation if these are none."""
    if isinstance(starts, list) and all(type(start) is int for start in starts) and starts[:1] == [0]:
        ends = [*starts[1:], len(tokens)]
        if all(start < end for start, end in pairwise([*starts, len(tokens)])):
            return tuple(Span(start, end) for start, end in zip(starts, ends, strict=True))
    return sentences_of(text, tokens)


def _derived(document: Document, span: Span) -> dict[str, Any]:
    return {"text": document.text_of(span)}


def _event(value: Any, where: str, document: Document, mentions: Mapping[str, Mention]) -> Event:
    record = mapping(value, where)
    trigger = read_trigger(record, where, document, _derived)
    return Event(
        named(record, "event_type", where),
        trigger[0].span,
        tuple(
            _argument(item, f"{where}.arguments[{n}]", document, mentions)
            for n, item in enumerate(member(record, "arguments", [], inside=where))
        ),
        member(record, "id", "", inside=where, required=False),
        trigger if trigger[0].attributes else (),
        beyond(record, _EVENT),
    )


def _argument(value: Any, where: str, document: Document, mentions: Mapping[str, Mention]) -> Argument:
    record = mapping(value, where)
    role = named(record, "role", where)
    if record.keys() & {"start", "end"}:
        filler = member(record, "entity_id", "", inside=where, required=False)
        span = span_in(record, where, document)
    else:
        mention = filler_of(record, where, mentions)
        filler, span = mention.id, mention.span
    return Argument(role, span, filler=filler, attributes=beyond(record, _ARGUMENT, _derived(document, span)))


def _event_record(event: Event, trigger: Span, name: str, document: Document, table: MentionTable) -> dict[str, Any]:
    arguments = [
        {
            "entity_id": argument.filler or table.name_for(argument),
            "role": argument.role,
            **_derived(document, argument.span),
            "start": argument.span.start,
            "end": argument.span.end,
            **beyond(argument.attributes, _ARGUMENT),
        }
        for argument in event.arguments
    ]
    return {
        "id": event.id or name,
        "event_type": event.type,
        "trigger": trigger_record(event, trigger, _derived(document, trigger)),
        "arguments": arguments,
        **beyond(event.attributes, _EVENT),
    }


FORMAT = Format("textee", "TextEE and OneIE", "wnd_id", recognises, read_document, write_document)
