"""What a teacher says of the examples that a model is trained on (distillation, arXiv:1503.02531).

A teacher has read the same words, whatever its subword tokens: what it says of spans of words can be taught to a model
on another encoder.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from eventune.events import Document, Ontology, Span
from eventune.extraction.coverage import EncodedPart
from eventune.extraction.decoding import Candidate, Readings
from eventune.extraction.features import EncodedWindow

Teacher = Callable[[Sequence[Document], Ontology], Readings]
"""Reads documents for the types and roles of an ontology."""

_LEAST = 1e-3
"""A span that is less probable is not spoken of: what is left of a role's probability is the empty role's."""


def taught_examples(
    part: EncodedPart[EncodedWindow], readings: Readings, *, max_span_length: int
) -> list[EncodedWindow]:
    """Return a part's examples with the probabilities that a teacher gives to the spans in them.

    Args:
        part: The encoded documents.
        readings: What the teacher says of them.
        max_span_length: Words of the longest span that the model scores.
    """
    mean = {place: _mean(own) for place, own in readings.items()}
    return [
        replace(example, taught=_within(example, mean[example.document, example.event], max_span_length))
        for example in part.examples
    ]


def _mean(readings: Sequence[Sequence[Sequence[Candidate]]]) -> Mapping[int, Mapping[Span, float]]:
    """Return the mean probability of each role's spans over all readings; a reading without a span says zero of it."""
    mean: dict[int, dict[Span, float]] = defaultdict(lambda: defaultdict(float))
    for reading in readings:
        for role, candidates in enumerate(reading):
            for span, probability in _of_role(candidates).items():
                mean[role][span] += probability / len(readings)
    return mean


def _of_role(candidates: Sequence[Candidate]) -> Mapping[Span, float]:
    """Return one distribution for a role: of windows that overlap, and of questions, each has one of its own."""
    best: dict[Span, float] = {}
    for candidate in candidates:
        best[candidate.span] = max(candidate.probability, best.get(candidate.span, 0.0))
    total = max(1.0, sum(best.values()))
    return {span: probability / total for span, probability in best.items()}


def _within(
    example: EncodedWindow, mean: Mapping[int, Mapping[Span, float]], max_span_length: int
) -> list[tuple[int, int, int, float]]:
    window = Span(example.first_word, example.first_word + len(example.word_starts))
    return [
        (row, span.start - window.start, len(span) - 1, probability)
        for row, role in enumerate(example.roles)
        for span, probability in mean.get(role, {}).items()
        if probability > _LEAST and len(span) <= max_span_length and window.contains(span)
    ]
