"""From documents to the tensors that the trigger detector reads.

A window holds all words that fit, for all types at once. Types are read beside the text where their names are few, and
by themselves, as inputs of their own, where they are many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from eventune.errors import EventuneError
from eventune.events import Document, Event, EventType, Ontology, Span
from eventune.extraction.collator import padded
from eventune.extraction.detection.model import TypeMark
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
        input_ids: Piece ids.
        marks: `TypeMark` of each piece.
        word_starts: First piece of each word.
        word_ends: Last piece of each word.
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


@dataclass(slots=True)
class TriggerCoverage:
    """How many gold triggers a detector can reach, and why it cannot reach the rest.

    Attributes:
        triggers: All gold triggers.
        unreachable: Count of those that no prediction can match, by reason.
    """

    triggers: int = 0
    unreachable: Counter[str] = field(default_factory=Counter)


class TextEncoder:
    """Encodes documents and an ontology's types for the trigger detector.

    Attributes:
        ontology: The event types.
        beside: Whether types are read beside the text.
        types: The types as inputs of their own, as the detector takes them; None where they are read beside the text.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        ontology: Ontology,
        *,
        max_length: int,
        max_trigger_length: int,
        type_reading: str = "auto",
    ) -> None:
        self.words = SubwordTokenizer.of(tokenizer)
        self.ontology = ontology
        self.max_length, self.max_trigger_length = max_length, max_trigger_length
        names = [self._pieces_of_type(event_type) for event_type in ontology.types.values()]
        pieces = sum(len(name) + len(rest) for name, rest in names)
        if type_reading == "auto":
            type_reading = "beside" if pieces <= max_length // SHARE_BESIDE else "vectors"
        self.beside = type_reading == "beside"
        self._prefix: list[int] = [self.words.cls_token_id]
        self._prefix_marks: list[int] = [int(TypeMark.NONE)]
        self.type_pieces: list[tuple[int, int]] = []
        self.types = None if self.beside else self._inputs_of_types(names)
        if self.beside:
            self._read_beside(names)
        self._row_of = {name: row for row, name in enumerate(ontology.types)}

    def _pieces_of_type(self, event_type: EventType) -> tuple[list[int], list[int]]:
        name = self.words.all_subwords(type_words(event_type))
        return name, self.words.all_subwords([":", *event_type.description.split()]) if event_type.description else []

    def _read_beside(self, names: Sequence[tuple[list[int], list[int]]]) -> None:
        separator = self.words.all_subwords([","])
        for name, rest in names:
            self.type_pieces.append((len(self._prefix), len(self._prefix) + len(name) - 1))
            self._prefix += [*name, *rest, *separator]
            self._prefix_marks += [int(TypeMark.TYPE)] * len(name) + [int(TypeMark.NONE)] * (len(rest) + len(separator))
        self._prefix.append(self.words.sep_token_id)
        self._prefix_marks.append(int(TypeMark.NONE))
        if self.max_length - len(self._prefix) - 1 < max(MAX_SUBWORDS_A_WORD, self.max_length // 4):
            raise EventuneError(
                f"type_reading: the {len(names)} types' names take {len(self._prefix)} of {self.max_length} pieces and "
                "leave too little room for the text",
                "type_reading: vectors",
            )

    def _inputs_of_types(self, names: Sequence[tuple[list[int], list[int]]]) -> dict[str, Tensor]:
        rows = [
            [*[self.words.cls_token_id, *name, *rest][: self.max_length - 1], self.words.sep_token_id]
            for name, rest in names
        ]
        length = max((len(row) for row in rows), default=1)
        return {
            "type_ids": padded(rows, length, self.words.pad_token_id),
            "type_attention": padded([[1] * len(row) for row in rows], length, 0),
            "type_lengths": torch.tensor([len(name) for name, _ in names], dtype=torch.long),
        }

    def encode(
        self, documents: Sequence[Document], *, partial: bool = False
    ) -> tuple[list[EncodedText], TriggerCoverage]:
        """Encode documents.

        Args:
            documents: The documents.
            partial: Whether the annotation marks some events only; see `EncodedText.known`.

        Returns:
            The windows in the order of the documents, and what is out of reach.
        """
        texts: list[EncodedText] = []
        coverage = TriggerCoverage()
        for index, document in enumerate(documents):
            words = [self.words.subwords(word) for word in document.words]
            sentences = [document.sentence_of(word) for word in range(len(words))]
            coverage.triggers += len(document.events)
            coverage.unreachable.update(self._reasons_out_of_reach(document, sentences))
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
        pieces = words[window.start : window.end]
        ends = [len(self._prefix) + end - 1 for end in accumulate(len(word) for word in pieces)]
        text = list(chain.from_iterable(pieces))
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
            input_ids=[*self._prefix, *text, self.words.sep_token_id],
            marks=[*self._prefix_marks, *[int(TypeMark.TEXT)] * len(text), int(TypeMark.NONE)],
            word_starts=[end - len(word) + 1 for end, word in zip(ends, pieces, strict=True)],
            word_ends=ends,
            sentences=list(sentences[window.start : window.end]),
            known=list(known[window.start : window.end]),
            gold=list(gold),
        )

    def _reasons_out_of_reach(self, document: Document, sentences: Sequence[int]) -> Iterator[str]:
        for event in document.events:
            if reason := self._reason_out_of_reach(event, sentences):
                yield reason

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

    def collate(self, texts: Sequence[EncodedText], *, multiple: int = 16) -> dict[str, Tensor]:
        """Pad windows to a batch.

        Args:
            texts: The windows.
            multiple: What lengths are rounded up to, so that only few shapes occur.

        Returns:
            The arguments of `TriggerDetector.forward` but the types, and of the loss: `known` *shape* (texts, words)
            and `targets` *shape* (gold triggers, 4): text, type, word, length - 1.
        """
        pieces = _rounded(max(len(text.input_ids) for text in texts), multiple)
        words = _rounded(max(len(text.word_starts) for text in texts), multiple)
        gold = [(index, *trigger) for index, text in enumerate(texts) for trigger in text.gold]
        return {
            "input_ids": padded([text.input_ids for text in texts], pieces, self.words.pad_token_id),
            "attention_mask": padded([[1] * len(text.input_ids) for text in texts], pieces, 0),
            "marks": padded([text.marks for text in texts], pieces, int(TypeMark.NONE)),
            "word_starts": padded([text.word_starts for text in texts], words, 0),
            "word_ends": padded([text.word_ends for text in texts], words, 0),
            "sentences": padded([text.sentences for text in texts], words, -1),
            "known": padded([text.known for text in texts], words, 0).bool(),
            "targets": torch.tensor(gold, dtype=torch.long).view(-1, 4),
        }


def _rounded(length: int, multiple: int) -> int:
    return -(-length // multiple) * multiple


def _known_words(document: Document) -> list[int]:
    """Return 1 for the words that a partial annotation speaks of: triggers, and arguments, which are no events."""
    known = [0] * len(document.tokens)
    for event in document.events:
        spans = [*event.triggers, *(argument.span for argument in event.arguments)]
        for span in spans:
            known[span.start : span.end] = [1] * len(span)
    return known
