"""From conversations to token ids and labels, cut to their limits and kept in a cache."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eventune.errors import EventuneError, first_line, require_library
from eventune.generation.conversation import Conversation, Message
from eventune.generation.templates import Segment, choose_template

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100
"""The label of a position without loss."""

_CACHE_FORMAT = "3"
_COLUMNS = ("input_ids", "labels", "cut")
"""Of the cache."""
_FINGERPRINT_DIGITS = 32
"""As many as datasets takes."""


@dataclass(frozen=True, slots=True)
class EncodedRow:
    """An encoded row.

    Attributes:
        input_ids: What the model reads.
        labels: What is learned at each position, by the position before it; -100 where nothing is.
    """

    input_ids: list[int]
    labels: list[int]


@dataclass(frozen=True, slots=True)
class Truncation:
    """What was cut off to keep to the limits.

    Attributes:
        rows: Rows in all.
        prompts_cut: Prompts whose last user message lost its end.
        turns_dropped: Earlier pairs of question and answer that were left out.
        responses_cut: Responses that lost their end; their rows do not teach the model to stop.
    """

    rows: int = 0
    prompts_cut: int = 0
    turns_dropped: int = 0
    responses_cut: int = 0

    def __add__(self, other: Truncation) -> Truncation:
        """Return the counts of both together."""
        pairs = zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True)
        return Truncation(*(mine + theirs for mine, theirs in pairs))

    def __str__(self) -> str:
        """Return one sentence, or an empty string where nothing was cut."""
        counts = {
            "prompts cut (max_source_length)": self.prompts_cut,
            "earlier turns dropped": self.turns_dropped,
            "responses cut (max_target_length)": self.responses_cut,
        }
        parts = [f"{count} {name}" for name, count in counts.items() if count]
        return f"of {self.rows} rows: {', '.join(parts)}" if parts else ""


class ConversationEncoder:
    """Encodes conversations with a tokenizer's chat template.

    The prompt is tokenised by itself, just as it is for generation, and so is each response. Labels are set by
    position, never by comparing ids, so that the end token may be the padding token too.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, *, max_source_length: int, max_target_length: int) -> None:
        self.max_source_length = max_source_length
        self.max_target_length = max_target_length
        self._tokenizer = tokenizer
        self._template = choose_template(tokenizer)
        self._eos = int(tokenizer.eos_token_id)

    def example(self, conversation: Conversation) -> EncodedRow:
        """Encode one row for training; see `examples`."""
        return self.examples([conversation])[0][0]

    def examples(self, rows: Sequence[Conversation], first_number: int = 1) -> tuple[list[EncodedRow], Truncation]:
        """Encode rows for training.

        A row with one trained response keeps to both limits: earlier turns are dropped, oldest first, then the last
        user message loses its end, and the response loses its own. A row with several keeps to the sum of the limits
        by dropping its oldest turns.

        Args:
            rows: The rows, each with a trained response.
            first_number: The first one's number, for messages.

        Returns:
            The examples in the same order, and what was cut.

        Raises:
            EventuneError: If the template refuses a row, or its markers alone exceed the limit.
        """
        segments = [self._segments(row.messages, number) for number, row in enumerate(rows, first_number)]
        ids = iter(self._tokenize([segment.text for parts in segments for segment in parts]))
        examples, truncation = [], Truncation(len(rows))
        for number, row, parts in zip(range(first_number, first_number + len(rows)), rows, segments, strict=True):
            pieces = self._pieces(parts, ids)
            if self._fits(pieces):
                examples.append(self._join(pieces))
                continue
            try:
                example, cut = self._shortened(row.messages, pieces)
            except EventuneError as error:
                raise EventuneError(f"row {number}: {error.message}", error.hint) from error
            examples.append(example)
            truncation += cut
        return examples, truncation

    def prompt(self, conversation: Conversation) -> list[int]:
        """Encode one row's prompt for generation; see `prompts`."""
        return self.prompts([conversation])[0][0]

    def prompts(self, rows: Sequence[Conversation]) -> tuple[list[list[int]], Truncation]:
        """Encode the prompts of rows for generation, cut as in training.

        Args:
            rows: The rows; their responses are not read.

        Returns:
            Token ids of each prompt up to where the response begins, and what was cut.

        Raises:
            EventuneError: If the template refuses a row, or its markers alone exceed the limit.
        """
        texts = [self._template.render(row.prompt, add_generation_prompt=True) for row in rows]
        prompts = [[*self._template.prefix, *ids] for ids in self._tokenize(texts)]
        truncation = Truncation(len(rows))
        for index, row in enumerate(rows):
            if len(prompts[index]) > self.max_source_length:
                _, prompts[index], cut = self._fit_prompt(row.prompt)
                truncation += cut
        return prompts, truncation

    def fingerprint(self, rows: Sequence[Conversation]) -> str:
        """Return a sha256 over all that decides how rows are encoded."""
        digest = hashlib.sha256()
        # The rendered text tells more than the template: some templates show the date.
        sample = self._template.render((Message("user", "a"),), add_generation_prompt=True)
        limits = [self.max_source_length, self.max_target_length]
        texts = [self._template.text, sample]
        settings = [_CACHE_FORMAT, limits, self._eos, self._template.prefix, texts, _describe(self._tokenizer)]
        digest.update(json.dumps(settings).encode())
        for row in rows:
            turns = [[turn.role, turn.content, turn.is_trained] for turn in row.messages]
            digest.update(json.dumps(turns).encode() + b"\n")
        return digest.hexdigest()

    def _segments(self, messages: Sequence[Message], number: int) -> list[Segment]:
        if not any(message.is_trained for message in messages):
            raise EventuneError(f"row {number}: expected a response to train on, found none")
        try:
            return self._template.segments(messages)
        except EventuneError as error:
            raise EventuneError(f"row {number}: {error.message}", error.hint) from error

    def _tokenize(self, texts: list[str]) -> list[list[int]]:
        """Tokenise rendered texts, which have their special tokens already but for the template's prefix."""
        if not texts:
            return []
        encoded = self._tokenizer(texts, add_special_tokens=False, return_attention_mask=False, verbose=False)
        ids: list[list[int]] = encoded["input_ids"]
        return ids

    def _pieces(self, segments: Sequence[Segment], ids: Iterator[list[int]]) -> list[tuple[Segment, list[int]]]:
        """Pair a row's segments with the next ids; the first begins with the template's prefix."""
        first, *others = segments
        return [(first, [*self._template.prefix, *next(ids)]), *((segment, next(ids)) for segment in others)]

    def _fits(self, pieces: list[tuple[Segment, list[int]]]) -> bool:
        if len(pieces) == 2:
            (_, prompt), (_, response) = pieces
            return len(prompt) <= self.max_source_length and len(response) < self.max_target_length
        return self._total(pieces) <= self.max_source_length + self.max_target_length

    def _total(self, pieces: list[tuple[Segment, list[int]]]) -> int:
        ends = len(pieces) // 2 if self._template.shows_eos else 1
        return sum(len(ids) for _, ids in pieces) + ends

    def _shortened(
        self, messages: Sequence[Message], pieces: list[tuple[Segment, list[int]]]
    ) -> tuple[EncodedRow, Truncation]:
        start = 1 if messages[0].role == "system" else 0
        head, turns, dropped = messages[:start], messages[start:], 0
        if len(pieces) > 2:
            limit = self.max_source_length + self.max_target_length

            def without(count: int) -> list[tuple[Segment, list[int]]]:
                segments = self._template.segments((*head, *turns[2 * count :]))
                return self._pieces(segments, iter(self._tokenize([segment.text for segment in segments])))

            # From there on a single response is left, which has a limit of its own.
            most = [number for number, turn in enumerate(turns) if turn.is_trained][-2] // 2 + 1
            dropped = bisect_left(range(most + 1), True, lo=1, key=lambda count: self._total(without(count)) <= limit)
            if dropped <= most:
                return self._join(without(dropped)), Truncation(turns_dropped=dropped)
            dropped, turns = most, turns[2 * most :]
        prompt, prompt_ids, cut = self._fit_prompt((*head, *turns[:-1]))
        before, response = self._template.segments((*prompt, turns[-1]))
        ids = self._tokenize([response.text])[0]
        is_cut = len(ids) >= self.max_target_length
        pieces = [(before, prompt_ids), (response, ids[: self.max_target_length])]
        cut += Truncation(turns_dropped=dropped, responses_cut=int(is_cut))
        return self._join(pieces, ends=not is_cut), cut

    def _fit_prompt(self, messages: Sequence[Message]) -> tuple[tuple[Message, ...], list[int], Truncation]:
        """Drop the oldest turns, then the end of the last message, until the prompt keeps to its limit."""
        start = 1 if messages[0].role == "system" else 0
        head, turns = tuple(messages[:start]), tuple(messages[start:])

        def without(count: int) -> list[int]:
            return self._prompt_ids((*head, *turns[2 * count :]))

        # Never are so many dropped that the question itself is lost.
        most = max(len(turns) - 1, 0) // 2
        dropped = bisect_left(range(most), True, key=lambda count: len(without(count)) <= self.max_source_length)
        ids, turns = without(dropped), turns[2 * dropped :]
        if len(ids) <= self.max_source_length:
            return (*head, *turns), ids, Truncation(turns_dropped=dropped)
        kept, ids = self._cut_text((*head, *turns[:-1]), turns[-1], len(ids))
        return kept, ids, Truncation(turns_dropped=dropped, prompts_cut=1)

    def _cut_text(self, head: tuple[Message, ...], last: Message, tokens: int) -> tuple[tuple[Message, ...], list[int]]:
        """Find by false position how much of the last message keeps the prompt, now of `tokens`, to its limit."""
        limit = self.max_source_length
        low, high = 0, len(last.content)
        kept = (*head, dataclasses.replace(last, content=""))
        ids = self._prompt_ids(kept)
        if len(ids) > limit:
            expected = f"max_source_length of at least {len(ids)}, which the template and system message need"
            raise EventuneError(f"expected {expected}, found {limit}", f"set max_source_length: {len(ids) + 64}")
        while high - low > 1 and len(ids) < limit:
            guess = low + (high - low) * (limit - len(ids)) // (tokens - len(ids))
            middle = min(max(guess, low + 1), high - 1)
            tried = (*head, dataclasses.replace(last, content=last.content[:middle]))
            tried_ids = self._prompt_ids(tried)
            if len(tried_ids) <= limit:
                low, kept, ids = middle, tried, tried_ids
            else:
                high, tokens = middle, len(tried_ids)
        return kept, ids

    def _prompt_ids(self, messages: Sequence[Message]) -> list[int]:
        text = self._template.render(messages, add_generation_prompt=True)
        return [*self._template.prefix, *self._tokenize([text])[0]]

    def _join(self, pieces: list[tuple[Segment, list[int]]], *, ends: bool = True) -> EncodedRow:
        """Join pieces; `ends` tells whether the last response is whole, so that its end is learned."""
        input_ids: list[int] = []
        labels: list[int] = []
        for index, (segment, ids) in enumerate(pieces):
            input_ids += ids
            is_last = index == len(pieces) - 1
            if segment.is_trained:
                labels += ids
                if ends if is_last else self._template.shows_eos:
                    input_ids.append(self._eos)
                    labels.append(self._eos)
            else:
                masked = [IGNORED] * len(ids)
                if index and ids and not self._template.shows_eos:
                    # The end is learned, but what stands here is what a later turn will show.
                    masked[0] = self._eos
                labels += masked
        return EncodedRow(input_ids, labels)


