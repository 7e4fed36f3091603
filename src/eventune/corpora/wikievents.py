"""WikiEvents (Li et al. 2021, "Document-Level Event Argument Extraction by Conditional Generation"), a document a line.

Quirks, each with a test:

- Token indices count from the start of the document and their end is exclusive.
- An argument has no offsets: they are those of the entity mention that its `entity_id` names.
- The offsets of the tokens in `sentences` do not count in `text`, so tokens are found in `text` one after the other.
- Coreference is in a file of its own: `eventune.corpora.coreference`.
- Parts of it are about with `sents_tokens` in place of `text` and `sentences`.

Each entity mention is an entity of its own until coreference joins them. What the record says beyond the domain stays
in the metadata and attributes; `sentences` stays there where it cannot be told from the tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from eventune.corpora.fields import mapping, member, shown, span_at
from eventune.corpora.registry import Format
from eventune.errors import InvalidValueError
from eventune.events import Argument, Document, Entity, Event, Mention, Span

_OWN = frozenset({"doc_id", "tokens", "text", "sentences", "sents_tokens", "entity_mentions", "event_mentions"})
_PRIVATE = "wikievents"


def recognises(value: Any) -> bool:
    """Tell whether a first record looks like this format."""
    if not isinstance(value, dict) or value.keys() & {"wnd_id", "sent_id"}:
        return False
    return value.keys() >= {"doc_id", "tokens", "event_mentions"}


def read_document(value: Any) -> Document:
    """Read a document from its record.

    Args:
        value: The JSON object of one line.

    Returns:
        The document, with an entity for each entity mention.

    Raises:
        InvalidValueError: If a field is missing or of another type, an index lies outside the document, an argument
            names no entity mention, or two mentions have one identifier.
    """
    record = mapping(value, "record")
    words = _words(record, "tokens")
    text, tokens = _tokens(record, words)
    mentions: dict[str, Mention] = {}
    for number, item in enumerate(member(record, "entity_mentions", [], required=False)):
        mention = _entity_mention(item, f"entity_mentions[{number}]", words)
        if mention.id in mentions:
            raise InvalidValueError(f"entity_mentions[{number}].id", "an identifier of its own", shown(mention.id))
        mentions[mention.id] = mention
    events = [
        _event(item, f"event_mentions[{number}]", words, mentions)
        for number, item in enumerate(member(record, "event_mentions", []))
    ]
    metadata = {name: item for name, item in record.items() if name not in _OWN | {_PRIVATE}}
    sentences, kept = _sentences(record, words, text, tokens)
    if kept:
        metadata[_PRIVATE] = kept
    entities = tuple(Entity((mention,)) for mention in mentions.values())
    return Document(member(record, "doc_id", ""), text, tokens, sentences, tuple(events), metadata, entities)


def write_document(document: Document) -> Iterator[dict[str, Any]]:
    """Yield the one record of a document.

    An argument needs an entity mention: one is made for each span that has none. Pieces, scores, coreference and
    further triggers have no place here, nor have events without a trigger.
    """
    words = document.words
    fillers = _Fillers(document)
    events = [
        _event_record(document, event, number, fillers)
        for number, event in enumerate(document.events, 1)
        if event.trigger is not None
    ]
    private = document.metadata.get(_PRIVATE)
    kept: Mapping[str, Any] = private if isinstance(private, dict) else {}
    yield {
        "doc_id": document.id,
        "tokens": list(words),
        **({} if "sents_tokens" in kept else {"text": document.text}),
        **_sentence_records(document, words, kept),
        "entity_mentions": [
            {
                "id": mention.id,
                **_place(document, mention.span),
                "entity_type": mention.type,
                **mention.attributes,
            }
            for mention in fillers.mentions.values()
        ],
        "event_mentions": events,
        **{name: item for name, item in document.metadata.items() if name not in _OWN | {_PRIVATE}},
    }


def _words(record: Mapping[str, Any], name: str) -> list[str]:
    words = member(record, name, [])
    for number, word in enumerate(words):
        if not isinstance(word, str) or not word:
            raise InvalidValueError(f"{name}[{number}]", "a non-empty string", shown(word))
    return words


def _tokens(record: Mapping[str, Any], words: Sequence[str]) -> tuple[str, tuple[Span, ...]]:
    """Return the text and each word's place in it; the words joined by spaces where there is no text."""
    text = member(record, "text", "", required=False) if "text" in record else " ".join(words)
    tokens = []
    position = 0
    for number, word in enumerate(words):
        start = text.find(word, position)
        if start < 0 or text[position:start].strip():
            rest = shown(text[position : position + 20])
            raise InvalidValueError(f"tokens[{number}]", f"the next word of text, {rest}", shown(word))
        position = start + len(word)
        tokens.append(Span(start, position))
    return text, tuple(tokens)


