"""What of a corpus an extractor can reach: nothing is lost silently, what no prediction can match is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from eventune.events import Document, Event, EventType, Span

Example = TypeVar("Example")


@dataclass(slots=True)
class Coverage:
    """How much of the gold can be found, and why the rest cannot.

    Attributes:
        gold: All gold arguments, or triggers.
        unreachable: Count of those that no prediction can match, by reason.
    """

    gold: int = 0
    unreachable: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class EncodedPart(Generic[Example]):
    """A part of a corpus, encoded.

    Attributes:
        documents: The documents.
        examples: What is read of them: windows, for each event or for the text.
        coverage: What of their gold is within reach.
    """

    documents: Sequence[Document]
    examples: Sequence[Example]
    coverage: Coverage

    @property
    def gold(self) -> int:
        """How much gold there is."""
        return self.coverage.gold

    @property
    def unreachable(self) -> Counter[str]:
        """How much of it no prediction can match, by reason."""
        return self.coverage.unreachable


def reasons_out_of_reach(
    event: Event, event_type: EventType, sentences: Sequence[int], cuts: Sequence[Span], *, max_span_length: int
) -> Iterator[str]:
    """Yield the reason for each argument that decoding cannot give, whatever the scores are.

    Args:
        event: The event with its gold arguments.
        event_type: Its type in the ontology.
        sentences: Sentence of each word of the document.
        cuts: The windows that the document is read in.
        max_span_length: Words of the longest span that is scored.
    """
    kept: dict[str, list[Span]] = {}
    for argument in event.arguments:
        role, fillers = event_type.role(argument.role), kept.setdefault(argument.role, [])
        if role is None:
            yield "role not in the ontology"
        elif len(argument.span) > max_span_length:
            yield f"longer than max_span_length {max_span_length}"
        elif sentences[argument.span.start] != sentences[argument.span.end - 1]:
            yield "crosses a sentence boundary"
        elif not any(window.contains(argument.span) for window in cuts):
            yield "in no window that is read"
        elif any(argument.span.overlaps(other) for other in fillers):
            yield "overlaps another filler of its role"
        elif len(fillers) == role.multiplicity:
            yield "more fillers than the ontology allows"
        else:
            fillers.append(argument.span)
