"""Documents, their events and the events' arguments, all immutable and checked at construction.

Every span is half-open, `[start, end)`. A document keeps its text as it came and the character span of each token, so
that whatever is found in tokens can be shown in the text again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Protocol

from eventune.errors import InvalidValueError

UNPLACED = "unplaced"
"""Attribute of an event: `{"role", "argument"}` objects for the arguments that stand nowhere in the text."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open, non-empty range `[start, end)`, of tokens unless it is said otherwise.

    Attributes:
        start: Index of the first element.
        end: Index behind the last element.

    Raises:
        InvalidValueError: If the range is empty, reversed, negative, or not of integers.
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        # bool is an int to Python, but no offset.
        if type(self.start) is not int or type(self.end) is not int or not 0 <= self.start < self.end:
            raise InvalidValueError("span", "integers 0 <= start < end", f"[{self.start!r}, {self.end!r})")

    def __len__(self) -> int:
        return self.end - self.start

    def overlaps(self, other: Span) -> bool:
        """Tell whether the two spans share an element."""
        return self.start < other.end and other.start < self.end

    def contains(self, other: Span) -> bool:
        """Tell whether `other` lies inside this span."""
        return self.start <= other.start and other.end <= self.end


@lru_cache(maxsize=1 << 16)
def span_of(start: int, end: int) -> Span:
    """Return a span that all who ask for the same one share: corpora have the same few thousands again and again."""
    return Span(start, end)


class Place(Protocol):
    """What stands somewhere in a document: an argument or a mention.

    Attributes:
        span: Tokens from the first to the last.
        fragments: Token spans of the pieces, in the corpus's own order, where there are several; else empty.
        characters: Exact character span of each piece, where one begins or ends inside a token; else empty.
    """

    @property
    def span(self) -> Span: ...  # noqa: D102
    @property
    def fragments(self) -> tuple[Span, ...]: ...  # noqa: D102
    @property
    def characters(self) -> tuple[Span, ...]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Argument:
    """A span of the document that fills a role of an event.

    Attributes:
        role: Role name, as the ontology writes it; a nested role has its parent's name before a dot (`Treatment.Drug`).
        span: Token span; of a discontinuous argument, from its first token to its last.
        score: Probability in [0, 1] that a model gave it; None for annotations.
        fragments: Token spans of the pieces of a discontinuous argument, in the corpus's own order; else empty.
        characters: Exact character span of each piece, where one begins or ends inside a token; else empty.
        filler: Identifier of the mention, entity or event that fills the role, or an empty string.
        attributes: Whatever else the corpus says of the argument, as JSON values.

    Raises:
        InvalidValueError: If the role is empty, or fragments and characters do not fit the span.
    """

    role: str
    span: Span
    score: float | None = None
    fragments: tuple[Span, ...] = ()
    characters: tuple[Span, ...] = ()
    filler: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not isinstance(self.role, str) or not self.role:
            raise InvalidValueError("role", "a non-empty string", repr(self.role))
        _check_pieces(self)


