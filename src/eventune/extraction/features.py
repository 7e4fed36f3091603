"""From documents to the tensors that the joint extractor reads, and back from its indices to the document's.

Nothing is lost silently: a document that does not fit the encoder is read in overlapping windows, and gold arguments
that no prediction could reach are counted by reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, chain

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from eventune.errors import EventuneError
from eventune.events import Document, Event, EventType, Ontology, Span
from eventune.extraction.model import MAX_SENTENCE_DISTANCE, Mark
from eventune.extraction.prompts import role_words, trigger_words, type_words

MAX_PIECES_A_WORD = 16
"""A longer word (an address, a hash) is read by its first and last pieces, so that it stays one word of the text."""

Pieces = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class EncodedWindow:
    """One window of a document, read for one event.

    Attributes:
        document: Index of the document in what was encoded.
        event: Index of the event in its document.
        first_word: Index of the window's first word in the document.
        input_ids: Piece ids.
        marks: `Mark` of each piece.
        role_pieces: First and last piece of each role's name, in the ontology's order.
        word_starts: First piece of each word.
        word_ends: Last piece of each word.
        sentences: Sentence of each word.
        gold: (row of `roles`, word in the window, length - 1) of each gold argument in reach, without duplicates.
        roles: The roles that are read for, by their index in the event type.
    """

    document: int
    event: int
    first_word: int
    input_ids: list[int]
    marks: list[int]
    role_pieces: list[tuple[int, int]]
    word_starts: list[int]
    word_ends: list[int]
    sentences: list[int]
    gold: list[tuple[int, int, int]]
    roles: tuple[int, ...]


@dataclass(slots=True)
class GoldCoverage:
    """How many gold arguments an extractor can reach, and why it cannot reach the rest.

    Attributes:
        arguments: All gold arguments.
        unreachable: Count of those that no prediction can match, by reason.
    """

    arguments: int = 0
    unreachable: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class EncodedPrompt:
    """The encoded prompt of one event.

    Attributes:
        ids: Piece ids, with the special tokens around them.
        marks: `Mark` of each piece.
        role_pieces: First and last piece of each role's name.
        roles: The roles that it asks for, by their index in the event type.
        slot: Which of a role's fillers is asked for; None for all of them.
    """

    ids: list[int]
    marks: list[int]
    role_pieces: list[tuple[int, int]]
    roles: tuple[int, ...]
    slot: int | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A window of a document, in pieces.

    Attributes:
        words: Pieces of each word of the document.
        sentences: Sentence of each word of the document.
        window: The words that the window holds.
    """

    words: Sequence[Pieces]
    sentences: Sequence[int]
    window: Span


