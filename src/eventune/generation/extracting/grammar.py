"""What may stand next in an answer: an automaton over tokens whose values are spans of the document.

A state is a set of threads, each of which is a piece that is being written and knows what may follow it. Mentions of
the same words are written in one go by several threads; which of them is meant is decided at the end.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from eventune.events import Document, Span
from eventune.generation.extracting.answer_tokens import AnswerTokenizer
from eventune.generation.extracting.script import BETWEEN, OPENING, Script

CERTAIN: Mapping[int, float] = {}
"""Log-probabilities where none are known: each counts as 0."""


@dataclass(frozen=True, slots=True)
class Thread:
    """A piece that is being written.

    Attributes:
        tokens: Its tokens.
        then: What it is: `head`, `empty`, `open`, `value`, `more`, `close` or `end`.
        at: How many of its tokens are written.
        first: Of a word, the first word of its span.
        word: Of a word, its index in the document.
        any_of: In place of `tokens`, tokens any of which may be written.
    """

    tokens: tuple[int, ...]
    then: str
    at: int = 0
    first: int = -1
    word: int = -1
    any_of: frozenset[int] = frozenset()

    def takes(self, token: int) -> bool:
        """Tell whether a token may be written next."""
        return token in self.any_of if self.any_of else self.tokens[self.at] == token

    @property
    def is_last(self) -> bool:
        """Whether its last token is next."""
        return self.at + 1 >= len(self.tokens)


@dataclass(frozen=True, slots=True)
class Value:
    """A value that was written.

    Attributes:
        tokens: Its tokens.
        spans: All places of the document that have these words; empty where values may be any text.
        probability: Of its tokens and of its end, among those that were allowed.
    """

    tokens: tuple[int, ...]
    spans: tuple[Span, ...]
    probability: float


@dataclass(frozen=True, slots=True)
class State:
    """Where an answer is.

    Attributes:
        threads: What may be written on; none when the answer is complete.
        slot: The role that is written.
        written: Tokens so far.
        values: What was written for each role so far.
        tokens: Of the value that is being written.
        ended: Spans of the value that may end here, or was ended by the piece that is being written.
        log_probability: Of the value that is being written.
        ending: Log-probability of how it ends, given that it does: with one more value, or with none.
        room: Tokens that it may have.
    """

    threads: tuple[Thread, ...]
    slot: int = 0
    written: int = 0
    values: tuple[tuple[Value, ...], ...] = ()
    tokens: tuple[int, ...] = ()
    ended: tuple[Span, ...] = ()
    log_probability: float = 0.0
    ending: float = 0.0
    room: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether nothing may follow."""
        return not self.threads

    def allowed(self) -> list[int]:
        """Return the tokens that may follow, each once."""
        found: dict[int, None] = {}
        for thread in self.threads:
            found.update(dict.fromkeys(thread.any_of or (thread.tokens[thread.at],)))
        return list(found)

    def openers(self) -> list[int]:
        """Return the tokens that decide for a value where none is possible too; empty where nothing is decided."""
        empty = {thread.tokens[thread.at] for thread in self.threads if thread.then == "empty"}
        opening = {thread.tokens[thread.at] for thread in self.threads if thread.then == "open"}
        return sorted(opening - empty) if empty else []


class Values(Protocol):
    """What values consist of.

    Attributes:
        starts: What a value may begin with.
        longest: Tokens of the longest value.
    """

    starts: tuple[Thread, ...]
    longest: int

    def after(self, thread: Thread) -> Thread | None:
        """Return what may follow inside a value; None where it has to end."""
        ...


