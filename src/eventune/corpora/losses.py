"""What a format has no place for, found by reading back what was written of a document."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
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
        shared: Counter[Fact] = Counter()
        events: Counter[Fact] = Counter()
        for document in after:
            # Records that a document was split into repeat its text, but each has events of its own.
            shared |= Counter(_facts(document))
            events += Counter(_facts_of_events(document))
        said = Counter(_facts(before)) + Counter(_facts_of_events(before))
        for (kind, _), count in (said - shared - events).items():
            self.counts[kind] += count
            self.first.setdefault(kind, before.id)

    def to_dict(self) -> dict[str, Any]:
        """Return counts and first documents by kind, as JSON values."""
        return {kind: {"count": count, "first": self.first[kind]} for kind, count in self.counts.most_common()}

    def __bool__(self) -> bool:
        return bool(self.counts)

    def __str__(self) -> str:
        return ", ".join(f"{kind}: {count:,}" for kind, count in self.counts.most_common())


_At = Callable[[Place], tuple[tuple[int, int], ...]]


@lru_cache(maxsize=4)
def _visible(text: str) -> Sequence[int]:
    """Return how many characters that are no white space stand before each position."""
    return tuple(accumulate((not character.isspace() for character in text), initial=0))


def _places(document: Document) -> _At:
    """Return what tells where something stands, whatever the white space and the tokens are."""
    visible = _visible(document.text)
    return lambda item: tuple((visible[piece.start], visible[piece.end]) for piece in document.pieces_of(item))


def _facts_of_events(document: Document) -> Iterator[Fact]:
    place = _places(document)
    for event in document.events:
        yield from _facts_of_event(event, place)


def _facts(document: Document) -> Iterator[Fact]:
    """Yield what a document says beside its events."""
    text = document.text
    visible, place = _visible(text), _places(document)
    yield "documents", 1
    yield "texts", "".join(text.split())
    yield "white space of texts", text
    for token in document.tokens:
        yield "token boundaries", visible[token.end]
    for sentence in document.sentences:
        yield "sentence boundaries", visible[document.tokens[sentence.end - 1].end]
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


def _facts_of_event(event: Event, place: _At) -> Iterator[Fact]:
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