@dataclass(frozen=True, slots=True)
class Mention:
    """A place of the document that names an entity or an event.

    Attributes:
        span: Token span; of a discontinuous mention, from its first token to its last.
        id: The corpus's own identifier, or an empty string.
        type: Type of what is mentioned, where the corpus gives it by mention; else an empty string.
        fragments: Token spans of the pieces of a discontinuous mention, in the corpus's own order; else empty.
        characters: Exact character span of each piece, where one begins or ends inside a token; else empty.
        attributes: Whatever else the corpus says of the mention, as JSON values.

    Raises:
        InvalidValueError: If fragments and characters do not fit the span.
    """

    span: Span
    id: str = ""
    type: str = ""
    fragments: tuple[Span, ...] = ()
    characters: tuple[Span, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        _check_pieces(self)


def _check_pieces(place: Place) -> None:
    fragments = place.fragments
    if fragments:
        hull = (min(piece.start for piece in fragments), max(piece.end for piece in fragments))
        if len(fragments) < 2 or hull != (place.span.start, place.span.end):
            expected = f"two pieces or more from {place.span.start} to {place.span.end}"
            raise InvalidValueError("fragments", expected, str([[piece.start, piece.end] for piece in fragments]))
    pieces = len(fragments) or 1
    if place.characters and len(place.characters) != pieces:
        raise InvalidValueError("characters", f"a span for each of {pieces} pieces", f"{len(place.characters)} spans")


@dataclass(frozen=True, slots=True)
class Entity:
    """All mentions of one entity in a document; an entity that is mentioned once is one too.

    Attributes:
        mentions: The mentions, in the corpus's own order.
        id: The corpus's own identifier, or an empty string.
        type: Type of the entity, where the corpus gives it by entity; else an empty string.
        attributes: Whatever else the corpus says of the entity, as JSON values.

    Raises:
        InvalidValueError: If there is no mention.
    """

    mentions: tuple[Mention, ...]
    id: str = ""
    type: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not self.mentions:
            raise InvalidValueError("mentions", "at least one mention", "none")


@dataclass(frozen=True, slots=True)
class Event:
    """An event with the arguments that are known of it.

    Attributes:
        type: Event type, as the ontology writes it.
        trigger: Token span of the word that names the event; None where the corpus marks none.
        arguments: The arguments in the corpus's own order; duplicates are kept, as the official scorers count them.
        id: The corpus's own identifier, or an empty string.
        mentions: The trigger and all others, where `trigger` does not say everything: several triggers, one in pieces,
            or one with an identifier. The first has the span of `trigger`.
        attributes: Whatever else the corpus says of the event, as JSON values.

    Raises:
        InvalidValueError: If the type is empty, or the first mention is not the trigger.
    """

    type: str
    trigger: Span | None
    arguments: tuple[Argument, ...] = ()
    id: str = ""
    mentions: tuple[Mention, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not isinstance(self.type, str) or not self.type:
            raise InvalidValueError("type", "a non-empty string", repr(self.type))
        if self.mentions and self.mentions[0].span != self.trigger:
            raise InvalidValueError("mentions[0]", f"the trigger's span {self.trigger}", str(self.mentions[0].span))

    @property
    def triggers(self) -> tuple[Span, ...]:
        """The spans of all triggers: none, one, or those of the mentions."""
        if self.mentions:
            return tuple(mention.span for mention in self.mentions)
        return () if self.trigger is None else (self.trigger,)

    @property
    def unplaced(self) -> tuple[Mapping[str, Any], ...]:
        """The arguments that stand nowhere in the text, as `{"role", "argument"}` objects."""
        items = self.attributes.get(UNPLACED)
        return tuple(item for item in items if isinstance(item, dict)) if isinstance(items, list) else ()

    def with_arguments(self, arguments: Iterable[Argument]) -> Event:
        """Return the same event with other arguments; those that stand nowhere in the text go with the old ones."""
        attributes = {name: value for name, value in self.attributes.items() if name != UNPLACED}
        return replace(self, arguments=tuple(arguments), attributes=attributes)


@dataclass(frozen=True, slots=True)
class Document:
    """A text with its tokens, sentences, events and entities.

    Attributes:
        id: Identifier, unique in its corpus.
        text: The text as it came.
        tokens: Character span of each token, in order, without overlap.
        sentences: Token spans that cover all tokens without gap or overlap.
        events: The events, in the corpus's own order.
        metadata: Whatever else the corpus says of the document, as JSON values.
        entities: The entities with their mentions, in the corpus's own order.

    Raises:
        InvalidValueError: If a token lies outside the text, tokens or sentences are out of order, or a span of an
            event or entity lies outside the document.
    """

    id: str
    text: str
    tokens: tuple[Span, ...]
    sentences: tuple[Span, ...]
    events: tuple[Event, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)
    entities: tuple[Entity, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.id, str) or not self.id:
            raise InvalidValueError("id", "a non-empty string", repr(self.id))
        self._check_tokens()
        self._check_sentences()
        try:
            self.text.encode("utf-8")
        except UnicodeEncodeError as error:
            # Half of an emoji's escape, or bytes of a command line: no tokenizer takes it and no file can hold it.
            raise InvalidValueError("text", "Unicode", f"half a surrogate pair at {error.start}") from None
        for number, event in enumerate(self.events):
            self._check_event(f"events[{number}]", event)
        for number, entity in enumerate(self.entities):
            for n, mention in enumerate(entity.mentions):
                self._check_place(f"entities[{number}].mentions[{n}]", mention)

    def _check_tokens(self) -> None:
        previous_end, length = 0, len(self.text)
        for index, token in enumerate(self.tokens):
            if token.start < previous_end:
                raise InvalidValueError(f"tokens[{index}]", f"a start >= {previous_end}", str(token.start))
            if token.end > length:
                raise InvalidValueError(f"tokens[{index}]", f"an end <= {length} (text length)", str(token.end))
            previous_end = token.end

    def _check_sentences(self) -> None:
        expected_start = 0
        for index, sentence in enumerate(self.sentences):
            if sentence.start != expected_start:
                raise InvalidValueError(f"sentences[{index}]", f"start = {expected_start}", str(sentence.start))
            expected_start = sentence.end
        if expected_start != len(self.tokens):
            raise InvalidValueError("sentences", f"to cover {len(self.tokens)} tokens", f"{expected_start} covered")

    def _check_event(self, where: str, event: Event) -> None:
        if event.trigger is not None:
            self._check_span(f"{where}.trigger", event.trigger)
        for number, mention in enumerate(event.mentions):
            self._check_place(f"{where}.mentions[{number}]", mention)
        for number, argument in enumerate(event.arguments):
            self._check_place(f"{where}.arguments[{number}]", argument)

    def _check_place(self, where: str, place: Place) -> None:
        # Pieces lie inside the span: they were checked when the place was made.
        self._check_span(f"{where}.span", place.span)
        for number, characters in enumerate(place.characters):
            if characters.end > len(self.text):
                expected = f"a span inside the document's {len(self.text)} characters"
                found = f"[{characters.start}, {characters.end})"
                raise InvalidValueError(f"{where}.characters[{number}]", expected, found)

    def _check_span(self, where: str, span: Span) -> None:
        if span.end > len(self.tokens):
            expected = f"a span inside the document's {len(self.tokens)} tokens"
            raise InvalidValueError(where, expected, f"[{span.start}, {span.end})")

    @classmethod
    def from_sentences(
        cls,
        id: str,
        sentences: Iterable[Sequence[str]],
        *,
        events: Iterable[Event] = (),
        metadata: Mapping[str, Any] | None = None,
        entities: Iterable[Entity] = (),
    ) -> Document:
        """Build a document from tokenised sentences: tokens are joined by a space, sentences by a line feed.

        Args:
            id: Identifier of the document.
            sentences: The words of each sentence; empty sentences are left out.
            events: Events with document-level token spans.
            metadata: Whatever else is known of the document.
            entities: Entities with document-level token spans.

        Returns:
            The document, whose `words` are the words given.

        Raises:
            InvalidValueError: If a word is empty or a span lies outside the document.
        """
        parts: list[str] = []
        tokens: list[Span] = []
        sentence_spans: list[Span] = []
        offset = 0
        for sentence_index, words in enumerate(sentences):
            if not words:
                continue
            first = len(tokens)
            for word_index, word in enumerate(words):
                if not isinstance(word, str) or not word:
                    where = f"sentences[{sentence_index}][{word_index}]"
                    raise InvalidValueError(where, "a non-empty string", repr(word))
                if tokens:
                    parts.append("\n" if word_index == 0 else " ")
                    offset += 1
                parts.append(word)
                tokens.append(Span(offset, offset + len(word)))
                offset += len(word)
            sentence_spans.append(Span(first, len(tokens)))
        return cls(
            id,
            "".join(parts),
            tuple(tokens),
            tuple(sentence_spans),
            tuple(events),
            dict(metadata or {}),
            tuple(entities),
        )

    @property
    def words(self) -> tuple[str, ...]:
        """The text of each token."""
        return tuple(self.text[token.start : token.end] for token in self.tokens)

    def characters_of(self, span: Span) -> Span:
        """Return the character span that a token span covers."""
        return span_of(self.tokens[span.start].start, self.tokens[span.end - 1].end)

    def text_of(self, span: Span) -> str:
        """Return the text of a token span as it stands in the document."""
        characters = self.characters_of(span)
        return self.text[characters.start : characters.end]

    def pieces_of(self, place: Place) -> tuple[Span, ...]:
        """Return the exact character span of each piece of an argument or a mention."""
        return place.characters or tuple(self.characters_of(piece) for piece in place.fragments or (place.span,))

    def exact_text_of(self, place: Place) -> str:
        """Return the exact text of an argument or a mention; pieces are joined by a space."""
        return " ".join(self.text[piece.start : piece.end] for piece in self.pieces_of(place))

    def sentence_of(self, token: int) -> int:
        """Return the index of the sentence that holds a token."""
        return bisect_right(self.sentences, token, key=lambda sentence: sentence.start) - 1

    def with_events(self, events: Iterable[Event]) -> Document:
        """Return the same document with other events."""
        return replace(self, events=tuple(events))
