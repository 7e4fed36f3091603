"""Documents, their events and the events' arguments, all immutable and checked at construction.

Every span is half-open, `[start, end)`. A document keeps its text as it came and the character span of each token, so
that whatever is found in tokens can be shown in the text again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from eventune.errors import InvalidValueError


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


@dataclass(frozen=True, slots=True)
class Argument:
    """A span of the document that fills a role of an event.

    Attributes:
        role: Role name, as the ontology writes it.
        span: Token span.
        score: Probability in [0, 1] that a model gave it; None for annotations.

    Raises:
        InvalidValueError: If the role is empty.
    """

    role: str
    span: Span
    score: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.role, str) or not self.role:
            raise InvalidValueError("role", "a non-empty string", repr(self.role))


@dataclass(frozen=True, slots=True)
class Event:
    """An event with the arguments that are known of it.

    Attributes:
        type: Event type, as the ontology writes it.
        trigger: Token span of the word that names the event; None where the corpus marks none.
        arguments: The arguments in the corpus's own order; duplicates are kept, as the official scorers count them.
        id: The corpus's own identifier, or an empty string.

    Raises:
        InvalidValueError: If the type is empty.
    """

    type: str
    trigger: Span | None
    arguments: tuple[Argument, ...] = ()
    id: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.type, str) or not self.type:
            raise InvalidValueError("type", "a non-empty string", repr(self.type))


@dataclass(frozen=True, slots=True)
class Document:
    """A text with its tokens, sentences and events.

    Attributes:
        id: Identifier, unique in its corpus.
        text: The text as it came.
        tokens: Character span of each token, in order, without overlap.
        sentences: Token spans that cover all tokens without gap or overlap.
        events: The events, in the corpus's own order.
        metadata: Whatever else the corpus says of the document, as JSON values.

    Raises:
        InvalidValueError: If a token lies outside the text, tokens or sentences are out of order, or an event's span
            lies outside the document.
    """

    id: str
    text: str
    tokens: tuple[Span, ...]
    sentences: tuple[Span, ...]
    events: tuple[Event, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not isinstance(self.id, str) or not self.id:
            raise InvalidValueError("id", "a non-empty string", repr(self.id))
        self._check_tokens()
        self._check_sentences()
        for number, event in enumerate(self.events):
            self._check_event(f"events[{number}]", event)

    def _check_tokens(self) -> None:
        previous_end = 0
        for index, token in enumerate(self.tokens):
            if token.start < previous_end:
                raise InvalidValueError(f"tokens[{index}]", f"a start >= {previous_end}", str(token.start))
            if token.end > len(self.text):
                raise InvalidValueError(f"tokens[{index}]", f"an end <= {len(self.text)} (text length)", str(token.end))
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
        spans = [] if event.trigger is None else [(f"{where}.trigger", event.trigger)]
        spans += [(f"{where}.arguments[{n}].span", argument.span) for n, argument in enumerate(event.arguments)]
        for name, span in spans:
            if span.end > len(self.tokens):
                raise InvalidValueError(
                    name,
                    f"a span inside the document's {len(self.tokens)} tokens",
                    f"[{span.start}, {span.end})",
                )

    @classmethod
    def from_sentences(
        cls,
        id: str,
        sentences: Iterable[Sequence[str]],
        *,
        events: Iterable[Event] = (),
        metadata: Mapping[str, Any] | None = None,
    ) -> Document:
        """Build a document from tokenised sentences: tokens are joined by a space, sentences by a line feed.

        Args:
            id: Identifier of the document.
            sentences: The words of each sentence; empty sentences are left out.
            events: Events with document-level token spans.
            metadata: Whatever else is known of the document.

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
        return cls(id, "".join(parts), tuple(tokens), tuple(sentence_spans), tuple(events), dict(metadata or {}))

    @property
    def words(self) -> tuple[str, ...]:
        """The text of each token."""
        return tuple(self.text[token.start : token.end] for token in self.tokens)

    def characters_of(self, span: Span) -> Span:
        """Return the character span that a token span covers."""
        return Span(self.tokens[span.start].start, self.tokens[span.end - 1].end)

    def text_of(self, span: Span) -> str:
        """Return the text of a token span as it stands in the document."""
        characters = self.characters_of(span)
        return self.text[characters.start : characters.end]

    def sentence_of(self, token: int) -> int:
        """Return the index of the sentence that holds a token."""
        return bisect_right(self.sentences, token, key=lambda sentence: sentence.start) - 1

    def with_events(self, events: Iterable[Event]) -> Document:
        """Return the same document with other events."""
        return replace(self, events=tuple(events))