def _sentences(
    record: Mapping[str, Any], words: Sequence[str], text: str, tokens: Sequence[Span]
) -> tuple[tuple[Span, ...], dict[str, Any]]:
    """Return the sentences' token spans, and what of the fields that hold them cannot be told from those."""
    name = "sents_tokens" if "sents_tokens" in record else "sentences"
    spans: list[Span] = []
    found: list[str] = []
    for number, sentence in enumerate(member(record, name, [], required=False)):
        where = f"{name}[{number}]"
        first = len(found)
        found += [_word(item, f"{where}[{n}]") for n, item in enumerate(_sentence_words(sentence, name, where))]
        if len(found) > first:
            spans.append(Span(first, len(found)))
    if name not in record:
        return ((Span(0, len(words)),) if words else ()), {"sentences": None}
    if found != list(words):
        raise InvalidValueError(name, f"the {len(words)} words of tokens", f"{len(found)} words that are not the same")
    raw = record[name]
    if name == "sents_tokens":
        return tuple(spans), {name: raw if len(raw) != len(spans) else True}
    return tuple(spans), {} if raw == _plain_sentences(text, tokens, spans) else {name: raw}


def _sentence_words(sentence: Any, name: str, where: str) -> list[Any]:
    if name == "sentences":
        if not isinstance(sentence, list) or len(sentence) != 2 or not isinstance(sentence[0], list):
            raise InvalidValueError(where, "[[[word, start, end], …], text]", shown(sentence))
        return sentence[0]
    if not isinstance(sentence, list):
        raise InvalidValueError(where, "a list of words", shown(sentence))
    return sentence


def _word(item: Any, where: str) -> str:
    word = item[0] if isinstance(item, list) and item else item
    if not isinstance(word, str):
        raise InvalidValueError(where, "a word", shown(item))
    return word


def _plain_sentences(text: str, tokens: Sequence[Span], sentences: Sequence[Span]) -> list[Any]:
    """Return the field `sentences` with offsets that count in the text."""
    result = []
    for sentence in sentences:
        inside = tokens[sentence.start : sentence.end]
        words = [[text[token.start : token.end], token.start, token.end] for token in inside]
        result.append([words, text[inside[0].start : inside[-1].end]])
    return result


def _sentence_records(document: Document, words: Sequence[str], kept: Mapping[str, Any]) -> dict[str, Any]:
    if kept.get("sents_tokens"):
        raw = kept["sents_tokens"]
        plain = [list(words[sentence.start : sentence.end]) for sentence in document.sentences]
        return {"sents_tokens": plain if raw is True else raw}
    if "sentences" in kept:
        return {} if kept["sentences"] is None else {"sentences": kept["sentences"]}
    return {"sentences": _plain_sentences(document.text, document.tokens, document.sentences)}


def _span(record: Mapping[str, Any], where: str, words: Sequence[str]) -> Span:
    return span_at([record.get("start"), record.get("end")], f"{where}.start, end", length=len(words))


def _derived(words: Sequence[str], span: Span) -> str:
    return " ".join(words[span.start : span.end])


def _entity_mention(value: Any, where: str, words: Sequence[str]) -> Mention:
    record = mapping(value, where)
    span = _span(record, where, words)
    identifier = member(record, "id", "", inside=where)
    if not identifier:
        raise InvalidValueError(f"{where}.id", "a non-empty string", shown(identifier))
    rest = {name: item for name, item in record.items() if name not in {"id", "start", "end", "entity_type"}}
    if rest.get("text") == _derived(words, span):
        del rest["text"]
    return Mention(span, identifier, member(record, "entity_type", "", inside=where, required=False), attributes=rest)


