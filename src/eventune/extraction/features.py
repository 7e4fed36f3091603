"""From documents to what the extractors read: prompts and windows in subword tokens, and back by word indices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain

from eventune.errors import EventuneError
from eventune.events import Document, Event, EventType, Ontology, Span
from eventune.extraction.coverage import Coverage, reasons_out_of_reach
from eventune.extraction.marks import Mark, mark_of
from eventune.extraction.prompts import role_words, trigger_words, type_words
from eventune.extraction.subwords import MAX_SUBWORDS_A_WORD, Subwords, SubwordTokenizer
from eventune.extraction.windows import window_around, windows


@dataclass(frozen=True, slots=True)
class EncodedWindow:
    """One window of a document, read for one event.

    Attributes:
        document: Index of the document in what was encoded.
        event: Index of the event in its document.
        first_word: Index of the window's first word in the document.
        input_ids: Ids of the subword tokens.
        marks: `Mark` of each subword token.
        role_tokens: First and last subword token of each role's name, in the ontology's order.
        word_starts: First subword token of each word.
        word_ends: Last subword token of each word.
        sentences: Sentence of each word.
        gold: (row of `roles`, word in the window, length - 1) of each gold argument in reach, without duplicates.
        roles: The roles that are read for, by their index in the event type.
        is_near: Whether this is a second reading of the event, near its trigger.
        taught: (row of `roles`, word in the window, length - 1, probability) of each span of which a teacher says
            something; None without a teacher.
    """

    document: int
    event: int
    first_word: int
    input_ids: list[int]
    marks: list[int]
    role_tokens: list[tuple[int, int]]
    word_starts: list[int]
    word_ends: list[int]
    sentences: list[int]
    gold: list[tuple[int, int, int]]
    roles: tuple[int, ...]
    is_near: bool = False
    taught: list[tuple[int, int, int, float]] | None = None


@dataclass(frozen=True)
class EncodedPrompt:
    """The encoded prompt of one event.

    Attributes:
        ids: Ids of the subword tokens, with the special tokens around them.
        marks: `Mark` of each subword token.
        role_tokens: First and last subword token of each role's name.
        roles: The roles that it asks for, by their index in the event type.
        slot: Which of a role's fillers is asked for; None for all of them.
    """

    ids: list[int]
    marks: list[int]
    role_tokens: list[tuple[int, int]]
    roles: tuple[int, ...]
    slot: int | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A window of a document, in subword tokens.

    Attributes:
        words: Subword tokens of each word of the document.
        sentences: Sentence of each word of the document.
        window: The words that the window holds.
        is_near: Whether this is a second reading, near the trigger.
    """

    words: Sequence[Subwords]
    sentences: Sequence[int]
    window: Span
    is_near: bool = False