def encode(
    rows: Sequence[Conversation],
    encoder: ConversationEncoder,
    *,
    num_workers: int | None = None,
    cache_folder: Path | None = None,
    overwrite_cache: bool = False,
) -> tuple[list[EncodedRow], Truncation]:
    """Encode rows for training, or read them as an earlier run encoded them.

    Args:
        rows: The rows.
        encoder: The encoder.
        num_workers: Processes to encode in; this one alone if None or 1.
        cache_folder: Where encoded rows are kept; nowhere if None.
        overwrite_cache: Whether to encode anew in any case.

    Returns:
        The examples in the same order, and what was cut.

    Raises:
        EventuneError: If a row cannot be encoded, a process dies, the cache cannot be written, or the package datasets
            is missing.
    """
    hint = "pip install 'eventune[llm]'"
    datasets = require_library("datasets", "rows are encoded by datasets, which is not installed", hint)
    workers = min(num_workers or 1, len(rows))
    # The rows themselves stay out of the table: what is written to the cache, and sent to processes, is their number.
    numbers = datasets.Dataset.from_dict({"number": range(1, len(rows) + 1)})
    fingerprint = encoder.fingerprint(rows)[:_FINGERPRINT_DIGITS]
    options = {
        "batched": True,
        "fn_kwargs": {"rows": rows, "encoder": encoder},
        "remove_columns": ["number"],
        "features": datasets.Features(dict.fromkeys(_COLUMNS, datasets.List(datasets.Value("int32")))),
        "new_fingerprint": fingerprint,
        "cache_file_name": str(cache_folder / f"encoded-{fingerprint}.arrow") if cache_folder else None,
        "num_proc": workers if workers > 1 else None,
    }
    with _without_bars(datasets):
        try:
            return _rows_of(numbers.map(_encode_batch, load_from_cache_file=not overwrite_cache, **options))
        except (OSError, ValueError):
            # A cache that is damaged is made anew.
            return _rows_of(_made_anew(numbers, options))
        except RuntimeError as error:
            hint = "set preprocessing_num_workers: 1, or free some memory"
            raise EventuneError(f"a process that encodes rows died: {first_line(error)}", hint) from error