class Words:
    """The words of a document that spans may consist of, in tokens.

    Attributes:
        longest: Tokens of the longest span.
    """

    def __init__(
        self, document: Document, window: Span, answer_tokenizer: AnswerTokenizer, *, max_span_length: int
    ) -> None:
        self._max_span_length = max_span_length
        self._window = window
        self._sentences = [document.sentence_of(index) for index in range(window.start, window.end)]
        places = range(window.start, window.end)
        self._next = [answer_tokenizer.word(document, index, is_first=False) for index in places]
        first = [answer_tokenizer.word(document, index, is_first=True) for index in places]
        self._is_plain = [all(map(answer_tokenizer.is_plain, pair)) for pair in zip(first, self._next, strict=True)]
        self._starts = [
            Thread(tokens, "value", first=index, word=index) for index, tokens in zip(places, first, strict=True)
        ]
        self.starts: tuple[Thread, ...] = tuple(
            thread for thread, is_plain in zip(self._starts, self._is_plain, strict=True) if is_plain
        )
        self.longest = self._longest()

    def after(self, thread: Thread) -> Thread | None:
        """Return the word that may follow in a span: the next one of the same sentence."""
        following, start = thread.word + 1, self._window.start
        if following >= self._window.end or following - thread.first >= self._max_span_length:
            return None
        is_same = self._sentences[following - start] == self._sentences[thread.first - start]
        if not is_same or not self._is_plain[following - start]:
            return None
        return Thread(self._next[following - start], "value", first=thread.first, word=following)

    def spell(self, span: Span) -> list[int] | None:
        """Return a span's tokens; None where it can be no value: outside, over a sentence's end, or too long."""
        if not (self._window.start <= span.start and span.end <= self._window.end):
            return None
        place = span.start - self._window.start
        thread = self._starts[place] if self._is_plain[place] else None
        tokens: list[int] = []
        while thread is not None:
            tokens += thread.tokens
            if thread.word == span.end - 1:
                return tokens
            thread = self.after(thread)
        return None

    def _longest(self) -> int:
        later = [len(tokens) for tokens in self._next]
        return max(
            (
                len(thread.tokens) + sum(later[place + 1 : place + self._max_span_length])
                for place, thread in enumerate(self._starts)
            ),
            default=0,
        )


class AnyText:
    """Any text that needs no escape in JSON."""

    def __init__(self, answer_tokenizer: AnswerTokenizer, *, max_tokens: int) -> None:
        self.longest = max_tokens
        self._any = answer_tokenizer.plain_tokens()
        self.starts: tuple[Thread, ...] = (Thread((), "value", first=0, word=0, any_of=self._any),)

    def after(self, thread: Thread) -> Thread | None:
        """Return one more token, as long as there may be one."""
        return replace(thread, word=thread.word + 1) if thread.word + 1 < self.longest else None


