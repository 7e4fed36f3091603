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

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from eventune.corpora.fields import mapping, member, shown, span_at
from eventune.corpora.registry import Format
from eventune.errors import InvalidValueError
from eventune.events import Argument, Document, Entity, Event, Mention, Span

Derived = Callable[[Document, Span], dict[str, Any]]
"""Gives the fields of a mention that follow from the document and a span."""

_OWN = frozenset({"doc_id", "text", "tokens", "entity_mentions", "relation_mentions", "event_mentions", "wikievents"})
_MENTION = ("id", "start", "end", "entity_type")
_TRIGGER = ("start", "end")
_EVENT = ("id", "event_type", "trigger", "arguments")
_ARGUMENT = ("entity_id", "role")


def recognises(record: Any) -> bool:
    """Tell whether a first record looks like this format."""
    if not isinstance(record, dict) or record.keys() & {"sent_id", "wnd_id"}:
        return False
    return bool(record.keys() & {"sentences", "sents_tokens"} and record.keys() & {"event_mentions", "entity_mentions"})


def read_document(value: Any) -> Document:
    """Read a document from its record.

    Args:
        value: The JSON object of one line.

    Returns:
        The document.

    Raises:
        InvalidValueError: If a field is missing or of another type, an index lies outside the document, sentences and
            tokens differ, or an argument's entity mention is not in the record.
    """
    record = mapping(value, "record")
    document = _without_events(record)
    entities = tuple(
        Entity((read_mention(item, f"entity_mentions[{n}]", document, _derived),))
        for n, item in enumerate(member(record, "entity_mentions", []))
    )
    mentions = mentions_by_id(entities)
    events = tuple(
        _event(item, f"event_mentions[{n}]", document, mentions)
        for n, item in enumerate(member(record, "event_mentions", []))
    )
    return replace(document, entities=entities, events=events)


def write_document(document: Document) -> Iterator[dict[str, Any]]:
    """Yield the one record of a document.

    An argument at a place where no entity is mentioned gets an entity mention without a type. The format has no place
    for pieces, parts of tokens, scores, several triggers and events without any.

    Args:
        document: The document.

    Yields:
        The record.
    """
    raw = own_metadata(document, "wikievents")
    relations = document.metadata.get("relation_mentions")
    table = MentionTable(document)
    events = [
        _event_record(event, event.trigger, f"{document.id}-E{number}", document, table)
        for number, event in enumerate(document.events, 1)
        if event.trigger is not None
    ]
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


def placed(text: str, words: Iterable[str]) -> tuple[Span, ...] | None:
    """Find the words of a text in it.

    Args:
        text: The text.
        words: Its words in order, with nothing but white space between them.

    Returns:
        The character span of each word, or None if the text is made of other words.
    """
    spans = []
    behind = 0
    for word in words:
        start = text.find(word, behind)
        if start < 0 or text[behind:start].strip():
            return None
        behind = start + len(word)
        spans.append(Span(start, behind))
    return None if text[behind:].strip() else tuple(spans)


def words_of(values: Sequence[Any], where: str) -> list[str]:
    """Return words that must be strings with something in them; raises InvalidValueError."""
    for number, word in enumerate(values):
        if not isinstance(word, str) or not word:
            raise InvalidValueError(f"{where}[{number}]", "a non-empty string", shown(word))
    return list(values)


def own_metadata(document: Document, name: str) -> Mapping[str, Any]:
    """Return what a format has put under its own name into a document's metadata."""
    value = document.metadata.get(name)
    return value if isinstance(value, dict) else {}


