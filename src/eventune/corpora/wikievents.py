"""WikiEvents (Li et al. 2021, "Document-Level Event Argument Extraction by Conditional Generation"), a document a line.

Quirks, each with a test:

- Token indices count from the start of the document, and their end is exclusive.
- An argument has no offsets: they are those of the entity mention that its `entity_id` names. That name is the
  argument's filler.
- `text` lacks the line ends that the character offsets in `sentences` count, so that these fit no text. Tokens are
  placed in `text` by their words instead, and `sentences` stays as it came in `metadata["wikievents"]`.
- Converted files have `sents_tokens` in place of `sentences`, no `text` and no `sent_idx`.

Every entity mention becomes an entity of its own; `eventune.corpora.coreference` merges them. The fields `text`,
`sent_idx` and `mention_type` are kept only where they say more than the tokens do (`mention_type` is `UNK` everywhere).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from eventune.corpora.entity_mentions import (
    MentionTable,
    annotated,
    event_records,
    filler_of,
    mention_record,
    placed,
    words_of,
)
from eventune.corpora.fields import beyond, mapping, member, name_in, own_metadata, shown
from eventune.corpora.registry import Format
from eventune.errors import InvalidValueError
from eventune.events import Argument, Document, Mention, Span

_OWN = frozenset({"doc_id", "text", "tokens", "entity_mentions", "relation_mentions", "event_mentions", "wikievents"})
_ARGUMENT = ("entity_id", "role")


def recognises(record: Any) -> bool:
    """Tell whether a first record looks like this format."""
    if not isinstance(record, dict) or record.keys() & {"sent_id", "wnd_id"}:
        return False
    return bool(record.keys() & {"sentences", "sents_tokens"} and record.keys() & {"event_mentions", "entity_mentions"})


def read_document(value: Any) -> Document:
    """Read a document; see `Format`."""
    record = mapping(value, "record")
    member(record, "entity_mentions", [])
    return annotated(_without_events(record), record, _argument, _derived, _derived_of_trigger)


def write_document(document: Document) -> Iterator[dict[str, Any]]:
    """Yield the one record of a document.

    An argument at a place where no entity is mentioned gets an entity mention without a type. The format has no place
    for pieces, parts of tokens, scores, several triggers and events without any.
    """
    raw = own_metadata(document, "wikievents")
    relations = document.metadata.get("relation_mentions")
    table = MentionTable(document)

    def argument_record(argument: Argument) -> dict[str, Any]:
        entity = table.name_for(argument)
        text = _text(document, table[entity])
        own = {"entity_id": entity, "role": argument.role, "text": text}
        return {**own, **beyond(argument.attributes, _ARGUMENT)}

    events = event_records(document, argument_record, _derived_of_trigger)
    yield {
        "doc_id": document.id,
        "text": text if isinstance(text := raw.get("text"), str) else document.text,
        "tokens": list(document.words),
        "sentences": _sentences(document, raw.get("sentences")),
        "entity_mentions": [
            mention_record(name, mention, _derived(document, mention.span)) for name, mention in table.items()
        ],
        "relation_mentions": relations if isinstance(relations, list) else [],
        "event_mentions": events,
        **beyond(document.metadata, (*_OWN, "sentences")),
    }


def _without_events(record: Mapping[str, Any]) -> Document:
    words = words_of(member(record, "tokens", []), "tokens")
    text = member(record, "text", "", required=False)
    source = "sentences" if "sentences" in record else "sents_tokens"
    sentences = _words_by_sentence(record, source)
    if [word for sentence in sentences for word in sentence] != words:
        raise InvalidValueError(source, f"the {len(words)} tokens of `tokens`, in sentences", "other tokens")
    document = Document.from_sentences(member(record, "doc_id", ""), sentences)
    own: dict[str, Any] = {}
    tokens = placed(text, words) if "text" in record else None
    if tokens is not None:
        document = replace(document, text=text, tokens=tokens)
    elif "text" in record:
        own["text"] = text
    if source == "sentences" and record[source] != _sentences(document, None):
        own["sentences"] = record[source]
    metadata = beyond(record, (*_OWN, source))
    if relations := member(record, "relation_mentions", [], required=False):
        metadata["relation_mentions"] = relations
    return replace(document, metadata={**metadata, "wikievents": own} if own else metadata)


def _words_by_sentence(record: Mapping[str, Any], source: str) -> list[list[str]]:
    sentences = []
    for number, sentence in enumerate(member(record, source, [])):
        where = f"{source}[{number}]"
        if source == "sentences":
            match sentence:
                case [list(tokens), _] if all(isinstance(token, list) and token for token in tokens):
                    sentence = [token[0] for token in tokens]
                case _:
                    expected = "[[[token, start, end], …], sentence]"
                    raise InvalidValueError(where, expected, shown(sentence))
        if not isinstance(sentence, list):
            raise InvalidValueError(where, "a list of words", shown(sentence))
        sentences.append(words_of(sentence, where))
    return sentences


def _sentences(document: Document, raw: Any) -> list[Any]:
    """Return the field `sentences`: as it came, if it still has the document's words, or else made anew."""
    made = []
    for sentence in document.sentences:
        spans = document.tokens[sentence.start : sentence.end]
        tokens = [[document.text[span.start : span.end], span.start, span.end] for span in spans]
        made.append([tokens, document.text_of(sentence)])
    if raw is None:
        return made
    try:
        words = _words_by_sentence({"sentences": raw}, "sentences")
    except InvalidValueError:
        return made
    same = [words for words in words if words] == [[token[0] for token in tokens] for tokens, _ in made]
    return list(raw) if same else made


def _derived(document: Document, span: Span) -> dict[str, Any]:
    """Return the fields of an entity mention that follow from its span, or have the same value everywhere."""
    return {**_derived_of_trigger(document, span), "mention_type": "UNK"}


def _derived_of_trigger(document: Document, span: Span) -> dict[str, Any]:
    return {"sent_idx": document.sentence_of(span.start), "text": document.text_of(span)}


def _argument(value: Any, where: str, document: Document, mentions: Mapping[str, Mention]) -> Argument:
    record = mapping(value, where)
    filler = filler_of(record, where, mentions)
    rest = beyond(record, _ARGUMENT, {"text": _text(document, filler)})
    return Argument(name_in(record, "role", where), filler.span, filler=filler.id, attributes=rest)


def _text(document: Document, mention: Mention) -> Any:
    """Return the text of a mention as its record has it."""
    return mention.attributes.get("text", document.text_of(mention.span))


FORMAT = Format("wikievents", "WikiEvents", "doc_id", recognises, read_document, write_document)
