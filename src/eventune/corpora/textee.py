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

from eventune.corpora.entity_mentions import (
    MentionTable,
    annotated,
    event_records,
    filler_of,
    mention_record,
    placed,
    span_in,
    words_of,
)
from eventune.corpora.fields import beyond, mapping, member, name_in, own_metadata
from eventune.corpora.registry import Format
from eventune.events import Argument, Document, Mention, Span
from eventune.events.segmentation import sentences_of

_OWN = frozenset({"wnd_id", "doc_id", "text", "tokens", "entity_mentions", "event_mentions", "textee"})
_ARGUMENT = ("entity_id", "role", "start", "end")


def recognises(record: Any) -> bool:
    """Tell whether a first record looks like this format."""
    if not isinstance(record, dict) or record.keys() & {"sentences", "sents_tokens", "document"}:
        return False
    identified = bool(record.keys() & {"wnd_id", "sent_id"})
    return (identified or "tokens" in record) and bool(record.keys() & {"event_mentions", "entity_mentions"})


def read_document(value: Any) -> Document:
    """Read a document, which is one window or sentence of the corpus's own; see `Format`."""
    record = mapping(value, "record")
    return annotated(_without_events(record), record, _argument, _derived, _derived)


def write_document(document: Document) -> Iterator[dict[str, Any]]:
    """Yield the one record of a document, whose arguments have offsets in any case.

    An argument at a place where no entity is mentioned gets an entity mention without a type. The format has no place
    for pieces, parts of tokens, scores, several triggers and events without any.
    """
    metadata = document.metadata
    raw = own_metadata(document, "textee")
    table = MentionTable(document)

    def argument_record(argument: Argument) -> dict[str, Any]:
        return {
            "entity_id": argument.filler or table.name_for(argument),
            "role": argument.role,
            **_derived(document, argument.span),
            "start": argument.span.start,
            "end": argument.span.end,
            **beyond(argument.attributes, _ARGUMENT),
        }

    events = event_records(document, argument_record, _derived)
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


def _argument(value: Any, where: str, document: Document, mentions: Mapping[str, Mention]) -> Argument:
    record = mapping(value, where)
    role = name_in(record, "role", where)
    if record.keys() & {"start", "end"}:
        filler = member(record, "entity_id", "", inside=where, required=False)
        span = span_in(record, where, document)
    else:
        mention = filler_of(record, where, mentions)
        filler, span = mention.id, mention.span
    return Argument(role, span, filler=filler, attributes=beyond(record, _ARGUMENT, _derived(document, span)))


FORMAT = Format("textee", "TextEE and OneIE", "wnd_id", recognises, read_document, write_document)