@dataclass(frozen=True)
class Grammar:
    """All answers to one question.

    Attributes:
        script: The answer's fixed parts.
        words: What values consist of.
        answer_tokenizer: Writes pieces in tokens.
        budget: Tokens that an answer may have; it is brought to its end before they are used up.
    """

    script: Script
    words: Values
    answer_tokenizer: AnswerTokenizer
    budget: int
    _rest: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        piece = self.answer_tokenizer.piece
        rest = [1]
        for slot in reversed(self.script.slots):
            rest.append(rest[-1] + len(piece(slot.head)) + len(piece(slot.empty)))
        object.__setattr__(self, "_rest", tuple(reversed(rest)))

    @property
    def least(self) -> int:
        """Tokens of the shortest answer."""
        return self._rest[0] + len(self.answer_tokenizer.piece(self.script.whole) if self.script.whole else ())

    def start(self) -> State:
        """Return the state before the first token."""
        if self.script.whole:
            return State((Thread(self.answer_tokenizer.piece(self.script.whole), "last"),))
        return State((self._head(0),))

    def advance(self, state: State, token: int, log_probabilities: Mapping[int, float] = CERTAIN) -> State:
        """Return the state after one more token.

        Args:
            state: The state.
            token: One of those that it allows.
            log_probabilities: Log-probability of each of those, for the values' confidence.

        Raises:
            ValueError: If the token is not allowed.
        """
        kept = [thread for thread in state.threads if thread.takes(token)]
        if not kept:
            raise ValueError(f"token {token} may not follow: expected one of {state.allowed()[:8]}")
        state = self._scored(state, kept, token, log_probabilities)
        going_on = tuple(replace(thread, at=thread.at + 1) for thread in kept if not thread.is_last)
        done = [thread for thread in kept if thread.is_last]
        words = [thread for thread in done if thread.then == "value"]
        if words:
            return self._after_words(state, going_on, words)
        if done:
            # Pieces around values differ before their last token, so that one that is complete stands alone.
            return self._after_piece(state, done[0].then)
        return replace(state, threads=going_on)

    def write(self, values: Sequence[Sequence[Sequence[int]]]) -> list[int]:
        """Return the tokens of an answer.

        Args:
            values: For each slot, the tokens of its values.
        """
        piece = self.answer_tokenizer.piece
        tokens: list[int] = list(piece(self.script.whole)) if self.script.whole else []
        for slot, spelled in zip(self.script.slots, values, strict=True):
            tokens += piece(slot.head)
            tokens += () if spelled else piece(slot.empty)
            for number, value in enumerate(spelled):
                tokens += piece(BETWEEN if number else OPENING)
                tokens += value
            tokens += piece(slot.closing) if spelled else ()
        return [*tokens, self.answer_tokenizer.eos]

    def _scored(
        self, state: State, kept: Sequence[Thread], token: int, log_probabilities: Mapping[int, float]
    ) -> State:
        """Count a token, and its probability where it belongs to a value; any piece that may end a value ends it."""
        state = replace(state, written=state.written + 1)
        own = log_probabilities.get(token, 0.0)
        kinds = {thread.then for thread in kept}
        if "value" in kinds:
            return replace(state, tokens=(*state.tokens, token), log_probability=state.log_probability + own)
        if "open" in kinds:
            return replace(state, log_probability=state.log_probability + own)
        if not kinds & {"more", "close"}:
            return state
        if kept[0].at:
            return replace(state, ending=state.ending + own)
        ends = {thread.tokens[0] for thread in state.threads if thread.then in {"more", "close"}}
        total = math.log(sum(math.exp(log_probabilities.get(end, 0.0)) for end in ends) or 1e-30)
        return replace(state, log_probability=state.log_probability + min(total, 0.0), ending=own - total)

    def _after_words(self, state: State, going_on: tuple[Thread, ...], words: Sequence[Thread]) -> State:
        room = state.room - len(state.tokens)
        following = tuple(
            thread for thread in map(self.words.after, words) if thread and max(len(thread.tokens), 1) <= room
        )
        slot = self.script.slots[state.slot]
        ends = [Thread(self.answer_tokenizer.piece(slot.closing), "close")]
        is_full = len(state.values[state.slot]) + 1 >= slot.role.multiplicity
        if not is_full and self._starts(self._room(state) - len(self.answer_tokenizer.piece(BETWEEN))):
            ends.append(Thread(self.answer_tokenizer.piece(BETWEEN), "more"))
        ended = () if words[0].any_of else tuple(Span(thread.first, thread.word + 1) for thread in words)
        return replace(state, threads=(*going_on, *following, *ends), ended=ended)

    def _after_piece(self, state: State, kind: str) -> State:
        piece = self.answer_tokenizer.piece
        if kind == "head":
            threads = [Thread(piece(self.script.slots[state.slot].empty), "empty")]
            if self._starts(self._room(state) - len(piece(OPENING))):
                threads.append(Thread(piece(OPENING), "open"))
            return replace(state, threads=tuple(threads), log_probability=0.0)
        if kind in {"more", "close"}:
            value = Value(state.tokens, state.ended, math.exp(min(state.log_probability, 0.0)))
            values = (*state.values[:-1], (*state.values[-1], value))
            state = replace(state, values=values, tokens=(), ended=(), log_probability=state.ending)
        if kind in {"open", "empty"}:
            state = replace(state, values=(*state.values, ()))
        if kind in {"open", "more"}:
            room = self._room(state)
            return replace(state, threads=self._starts(room), room=room)
        if kind in {"empty", "close"} and state.slot + 1 < len(self.script.slots):
            return replace(state, threads=(self._head(state.slot + 1),), slot=state.slot + 1)
        return replace(state, threads=() if kind == "end" else (Thread((self.answer_tokenizer.eos,), "end"),))

    def _head(self, slot: int) -> Thread:
        return Thread(self.answer_tokenizer.piece(self.script.slots[slot].head), "head")

    def _room(self, state: State) -> int:
        """Return how many tokens one more value may have, so that the shortest end fits behind it."""
        closing = len(self.answer_tokenizer.piece(self.script.slots[state.slot].closing))
        return self.budget - state.written - closing - self._rest[state.slot + 1]

    def _starts(self, room: int) -> tuple[Thread, ...]:
        """Return what a value of so many tokens may begin with."""
        if room >= self.words.longest:
            return self.words.starts
        return tuple(thread for thread in self.words.starts if max(len(thread.tokens), 1) <= room)