def beyond(record: Mapping[str, Any], own: Iterable[str], derived: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the fields of a record that the domain has no place for.

    Args:
        record: The record.
        own: Names of the fields that the domain has a place for.
        derived: Fields that follow from the document, which are left out where the record says the same.
    """
    names, same = frozenset(own), derived or {}
    return {k: v for k, v in record.items() if k not in names and not (k in same and same[k] == v)}


def read_mention(value: Any, where: str, document: Document, derived: Derived) -> Mention:
    """Read an entity mention.

    Args:
        value: `{"id", "start", "end", "entity_type", …}`, offsets in tokens, the end exclusive.
        where: Its path in the record, for messages.
        document: The document, of which only the tokens are used.
        derived: Gives the fields that follow from a document and a span.

    Returns:
        The mention.

    Raises:
        InvalidValueError: If a field is missing, of another type, or outside the document.
    """
    record = mapping(value, where)
    name = named(record, "id", where)
    span = span_in(record, where, document)
    rest = beyond(record, _MENTION, derived(document, span))
    return Mention(span, name, member(record, "entity_type", "", inside=where), attributes=rest)


def read_trigger(event: Mapping[str, Any], where: str, document: Document, derived: Derived) -> tuple[Mention, ...]:
    """Read the trigger of an event; arguments and errors are those of `read_mention`."""
    where = f"{where}.trigger"
    record = mapping(event.get("trigger"), where)
    span = span_in(record, where, document)
    return (Mention(span, attributes=beyond(record, _TRIGGER, derived(document, span))),)


def span_in(record: Mapping[str, Any], where: str, document: Document) -> Span:
    """Return the token span between `start` and `end` of a record; raises InvalidValueError."""
    return span_at([record.get("start"), record.get("end")], where, length=len(document.tokens))


def named(record: Mapping[str, Any], field: str, where: str) -> str:
    """Return a name that must not be empty; raises InvalidValueError."""
    name = member(record, field, "", inside=where)
    if not name:
        raise InvalidValueError(f"{where}.{field}", "a non-empty string", shown(name))
    return name


def mentions_by_id(entities: Sequence[Entity]) -> dict[str, Mention]:
    """Return the mention of each entity by its identifier; raises InvalidValueError if two share one."""
    mentions: dict[str, Mention] = {}
    for number, entity in enumerate(entities):
        (mention,) = entity.mentions
        if mention.id in mentions:
            expected = "an identifier of its own in the document"
            raise InvalidValueError(f"entity_mentions[{number}].id", expected, f"{shown(mention.id)} once more")
        mentions[mention.id] = mention
    return mentions


def filler_of(record: Mapping[str, Any], where: str, mentions: Mapping[str, Mention]) -> Mention:
    """Return the entity mention that an argument's `entity_id` names; raises InvalidValueError."""
    name = named(record, "entity_id", where)
    if name not in mentions:
        raise InvalidValueError(f"{where}.entity_id", "the id of one of the entity_mentions", shown(name))
    return mentions[name]


def mention_record(name: str, mention: Mention, derived: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record of an entity mention; what it says itself goes before what follows from the document."""
    offsets = {"id": name, **_offsets(mention.span), "entity_type": mention.type}
    return {**offsets, **derived, **beyond(mention.attributes, _MENTION)}


def trigger_record(event: Event, trigger: Span, derived: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record of an event's first trigger."""
    attributes = event.mentions[0].attributes if event.mentions else {}
    return {**_offsets(trigger), **derived, **beyond(attributes, _TRIGGER)}


class MentionTable:
    """The entity mentions of a document by identifiers that are unique, and those that its arguments need besides."""

    def __init__(self, document: Document) -> None:
        known = [
            replace(mention, type=mention.type or entity.type)
            for entity in document.entities
            for mention in entity.mentions
        ]
        taken = {mention.id for mention in known}
        self._mentions: dict[str, Mention] = {}
        names = (f"{document.id}-T{number}" for number in count(1))
        self._fresh = (name for name in names if name not in taken and name not in self._mentions)
        self._at: dict[Span, str] = {}
        for mention in known:
            self._add(mention)

    def name_for(self, argument: Argument) -> str:
        """Return the identifier of an entity mention at an argument's place, best the one that it names itself."""
        filler = self._mentions.get(argument.filler)
        if filler is not None and filler.span == argument.span:
            return argument.filler
        return self._at.get(argument.span) or self._add(Mention(argument.span, argument.filler))

    def items(self) -> Iterable[tuple[str, Mention]]:
        """Return the mentions with their identifiers; complete when all arguments have asked for theirs."""
        return self._mentions.items()

    def _add(self, mention: Mention) -> str:
        name = mention.id if mention.id and mention.id not in self._mentions else next(self._fresh)
        self._mentions[name] = mention
        self._at.setdefault(mention.span, name)
        return name

    def __getitem__(self, name: str) -> Mention:
        return self._mentions[name]


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


def _event(value: Any, where: str, document: Document, mentions: Mapping[str, Mention]) -> Event:
    record = mapping(value, where)
    trigger = read_trigger(record, where, document, _derived_of_trigger)
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
    filler = filler_of(record, where, mentions)
    rest = beyond(record, _ARGUMENT, {"text": _text(document, filler)})
    return Argument(named(record, "role", where), filler.span, filler=filler.id, attributes=rest)


def _event_record(event: Event, trigger: Span, name: str, document: Document, table: MentionTable) -> dict[str, Any]:
    arguments = []
    for argument in event.arguments:
        entity = table.name_for(argument)
        text = {"text": _text(document, table[entity])}
        attributes = beyond(argument.attributes, _ARGUMENT)
        arguments.append({"entity_id": entity, "role": argument.role, **text, **attributes})
    return {
        "id": event.id or name,
        "event_type": event.type,
        "trigger": trigger_record(event, trigger, _derived_of_trigger(document, trigger)),
        "arguments": arguments,
        **beyond(event.attributes, _EVENT),
    }


def _text(document: Document, mention: Mention) -> Any:
    """Return the text of a mention as its record has it."""
    return mention.attributes.get("text", document.text_of(mention.span))


def _offsets(span: Span) -> dict[str, int]:
    return {"start": span.start, "end": span.end}


FORMAT = Format("wikievents", "WikiEvents", "doc_id", recognises, read_document, write_document)