class FeatureBuilder:
    """Encodes documents for one ontology and one tokenizer; one prompt an event asks for all roles."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, ontology: Ontology, *, max_length: int, max_span_length: int
    ) -> None:
        first, last = tokenizer.cls_token_id, tokenizer.sep_token_id
        if first is None or last is None or not tokenizer.is_fast:
            raise EventuneError(
                f"{type(tokenizer).__name__}: expected a fast tokenizer with cls and sep tokens",
                "choose an encoder such as bert-base-uncased, roberta-base or minilm",
            )
        self.tokenizer = tokenizer
        self.ontology = ontology
        self.max_length = max_length
        self.max_span_length = max_span_length
        self._first, self._last = int(first), int(last)
        self._pieces_of = lru_cache(maxsize=65536)(self._encode_word)

    def encode(self, documents: Sequence[Document]) -> tuple[list[EncodedWindow], GoldCoverage]:
        """Encode every event of the documents.

        Args:
            documents: The documents; events of a type without roles, or unknown to the ontology, give no example.

        Returns:
            The examples in the order of documents, events and windows, and what is out of reach.

        Raises:
            EventuneError: If a prompt leaves no room for the text.
        """
        examples: list[EncodedWindow] = []
        coverage = GoldCoverage()
        for index, document in enumerate(documents):
            words = [self._pieces_of(word) for word in document.words]
            sentences = [document.sentence_of(word) for word in range(len(words))]
            for number, event in enumerate(document.events):
                coverage.arguments += len(event.arguments)
                if event.type not in self.ontology:
                    coverage.unreachable["event type not in the ontology"] += len(event.arguments)
                    continue
                event_type = self.ontology[event.type]
                prompts = self._prompts(document, event, event_type)
                longest = max((len(prompt.ids) for prompt in prompts), default=2)
                budget, overlap = self.max_length - longest - 1, 2 * self.max_span_length
                cuts = list(windows([len(pieces) for pieces in words], budget=budget, overlap=overlap))
                coverage.unreachable.update(self._reasons_out_of_reach(event, event_type, sentences, cuts))
                examples += (
                    self._example((index, number), prompt, event, event_type, Text(words, sentences, window))
                    for prompt in prompts
                    for window in cuts
                )
        return examples, coverage

    def _encode_word(self, word: str) -> Pieces:
        ids = self.tokenizer([word], is_split_into_words=True, add_special_tokens=False)["input_ids"]
        if len(ids) > MAX_PIECES_A_WORD:
            ids = ids[: MAX_PIECES_A_WORD // 2] + ids[-MAX_PIECES_A_WORD // 2 :]
        return tuple(ids) or (int(self.tokenizer.unk_token_id or self._last),)

    def _encode_words(self, words: Iterable[str]) -> list[int]:
        return list(chain.from_iterable(self._pieces_of(word) for word in words))

    def _prompts(self, document: Document, event: Event, event_type: EventType) -> list[EncodedPrompt]:
        """Return the prompts of an event; none where its type has no roles."""
        return [self._prompt(document, event, event_type)] if event_type.roles else []

    def _prompt(self, document: Document, event: Event, event_type: EventType) -> EncodedPrompt:
        ids, marks, role_pieces = [self._first], [int(Mark.NONE)], []

        def add(words: Iterable[str], mark: Mark) -> tuple[int, int]:
            start = len(ids)
            ids.extend(self._encode_words(words))
            marks.extend([int(mark)] * (len(ids) - start))
            return start, len(ids) - 1

        add(type_words(event_type), Mark.TYPE)
        add(trigger_words(document, event), Mark.PROMPT_TRIGGER)
        add([":"], Mark.NONE)
        for role in event_type.roles:
            role_pieces.append(add(role_words(role), Mark.ROLE))
        ids.append(self._last)
        marks.append(int(Mark.NONE))
        self._require_room(event_type, ids)
        return EncodedPrompt(ids, marks, role_pieces, tuple(range(len(role_pieces))))

    def _require_room(self, event_type: EventType, ids: Sequence[int]) -> None:
        if self.max_length - len(ids) - 1 < max(MAX_PIECES_A_WORD, self.max_length // 4):
            raise EventuneError(
                f"event type {event_type.name!r}: its prompt takes {len(ids)} of {self.max_length} pieces and leaves "
                "too little room for the text",
                "give its roles shorter names, or split the type",
            )

    def _example(
        self, place: tuple[int, int], prompt: EncodedPrompt, event: Event, event_type: EventType, text: Text
    ) -> EncodedWindow:
        window, sentences = text.window, text.sentences
        pieces = text.words[window.start : window.end]
        ends = [len(prompt.ids) + end - 1 for end in accumulate(len(word) for word in pieces)]
        marks = [_mark(event, word, sentences) for word in range(window.start, window.end)]
        row_of = {event_type.roles[role].name: row for row, role in enumerate(prompt.roles)}
        asked = [argument for argument in event.arguments if argument.role in row_of]
        gold = {
            (row_of[argument.role], argument.span.start - window.start, len(argument.span) - 1): None
            for argument in (asked if prompt.slot is None else asked[prompt.slot : prompt.slot + 1])
            if window.contains(argument.span)
            and len(argument.span) <= self.max_span_length
            and sentences[argument.span.start] == sentences[argument.span.end - 1]
        }
        return EncodedWindow(
            document=place[0],
            event=place[1],
            first_word=window.start,
            input_ids=[*prompt.ids, *chain.from_iterable(pieces), self._last],
            marks=[
                *prompt.marks,
                *chain.from_iterable([mark] * len(word) for mark, word in zip(marks, pieces, strict=True)),
                int(Mark.NONE),
            ],
            role_pieces=prompt.role_pieces,
            word_starts=[end - len(word) + 1 for end, word in zip(ends, pieces, strict=True)],
            word_ends=ends,
            sentences=list(sentences[window.start : window.end]),
            gold=list(gold),
            roles=prompt.roles,
        )

    def _reasons_out_of_reach(
        self, event: Event, event_type: EventType, sentences: Sequence[int], cuts: Sequence[Span]
    ) -> Iterator[str]:
        """Yield the reason for each argument that decoding cannot give, whatever the scores are."""
        kept: dict[str, list[Span]] = {}
        for argument in event.arguments:
            role, fillers = event_type.role(argument.role), kept.setdefault(argument.role, [])
            if role is None:
                yield "role not in the ontology"
            elif len(argument.span) > self.max_span_length:
                yield f"longer than max_span_length {self.max_span_length}"
            elif sentences[argument.span.start] != sentences[argument.span.end - 1]:
                yield "crosses a sentence boundary"
            elif not any(window.contains(argument.span) for window in cuts):
                yield "longer than a window"
            elif any(argument.span.overlaps(other) for other in fillers):
                yield "overlaps another filler of its role"
            elif len(fillers) == role.multiplicity:
                yield "more fillers than the ontology allows"
            else:
                fillers.append(argument.span)


def windows(piece_counts: Sequence[int], *, budget: int, overlap: int) -> Iterator[Span]:
    """Cut a text into windows of whole words that overlap.

    Args:
        piece_counts: Pieces of each word.
        budget: The most pieces a window may hold.
        overlap: Words that two neighbouring windows share, as far as the budget allows it.

    Yields:
        Spans of words; together they cover all words, and every span of up to `overlap` words that the budget holds
        lies inside one.
    """
    start = 0
    while start < len(piece_counts):
        end, pieces = start, 0
        while end < len(piece_counts) and pieces + piece_counts[end] <= budget:
            pieces += piece_counts[end]
            end += 1
        yield Span(start, end)
        if end == len(piece_counts):
            return
        start = max(end - overlap, start + 1)


def _mark(event: Event, word: int, sentences: Sequence[int]) -> int:
    if event.trigger is None:
        return int(Mark.NONE)
    if event.trigger.start <= word < event.trigger.end:
        return int(Mark.TRIGGER)
    distance = sentences[word] - sentences[event.trigger.start]
    return int(Mark.TEXT) + MAX_SENTENCE_DISTANCE + max(-MAX_SENTENCE_DISTANCE, min(MAX_SENTENCE_DISTANCE, distance))


@dataclass(frozen=True, slots=True)
class WindowCollator:
    """Pads examples to a batch.

    Lengths are rounded up to a multiple, so that only few shapes occur: the allocator finds the blocks of earlier
    batches again, and memory stays flat.

    Attributes:
        pad_token_id: The tokenizer's padding id.
        multiple: What lengths in pieces and words are rounded up to.
        length: Pieces that every batch is padded to; 0 for as few as it needs.
    """

    pad_token_id: int
    multiple: int = 16
    length: int = 0

    def inputs(self, examples: Sequence[EncodedWindow]) -> dict[str, Tensor]:
        """Build what the model reads: the arguments of `JointExtractor.forward`."""
        lengths = [len(example.input_ids) for example in examples]
        pieces = self.length or -(-max(lengths) // self.multiple) * self.multiple
        words = -(-max(len(example.word_starts) for example in examples) // self.multiple) * self.multiple
        roles = max(len(example.role_pieces) for example in examples)
        return {
            "input_ids": _padded([e.input_ids for e in examples], pieces, self.pad_token_id),
            "attention_mask": _padded([[1] * length for length in lengths], pieces, 0),
            "marks": _padded([e.marks for e in examples], pieces, int(Mark.NONE)),
            "role_pieces": torch.tensor(
                [e.role_pieces + [(0, 0)] * (roles - len(e.role_pieces)) for e in examples], dtype=torch.long
            ),
            "word_starts": _padded([e.word_starts for e in examples], words, 0),
            "word_ends": _padded([e.word_ends for e in examples], words, 0),
            "sentences": _padded([e.sentences for e in examples], words, -1),
        }

    def targets(self, examples: Sequence[EncodedWindow]) -> dict[str, Tensor]:
        """Build what the loss compares the scores with: `targets` *shape* (gold spans, 4), `slots` (events, roles)."""
        roles = max(len(example.role_pieces) for example in examples)
        return {
            "targets": torch.tensor(
                [(index, *gold) for index, e in enumerate(examples) for gold in e.gold], dtype=torch.long
            ).view(-1, 4),
            "slots": _padded([[1] * len(e.role_pieces) for e in examples], roles, 0).bool(),
        }


def _padded(rows: Sequence[Sequence[int]], length: int, value: int) -> Tensor:
    return torch.tensor([[*row, *[value] * (length - len(row))] for row in rows], dtype=torch.long)
