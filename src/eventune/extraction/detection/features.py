"""From documents to what the trigger detector reads.

A window holds all words that fit, for all types at once. Types are read beside the text where their names are few, and
by themselves, as inputs of their own, where they are many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, chain

from eventune.errors import EventuneError
from eventune.events import Document, Event, EventType, Ontology, Span
from eventune.extraction.coverage import Coverage
from eventune.extraction.detection.marks import TypeMark
from eventune.extraction.prompts import type_words
from eventune.extraction.subwords import MAX_SUBWORDS_A_WORD, SubwordTokenizer
from eventune.extraction.windows import windows

SHARE_BESIDE = 8
"""Types are read beside the text where they take no more than this part of the encoder's length: one in eight."""


@dataclass(frozen=True, slots=True)
class EncodedText:
    """One window of a document, read for all types.

    Attributes:
        document: Index of the document in what was encoded.
        first_word: Index of the window's first word in the document.
        input_ids: Ids of the subword tokens.
        marks: `TypeMark` of each subword token.
        word_starts: First subword token of each word.
        word_ends: Last subword token of each word.
        sentences: Sentence of each word.
        known: Whether the annotation says of each word what it is; a span whose two ends are not known is neither a
            positive nor a negative.
        gold: (index of the type, word in the window, length - 1) of each gold trigger in reach, without duplicates.
    """

    document: int
    first_word: int
    input_ids: list[int]
    marks: list[int]
    word_starts: list[int]
    word_ends: list[int]
    sentences: list[int]
    known: list[int]
    gold: list[tuple[int, int, int]]


@dataclass(frozen=True, slots=True)
class EncodedType:
    """An event type, read by itself.

    Attributes:
        input_ids: Subword tokens of its name, then of its description.
        name_tokens: How many of them are its name's.
    """

    input_ids: list[int]
    name_tokens: int


