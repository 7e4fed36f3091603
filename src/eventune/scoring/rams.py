"""The official RAMS scorer on documents: exact spans, multisets of links, with type constraints on request.

`rams_links` and `rams_counts` count, `rams_files` reads the official files, and `rams_report` prints what the official
scorer prints.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import ClassVar

from eventune.events import Document, Event, Ontology, Span
from eventune.results import Score
from eventune.scoring.measures import Tally
from eventune.scoring.rams_counts import GoldDocument, Link, PredictedEvent, TokenRange
from eventune.scoring.rams_links import LinkCounter


class RamsScorer:
    """The official RAMS scorer on documents that come one by one.

    Precision is matched / predicted and recall matched / gold, under their right names. Source of the definition:
    `code/scorer/` in LWL-cpu/SCPRG-master, which allows one event a document. With several, links are counted per
    (trigger span, argument span, role) in the document, and type constraints apply to each event by itself.

    Args:
        ontology: Types, roles and multiplicities; needed by `type_constrained`.
        type_constrained: Keep of each event the best-scored arguments of each role, up to the role's multiplicity in
            the gold event's type (`-cd`; published figures are usually without).
        strict: Refuse a span that crosses a sentence boundary, as the official scorer does. Otherwise such an argument
            counts in the totals and in no distance bucket.
    """

    name: ClassVar[str] = "rams"
    headline: ClassVar[str] = "arguments"

    def __init__(
        self, *, ontology: Ontology | None = None, type_constrained: bool = False, strict: bool = True
    ) -> None:
        self._counter = LinkCounter(ontology=ontology, type_constrained=type_constrained, strict=strict)

    def add(self, gold: Document, predicted: Document) -> Mapping[str, Tally]:
        """Count a document; see `Scorer.add`."""
        return {self.headline: self._counter.add(gold.id, links_of(gold), predicted_events(predicted))}

    def score(self) -> Score:
        """Return the score of all documents so far, with the tables that `RamsCounts.score` describes."""
        return self._counter.counts.score()


def links_of(document: Document) -> GoldDocument:
    """Return the annotated links of a document."""
    types: defaultdict[TokenRange | None, list[str]] = defaultdict(list)
    for event in document.events:
        types[_inclusive(event.trigger)].append(event.type)
    links = [link for event in document.events for link, _ in _links(event)]
    sentence_of = [index for index, sentence in enumerate(document.sentences) for _ in range(len(sentence))]
    return GoldDocument(links, types, sentence_of)


def predicted_events(document: Document) -> list[PredictedEvent]:
    """Return the predicted links of a document, by event."""
    return [PredictedEvent(_inclusive(event.trigger), event.type, _links(event)) for event in document.events]


def _links(event: Event) -> list[tuple[Link, float | None]]:
    trigger = _inclusive(event.trigger)
    return [
        ((trigger, (argument.span.start, argument.span.end - 1), argument.role), argument.score)
        for argument in event.arguments
    ]


def _inclusive(span: Span | None) -> TokenRange | None:
    return None if span is None else (span.start, span.end - 1)
