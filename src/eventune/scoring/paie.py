"""The scores of PAIE and its family (`metric.py` in mayubo2333/PAIE), most papers' Arg-I and Arg-C.

Per event and role, predictions are deduplicated and the gold is not: a gold argument that is annotated twice matches
one prediction twice, so that precision and F1 can exceed 1. Arg-I pools the unique spans of an event over its roles,
on both sides. Roles outside the type's role list are left out on both sides. The text and head variants compare
normalised texts (case, articles and punctuation removed) and the texts of head words in place of offsets.

Events are those of the gold; a predicted event belongs to the gold event of its type and trigger, several in order. A
document with one event takes what was predicted for its type whatever the trigger, as with RAMS files.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from eventune.events import Argument, Document, Event, Ontology, Span
from eventune.scoring.heads import head_of
from eventune.scoring.measures import MicroScorer, Tally
from eventune.scoring.normalisation import normalised

Heads = Callable[[Document], Sequence[int]]
_SMALLEST_SUM = 1e-4
"""F1 is 0 unless precision + recall is above this (`eval_rpf`)."""


@dataclass(frozen=True, slots=True)
class PaieTally(Tally):
    """A tally whose F1 is 0 where precision and recall are next to nothing."""

    @staticmethod
    def metrics_of(parts: Sequence[Any]) -> tuple[Any, Any, Any]:
        """Return precision, recall and F1 of summed parts, as `Tally.metrics_of` does."""
        precision, recall, f1 = Tally.metrics_of(parts)
        return precision, recall, f1 * (precision + recall > _SMALLEST_SUM)


class PaieScorer(MicroScorer):
    """Counts documents one by one; see `Scorer`.

    Args:
        ontology: Role lists by type; without it, or for a type that it lacks, every role counts.
        heads: Gives the index of each token's syntactic head; without it there are no head measures.
        window: Words around the trigger that a system reads, but for one (PAIE's `window_size`, 250): gold outside
            counts as missed, predictions outside are dropped. None for the whole document.
    """

    name: ClassVar[str] = "paie"
    headline = "arg_c"

    def __init__(
        self, *, ontology: Ontology | None = None, heads: Heads | None = None, window: int | None = None
    ) -> None:
        self._ontology = ontology
        self._heads = heads
        self._window = window
        prefixes = ["", "text_"] + ["head_"] * (heads is not None)
        super().__init__(f"{prefix}{measure}" for prefix in prefixes for measure in ("arg_c", "arg_i"))

    def count(self, gold: Document, predicted: Document) -> Mapping[str, Tally]:
        """See `MicroScorer`."""
        keys: dict[str, Callable[[Span], Any]] = {
            "": lambda span: span,
            "text_": lambda span: normalised(_words(gold, span)),
        }
        if self._heads is not None:
            heads, words = self._heads(gold), gold.words
            keys["head_"] = lambda span: words[head_of(span, heads)]
        tallies: defaultdict[str, PaieTally] = defaultdict(PaieTally)
        for event, found in paired_events(gold, predicted):
            annotated, invalid = self._arguments(gold, event, event)
            guessed, _ = self._arguments(gold, found, event)
            for prefix, key in keys.items():
                for measure, tally in _count(annotated, guessed, invalid, key).items():
                    tallies[prefix + measure] += tally
        return {measure: tallies[measure] for measure in self._totals}

    def _arguments(self, document: Document, event: Event, gold: Event) -> tuple[list[Argument], int]:
        """Return the arguments that count, and how many lie outside the window."""
        arguments: Sequence[Argument] = event.arguments
        if self._ontology is not None and gold.type in self._ontology:
            known = {role.name for role in self._ontology[gold.type].roles}
            arguments = [argument for argument in arguments if argument.role in known]
        if self._window is None or gold.trigger is None:
            return list(arguments), 0
        window = window_around(gold.trigger, document, self._window)
        inside = [argument for argument in arguments if window.contains(argument.span)]
        return inside, len(arguments) - len(inside)


def window_around(trigger: Span, document: Document, window: int) -> Span:
    """Return the words that PAIE's readers keep: `window` + 1 of them.

    Args:
        trigger: The trigger.
        document: Its document. In one of RAMS (which has `rams` in its metadata) the first words are kept if the
            trigger ends within the first half of `window`, else the last; in all others those around the trigger.
        window: PAIE's `window_size`.

    Returns:
        The window as a token span.
    """
    length = len(document.tokens)
    last = max(0, length - (window + 1))
    if "rams" in document.metadata:
        start = last * (trigger.end > window // 2)
    else:
        start = min(max(0, trigger.start - window // 2), last)
    return Span(start, min(length, start + window + 1))


def paired_events(gold: Document, predicted: Document) -> Iterator[tuple[Event, Event]]:
    """Yield each gold event with the event that was predicted for it, one without arguments where none was.

    Args:
        gold: The annotated document.
        predicted: The same document with the predicted events.

    Yields:
        Pairs in the gold's order.
    """
    if [event.type for event in gold.events] == [event.type for event in predicted.events] and len(gold.events) == 1:
        yield gold.events[0], predicted.events[0]
        return
    waiting: defaultdict[tuple[str, Span | None], list[Event]] = defaultdict(list)
    for event in reversed(predicted.events):
        waiting[event.type, event.trigger].append(event)
    for event in gold.events:
        found = waiting[event.type, event.trigger]
        yield event, found.pop() if found else Event(event.type, event.trigger)


def _count(
    gold: Sequence[Argument], predicted: Sequence[Argument], invalid: int, key: Callable[[Span], Any]
) -> dict[str, PaieTally]:
    annotated = [(argument.role, key(argument.span)) for argument in gold]
    found = {(argument.role, key(argument.span)) for argument in predicted}
    spans, guesses = {item for _, item in annotated}, {item for _, item in found}
    matched = sum(item in found for item in annotated)
    return {
        "arg_c": PaieTally(len(annotated) + invalid, len(found), matched),
        "arg_i": PaieTally(len(spans) + invalid, len(guesses), len(spans & guesses)),
    }


def _words(document: Document, span: Span) -> str:
    return " ".join(document.text[token.start : token.end] for token in document.tokens[span.start : span.end])