class FeatureBuilder:
    """Encodes documents for one ontology and one tokenizer; one prompt an event asks for all roles."""

    def __init__(
        self,
        tokenizer: SubwordTokenizer,
        ontology: Ontology,
        *,
        max_length: int,
        max_span_length: int,
        trigger_window: int = 0,
        near_window: int = 0,
        role_descriptions: bool = False,
    ) -> None:
        self.tokenizer = tokenizer
        self.ontology = ontology
        self.max_length = max_length
        self.max_span_length = max_span_length
        self.trigger_window = trigger_window
        self.near_window = near_window
        self.role_descriptions = role_descriptions

    def encode(self, documents: Sequence[Document]) -> tuple[list[EncodedWindow], Coverage]:
        """Encode every event of the documents.

        Args:
            documents: The documents; events of a type without roles, or unknown to the ontology, give no example.

        Returns:
            The examples in the order of documents, events and windows, and what is out of reach.

        Raises:
            EventuneError: If a prompt leaves no room for the text.
        """
        examples: list[EncodedWindow] = []
        coverage = Coverage()
        for index, document in enumerate(documents):
            words = [self.tokenizer.subwords(word) for word in document.words]
            counts = [len(subwords) for subwords in words]
            sentences = [document.sentence_of(word) for word in range(len(words))]
            for number, event in enumerate(document.events):
                coverage.gold += len(event.arguments)
                if event.type not in self.ontology:
                    coverage.unreachable["event type not in the ontology"] += len(event.arguments)
                    continue
                event_type = self.ontology[event.type]
                prompts = self._prompts(document, event, event_type)
                longest = max((len(prompt.ids) for prompt in prompts), default=2)
                budget = self.max_length - longest - 1
                cuts = self._windows(event, counts, budget)
                coverage.unreachable.update(
                    reasons_out_of_reach(event, event_type, sentences, cuts, max_span_length=self.max_span_length)
                )
                texts = [Text(words, sentences, window) for window in cuts]
                texts += (
                    Text(words, sentences, near, is_near=True) for near in self._near(event, counts, budget, cuts)
                )
                examples += (
                    self._example((index, number), prompt, event, event_type, text)
                    for prompt in prompts
                    for text in texts
                )
        return examples, coverage

    def _windows(self, event: Event, subword_counts: Sequence[int], budget: int) -> list[Span]:
        """Return what is read of a text for an event."""
        if self.trigger_window and event.trigger is not None:
            return [window_around(subword_counts, event.trigger, budget=min(self.trigger_window, budget))]
        return list(windows(subword_counts, budget=budget, overlap=2 * self.max_span_length))

    def _near(self, event: Event, subword_counts: Sequence[int], budget: int, cuts: Sequence[Span]) -> list[Span]:
        """Return what is read of a text once more; nothing where it would be what is read already."""
        if not self.near_window or event.trigger is None:
            return []
        near = window_around(subword_counts, event.trigger, budget=min(self.near_window, budget))
        return [near] if near not in cuts else []

    def _prompts(self, document: Document, event: Event, event_type: EventType) -> list[EncodedPrompt]:
        """Return the prompts of an event; none where its type has no roles."""
        return [self._prompt(document, event, event_type)] if event_type.roles else []

    def _prompt(self, document: Document, event: Event, event_type: EventType) -> EncodedPrompt:
        if self.role_descriptions:
            prompt = self._filled_prompt(document, event, event_type, described=True)
            if len(prompt.ids) <= self.max_length // 2:
                return prompt
        prompt = self._filled_prompt(document, event, event_type, described=False)
        self._require_room(event_type, prompt.ids)
        return prompt

    def _filled_prompt(
        self, document: Document, event: Event, event_type: EventType, *, described: bool
    ) -> EncodedPrompt:
        ids, marks, role_tokens = [self.tokenizer.cls_token_id], [int(Mark.NONE)], []

        def add(words: Iterable[str], mark: Mark) -> tuple[int, int]:
            start = len(ids)
            ids.extend(self.tokenizer.all_subwords(words))
            marks.extend([int(mark)] * (len(ids) - start))
            return start, len(ids) - 1

        def describe(text: str) -> None:
            if described and text:
                add(["(", *text.split(), ")"], Mark.NONE)

        add(type_words(event_type), Mark.TYPE)
        describe(event_type.description)
        add(trigger_words(document, event), Mark.PROMPT_TRIGGER)
        add([":"], Mark.NONE)
        for role in event_type.roles:
            role_tokens.append(add(role_words(role), Mark.ROLE))
            describe(role.description)
        ids.append(self.tokenizer.sep_token_id)
        marks.append(int(Mark.NONE))
        return EncodedPrompt(ids, marks, role_tokens, tuple(range(len(role_tokens))))

    def _require_room(self, event_type: EventType, ids: Sequence[int]) -> None:
        if self.max_length - len(ids) - 1 < max(MAX_SUBWORDS_A_WORD, self.max_length // 4):
            raise EventuneError(
                f"event type {event_type.name!r}: its prompt takes {len(ids)} of {self.max_length} subword tokens and "
                "leaves too little room for the text",
                "give its roles shorter names, or split the type",
            )

    def _example(
        self, place: tuple[int, int], prompt: EncodedPrompt, event: Event, event_type: EventType, text: Text
    ) -> EncodedWindow:
        window, sentences = text.window, text.sentences
        words = text.words[window.start : window.end]
        ends = [len(prompt.ids) + end - 1 for end in accumulate(len(word) for word in words)]
        marks = [mark_of(word, event, sentences) for word in range(window.start, window.end)]
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
            input_ids=[*prompt.ids, *chain.from_iterable(words), self.tokenizer.sep_token_id],
            marks=[
                *prompt.marks,
                *chain.from_iterable([mark] * len(word) for mark, word in zip(marks, words, strict=True)),
                int(Mark.NONE),
            ],
            role_tokens=prompt.role_tokens,
            word_starts=[end - len(word) + 1 for end, word in zip(ends, words, strict=True)],
            word_ends=ends,
            sentences=list(sentences[window.start : window.end]),
            gold=list(gold),
            roles=prompt.roles,
            is_near=text.is_near,
        )