def _event(value: Any, where: str, words: Sequence[str], mentions: Mapping[str, Mention]) -> Event:
    record = mapping(value, where)
    trigger = member(record, "trigger", {}, inside=where)
    span = _span(trigger, f"{where}.trigger", words)
    attributes = {
        name: item for name, item in record.items() if name not in {"id", "event_type", "trigger", "arguments"}
    }
    about = {name: item for name, item in trigger.items() if name not in {"start", "end"}}
    if about.get("text") == _derived(words, span):
        del about["text"]
    attributes["trigger"] = about
    arguments = [
        _argument(item, f"{where}.arguments[{number}]", words, mentions)
        for number, item in enumerate(member(record, "arguments", [], inside=where, required=False))
    ]
    event_type = member(record, "event_type", "", inside=where)
    if not event_type:
        raise InvalidValueError(f"{where}.event_type", "a non-empty string", shown(event_type))
    identifier = member(record, "id", "", inside=where, required=False)
    return Event(event_type, span, tuple(arguments), identifier, attributes=attributes)


def _argument(value: Any, where: str, words: Sequence[str], mentions: Mapping[str, Mention]) -> Argument:
    record = mapping(value, where)
    identifier = member(record, "entity_id", "", inside=where)
    if identifier not in mentions:
        raise InvalidValueError(f"{where}.entity_id", "the id of an entity mention", shown(identifier))
    role = member(record, "role", "", inside=where)
    if not role:
        raise InvalidValueError(f"{where}.role", "a non-empty string", shown(role))
    attributes = {name: item for name, item in record.items() if name not in {"entity_id", "role"}}
    mention = mentions[identifier]
    if attributes.get("text") == _derived(words, mention.span):
        del attributes["text"]
    return Argument(role, mention.span, filler=identifier, attributes=attributes)


def _place(document: Document, span: Span) -> dict[str, Any]:
    text = _derived(document.words, span)
    return {"start": span.start, "end": span.end, "text": text, "sent_idx": document.sentence_of(span.start)}


class _Fillers:
    """The entity mentions of a document, and those made for arguments that have none."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.mentions: dict[str, Mention] = {}
        for entity in document.entities:
            for mention in entity.mentions:
                identifier = mention.id if mention.id not in {"", *self.mentions} else self._new_id()
                self.mentions[identifier] = replace(mention, id=identifier)
        self._made: dict[Span, Mention] = {}

    def of(self, argument: Argument) -> Mention:
        """Return the mention that fills a role."""
        named = self.mentions.get(argument.filler)
        if named is not None and named.span == argument.span:
            return named
        if argument.span not in self._made:
            mention = Mention(argument.span, self._new_id())
            self._made[argument.span] = self.mentions[mention.id] = mention
        return self._made[argument.span]

    def _new_id(self) -> str:
        number = len(self.mentions) + 1
        while f"{self._document.id}-T{number}" in self.mentions:
            number += 1
        return f"{self._document.id}-T{number}"


def _event_record(document: Document, event: Event, number: int, fillers: _Fillers) -> dict[str, Any]:
    if event.trigger is None:
        return {}
    attributes = {name: item for name, item in event.attributes.items() if name != "trigger"}
    about = event.attributes.get("trigger")
    place = _place(document, event.trigger)
    if about is not None:
        # What a trigger was read with says all there was: parts of the corpus have no `sent_idx`.
        place = {"start": place["start"], "end": place["end"], "text": place["text"], **dict(about)}
    arguments = [
        {
            "entity_id": mention.id,
            "role": argument.role,
            "text": _derived(document.words, mention.span),
            **argument.attributes,
        }
        for argument, mention in ((argument, fillers.of(argument)) for argument in event.arguments)
    ]
    identifier = event.id or f"{document.id}-E{number}"
    return {"id": identifier, "event_type": event.type, "trigger": place, "arguments": arguments, **attributes}


FORMAT = Format("wikievents", "WikiEvents", "doc_id", recognises, read_document, write_document)
