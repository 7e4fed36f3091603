"""What a format has no place for, found by reading back what was written of a document."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Any

from eventune.events import Document, Event, Mention, Place

Fact = tuple[str, Any]
"""A kind, as the report names it, and what is said."""


class Losses:
    """Counts what documents lost when they were written.

    Attributes:
        counts: How much of each kind was lost, e.g. `scores of arguments`.
        first: Identifier of the first document that lost something of the kind.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.first: dict[str, str] = {}

    def add(self, before: Document, after: Iterable[Document]) -> None:
        """Compare a document with what was read back of it.

        Args:
            before: The document that was written.
            after: What its records say: no document, one, or several where the format splits it.
        """
        kept: Counter[Fact] = Counter()
        for document in after:
            kept |= Counter(_facts(document))
        for (kind, _), count in (Counter(_facts(before)) - kept).items():
            self.counts[kind] += count
            self.first.setdefault(kind, before.id)

    def to_dict(self) -> dict[str, Any]:
        """Return counts and first documents by kind, as JSON values."""
        return {kind: {"count": count, "first": self.first[kind]} for kind, count in self.counts.most_common()}

    def __bool__(self) -> bool:
        return bool(self.counts)

    def __str__(self) -> str:
        return ", ".join(f"{kind}: {count:,}" for kind, count in self.counts.most_common())


def _facts(document: Document) -> Iterator[Fact]:
    """Yield all that a document says, whatever its white space and its tokens are."""
    text = document.text
    visible = list(accumulate((not character.isspace() for character in text), initial=0))

    def place(item: Place) -> tuple[tuple[int, int], ...]:
        return tuple((visible[piece.start], visible[piece.end]) for piece in document.pieces_of(item))

    yield "documents", 1
    yield "texts", "".join(text.split())
    yield "white space of texts", text
    for token in document.tokens:
        yield "token boundaries", visible[token.end]
    for sentence in document.sentences:
        yield "sentence boundaries", visible[document.tokens[sentence.end - 1].end]
    for event in document.events:
        yield from _facts_of_event(event, place)
    for entity in document.entities:
        places = tuple(place(mention) for mention in entity.mentions)
        if len(places) > 1:
            yield "coreference between mentions", places
        yield from _named("entities", (places, entity.id, entity.type), entity.attributes)
        for mention, at in zip(entity.mentions, places, strict=True):
            yield "mentions of entities", at
            yield from _facts_of_mention("mentions of entities", mention, at)
    for name, value in document.metadata.items():
        yield f"metadata {name!r}", _frozen(value)


def _facts_of_event(event: Event, place: Any) -> Iterator[Fact]:
    trigger = None if event.trigger is None else place(event.mentions[0] if event.mentions else Mention(event.trigger))
    key = (event.type, trigger)
    yield "events" if trigger else "events without a trigger", key
    if event.id:
        yield "identifiers of events", (key, event.id)
    yield from _attributes("events", key, event.attributes)
    for mention in event.mentions or tuple(map(Mention, event.triggers)):
        yield "triggers", (key, place(mention))
        yield from _facts_of_mention("triggers", mention, (key, place(mention)))
    for argument in event.arguments:
        at = (key, argument.role, place(argument))
        yield "arguments", at
        if argument.score is not None:
            yield "scores of arguments", (at, argument.score)
        if argument.filler:
            yield "identifiers of fillers", (at, argument.filler)
        yield from _attributes("arguments", at, argument.attributes)


def _facts_of_mention(kind: str, mention: Mention, at: Any) -> Iterator[Fact]:
    yield from _named(kind, (at, mention.id, mention.type), mention.attributes)


def _named(kind: str, key: tuple[Any, str, str], attributes: Mapping[str, Any]) -> Iterator[Fact]:
    at, identifier, type_name = key
    if identifier:
        yield f"identifiers of {kind}", (at, identifier)
    if type_name:
        yield f"types of {kind}", (at, type_name)
    yield from _attributes(kind, at, attributes)


def _attributes(kind: str, key: Any, attributes: Mapping[str, Any]) -> Iterator[Fact]:
    for name, value in attributes.items():
        yield f"attribute {name!r} of {kind}", (key, _frozen(value))


def _frozen(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
