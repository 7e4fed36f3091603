"""The official RAMS scorer on documents: exact spans, multisets of links, with type constraints on request.

`rams_links` and `rams_counts` count, `rams_files` reads the official files, and `rams_report` prints what the official
scorer prints.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from eventune.errors import EventuneError
from eventune.events import Document, Event, Ontology, Span
from eventune.results import Score
from eventune.scoring.measures import Tally
from eventune.scoring.rams_counts import GoldDocument, Link, PredictedEvent, RamsCounts, TokenRange
from eventune.scoring.rams_links import count_links


def score_rams(
    gold: Sequence[Document],
    predicted: Sequence[Document],
    *,
    ontology: Ontology | None = None,
    type_constrained: bool = False,
    strict: bool = True,
) -> Score:
    """Score predicted events as the official RAMS scorer does.

    Precision is matched / predicted and recall matched / gold, under their right names. Source of the definition:
    `code/scorer/` in LWL-cpu/SCPRG-master, which allows one event a document. With several, links are counted per
    (trigger span, argument span, role) in the document, and type constraints apply to each event by itself.
    Where the official scorer stops (see `count_links`), and where a predicted document has another number of tokens
    than its gold, this raises `EventuneError`.

    Args:
        gold: Annotated documents.
        predicted: The same documents, found by their id, with the predicted events. Of documents with one id, the last
            counts, here and in `gold`.
        ontology: Types, roles and multiplicities; needed by `type_constrained`.
        type_constrained: Keep of each event the best-scored arguments of each role, up to the role's multiplicity in
            the gold event's type (`-cd`; published figures are usually without).
        strict: Refuse a span that crosses a sentence boundary, as the official scorer does. Otherwise such an argument
            counts in the totals and in no distance bucket.

    Returns:
        The score, with the tables that `RamsCounts.score` describes.
    """
    annotated = gold_links(gold)
    return count_links(
        annotated,
        predicted_links(predicted, annotated),
        ontology=ontology,
        type_constrained=type_constrained,
        strict=strict,
    ).score()


class RamsScorer:
    """The official RAMS scorer on documents that come one by one; options are those of `score_rams`.

    Of documents with one id every one counts, where `score_rams` takes the last.
    """

    name: ClassVar[str] = "rams"
    headline: ClassVar[str] = "arguments"

    def __init__(
        self, *, ontology: Ontology | None = None, type_constrained: bool = False, strict: bool = True
    ) -> None:
        self._options: dict[str, Any] = {
            "ontology": ontology,
            "type_constrained": type_constrained,
            "strict": strict,
        }
        self._counts = RamsCounts()

    def add(self, gold: Document, predicted: Document) -> Mapping[str, Tally]:
        """Count a document; see `Scorer.add`."""
        annotated = gold_links([gold])
        counts = count_links(annotated, predicted_links([predicted], annotated), **self._options)
        self._counts.merge(counts)
        total = counts.total
        return {self.headline: Tally(total.gold, total.predicted, total.matched)}

    def score(self) -> Score:
        """Return the score of all documents so far."""
        return self._counts.score()


def gold_links(documents: Iterable[Document]) -> dict[str, GoldDocument]:
    """Return the annotated links of documents, by document id."""
    result = {}
    for document in documents:
        types: defaultdict[TokenRange | None, list[str]] = defaultdict(list)
        for event in document.events:
            types[_inclusive(event.trigger)].append(event.type)
        links = [link for event in document.events for link, _ in _links(event)]
        sentence_of = [index for index, sentence in enumerate(document.sentences) for _ in range(len(sentence))]
        result[document.id] = GoldDocument(links, types, sentence_of)
    return result


def predicted_links(documents: Iterable[Document], gold: Mapping[str, GoldDocument]) -> dict[str, list[PredictedEvent]]:
    """Return the predicted links of documents, by document id.

    Args:
        documents: The documents with the predicted events.
        gold: The annotated ones.

    Returns:
        The events of each document, those of documents that are not in the gold included.

    Raises:
        EventuneError: If a document has another number of tokens than its gold.
    """
    result = {}
    for document in documents:
        expected = len(gold[document.id].sentence_of) if document.id in gold else len(document.tokens)
        if len(document.tokens) != expected:
            raise EventuneError(
                f"{document.id}: expected the gold's {expected} tokens, found {len(document.tokens)} in the prediction",
                "spans can only be compared on the same tokens: predict from the gold file",
            )
        result[document.id] = [
            PredictedEvent(_inclusive(event.trigger), event.type, _links(event)) for event in document.events
        ]
    return result


def _links(event: Event) -> list[tuple[Link, float | None]]:
    trigger = _inclusive(event.trigger)
    return [
        ((trigger, (argument.span.start, argument.span.end - 1), argument.role), argument.score)
        for argument in event.arguments
    ]


def _inclusive(span: Span | None) -> TokenRange | None:
    return None if span is None else (span.start, span.end - 1)