class TextEncoder:
    """Encodes documents and an ontology's types for the trigger detector.

    Attributes:
        ontology: The event types.
        beside: Whether types are read beside the text.
        types: The types as inputs of their own; none where they are read beside the text.
        type_tokens: First and last subword token of each type's name; none where they are not read beside the text.
    """

    def __init__(
        self,
        tokenizer: SubwordTokenizer,
        ontology: Ontology,
        *,
        max_length: int,
        max_trigger_length: int,
        type_reading: str = "auto",
    ) -> None:
        self.tokenizer = tokenizer
        self.ontology = ontology
        self.max_length, self.max_trigger_length = max_length, max_trigger_length
        names = [self._subwords_of_type(event_type) for event_type in ontology.types.values()]
        tokens = sum(len(name) + len(rest) for name, rest in names)
        if type_reading == "auto":
            type_reading = "beside" if tokens <= max_length // SHARE_BESIDE else "vectors"
        self.beside = type_reading == "beside"
        self._prefix: list[int] = [self.tokenizer.cls_token_id]
        self._prefix_marks: list[int] = [int(TypeMark.NONE)]
        self.type_tokens: list[tuple[int, int]] = []
        self.types: list[EncodedType] = []
        if self.beside:
            self._read_beside(names)
        else:
            self.types = [self._by_itself(name, rest) for name, rest in names]
        self._row_of = {name: row for row, name in enumerate(ontology.types)}

    def _subwords_of_type(self, event_type: EventType) -> tuple[list[int], list[int]]:
        name = self.tokenizer.all_subwords(type_words(event_type))
        return name, self.tokenizer.all_subwords(
            [":", *event_type.description.split()]
        ) if event_type.description else []

    def _read_beside(self, names: Sequence[tuple[list[int], list[int]]]) -> None:
        separator = self.tokenizer.all_subwords([","])
        for name, rest in names:
            self.type_tokens.append((len(self._prefix), len(self._prefix) + len(name) - 1))
            self._prefix += [*name, *rest, *separator]
            self._prefix_marks += [int(TypeMark.TYPE)] * len(name) + [int(TypeMark.NONE)] * (len(rest) + len(separator))
        self._prefix.append(self.tokenizer.sep_token_id)
        self._prefix_marks.append(int(TypeMark.NONE))
        if self.max_length - len(self._prefix) - 1 < max(MAX_SUBWORDS_A_WORD, self.max_length // 4):
            raise EventuneError(
                f"type_reading: the {len(names)} types' names take {len(self._prefix)} of {self.max_length} subword "
                "tokens and leave too little room for the text",
                "type_reading: vectors",
            )

    def _by_itself(self, name: list[int], rest: list[int]) -> EncodedType:
        ids = [self.tokenizer.cls_token_id, *name, *rest][: self.max_length - 1]
        return EncodedType([*ids, self.tokenizer.sep_token_id], len(name))

    def encode(self, documents: Sequence[Document], *, partial: bool = False) -> tuple[list[EncodedText], Coverage]:
        """Encode documents.

        Args:
            documents: The documents.
            partial: Whether the annotation marks some events only; see `EncodedText.known`.

        Returns:
            The windows in the order of the documents, and what is out of reach.
        """
        texts: list[EncodedText] = []
        coverage = Coverage()
        for index, document in enumerate(documents):
            words = [self.tokenizer.subwords(word) for word in document.words]
            sentences = [document.sentence_of(word) for word in range(len(words))]
            told = _told_apart(document.events)
            coverage.gold += len(told)
            coverage.unreachable.update(filter(None, (self._reason_out_of_reach(event, sentences) for event in told)))
            known = _known_words(document) if partial else [1] * len(words)
            budget = self.max_length - len(self._prefix) - 1
            for window in windows([len(word) for word in words], budget=budget, overlap=4 * self.max_trigger_length):
                texts.append(self._text(index, document, words, sentences, known, window))
        return texts, coverage

    def _text(
        self,
        index: int,
        document: Document,
        words: Sequence[Sequence[int]],
        sentences: Sequence[int],
        known: Sequence[int],
        window: Span,
    ) -> EncodedText:
        inside = words[window.start : window.end]
        ends = [len(self._prefix) + end - 1 for end in accumulate(len(word) for word in inside)]
        text = list(chain.from_iterable(inside))
        gold = {
            (self._row_of[event.type], event.trigger.start - window.start, len(event.trigger) - 1): None
            for event in document.events
            if event.trigger is not None
            and window.contains(event.trigger)
            and self._reason_out_of_reach(event, sentences) is None
        }
        return EncodedText(
            document=index,
            first_word=window.start,
            input_ids=[*self._prefix, *text, self.tokenizer.sep_token_id],
            marks=[*self._prefix_marks, *[int(TypeMark.TEXT)] * len(text), int(TypeMark.NONE)],
            word_starts=[end - len(word) + 1 for end, word in zip(ends, inside, strict=True)],
            word_ends=ends,
            sentences=list(sentences[window.start : window.end]),
            known=list(known[window.start : window.end]),
            gold=list(gold),
        )

    def _reason_out_of_reach(self, event: Event, sentences: Sequence[int]) -> str | None:
        if event.type not in self.ontology:
            return "event type not in the ontology"
        if event.trigger is None:
            return "without a trigger"
        if len(event.trigger) > self.max_trigger_length:
            return f"longer than max_trigger_length {self.max_trigger_length}"
        if sentences[event.trigger.start] != sentences[event.trigger.end - 1]:
            return "crosses a sentence boundary"
        return None


def _told_apart(events: Sequence[Event]) -> list[Event]:
    """Return events without those that have a trigger and type of another: TextEE's TC counts them as one."""
    return list({(event.type, event.trigger): event for event in events}.values())


def _known_words(document: Document) -> list[int]:
    """Return 1 for the words that a partial annotation speaks of: triggers, and arguments, which are no events."""
    known = [0] * len(document.tokens)
    for event in document.events:
        spans = [*event.triggers, *(argument.span for argument in event.arguments)]
        for span in spans:
            known[span.start : span.end] = [1] * len(span)
    return known
