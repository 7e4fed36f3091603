"""From character offsets to tokens, for corpora that count characters."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from eventune.corpora.fields import shown
from eventune.errors import InvalidValueError
from eventune.events import Argument, Document, Entity, Event, Mention, Span
from eventune.events.segmentation import Segmentation


class Offsets:
    """Finds the tokens of character spans.

    A piece that begins or ends inside a token gets the whole token; the place then keeps the exact characters as well,
    so that nothing is lost and no token boundary gives an annotation away.
    """

    def __init__(self, text: str, tokens: Sequence[Span], sentences: Sequence[Span] = ()) -> None:
        self._text = text
        self._tokens = tuple(tokens)
        self._sentences = tuple(sentences)
        self._starts = [token.start for token in tokens]
        self._ends = [token.end for token in tokens]

    @classmethod
    def of(cls, text: str, segmentation: Segmentation) -> Offsets:
        """Cut a text, for a corpus that has no tokens of its own.

        Args:
            text: The text.
            segmentation: `segment` or `segment_characters` of `eventune.events.segmentation`.

        Returns:
            What finds the tokens.
        """
        return cls(text, *segmentation(text))

    def document(
        self,
        id: str,
        events: Iterable[Event],
        metadata: Mapping[str, Any],
        entities: Iterable[Entity] = (),
    ) -> Document:
        """Return the document of the text."""
        return Document(id, self._text, self._tokens, self._sentences, tuple(events), metadata, tuple(entities))

    def argument(self, role: str, pieces: Sequence[Any], where: str, **rest: Any) -> Argument:
        """Return an argument.

        Args:
            role: Its role.
            pieces: `(start, end)` of each piece in characters, half-open, as the record has them.
            where: Their path in the record, for messages.
            **rest: What else is known of the argument, as its constructor takes it.

        Returns:
            The argument.

        Raises:
            InvalidValueError: If a piece is no pair of integers, empty, reversed, outside the text, or holds no token.
        """
        return Argument(role, **self._place(pieces, where), **rest)

    def mention(self, pieces: Sequence[Any], where: str, **rest: Any) -> Mention:
        """Return a mention; arguments and errors are those of `argument`."""
        return Mention(**self._place(pieces, where), **rest)

    def tokens_of(self, piece: Any, where: str) -> Span:
        """Return the tokens that a character span touches; errors are those of `argument`."""
        characters = self.characters_of(piece, where)
        first, behind = bisect_right(self._ends, characters.start), bisect_left(self._starts, characters.end)
        if first >= behind:
            expected = "a span with a token in it"
            raise InvalidValueError(where, expected, f"{shown(list(piece))}, {self._text[slice(*piece)]!r}")
        return Span(first, behind)

    def characters_of(self, piece: Any, where: str) -> Span:
        """Return a character span as it is; errors are those of `argument`, but for the token."""
        match piece:
            case [int(start), int(end)] if type(start) is int and type(end) is int and 0 <= start < end:
                if end <= len(self._text):
                    return Span(start, end)
        expected = f"a non-empty span [start, end) inside the text's {len(self._text)} characters"
        raise InvalidValueError(where, expected, shown(piece))

    def _place(self, pieces: Sequence[Any], where: str) -> dict[str, Any]:
        if not pieces:
            raise InvalidValueError(where, "a span", "none")
        spans = tuple(self.tokens_of(piece, where) for piece in pieces)
        place: dict[str, Any] = {"span": Span(min(span.start for span in spans), max(span.end for span in spans))}
        if len(spans) > 1:
            place["fragments"] = spans
        exact = tuple(self.characters_of(piece, where) for piece in pieces)
        covered = tuple(Span(self._starts[span.start], self._ends[span.end - 1]) for span in spans)
        if exact != covered:
            place["characters"] = exact
        return place