def _made_anew(numbers: Any, options: dict[str, Any]) -> Any:
    try:
        return numbers.map(_encode_batch, load_from_cache_file=False, **options)
    except OSError as error:
        hint = "free some space or choose another place for the cache"
        reason = error.strerror or error
        raise EventuneError(f"{options['cache_file_name']}: cannot be written: {reason}", hint) from None


def _encode_batch(
    batch: Mapping[str, Sequence[int]], *, rows: Sequence[Conversation], encoder: ConversationEncoder
) -> dict[str, list[np.ndarray[Any, Any]]]:
    first, last = batch["number"][0], batch["number"][-1]
    examples, truncation = encoder.examples(rows[first - 1 : last], first)
    # What was cut of all rows of the batch stands in its first row.
    cut = [dataclasses.astuple(truncation), *[dataclasses.astuple(Truncation())] * (len(examples) - 1)]
    columns = ([row.input_ids for row in examples], [row.labels for row in examples], cut)
    arrays = ([np.array(values, np.int32) for values in column] for column in columns)
    return dict(zip(_COLUMNS, arrays, strict=True))


def _rows_of(encoded: Any) -> tuple[list[EncodedRow], Truncation]:
    table = encoded.to_pandas()
    input_ids, labels, cut = (table[name] for name in _COLUMNS)
    examples = [EncodedRow(ids.tolist(), own.tolist()) for ids, own in zip(input_ids, labels, strict=True)]
    return examples, Truncation(*np.stack(cut).sum(axis=0).tolist())


@contextmanager
def _without_bars(datasets: Any) -> Iterator[None]:
    """Hold back datasets' bars, which would stand among our own lines."""
    shown = not datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            datasets.enable_progress_bars()


def _describe(tokenizer: PreTrainedTokenizerBase) -> Any:
    """Return all that decides how a tokenizer splits a text."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        added = sorted((index, str(token)) for index, token in tokenizer.added_tokens_decoder.items())
        return [type(tokenizer).__name__, sorted(tokenizer.get_vocab().items()), added]
    # Transformers sets these two anew for each call.
    return {k: v for k, v in json.loads(backend.to_str()).items() if k not in {"truncation", "padding"}}
