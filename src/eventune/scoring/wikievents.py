"""WikiEvents' Head-F1 and Coref-F1 (`src/genie/scorer.py` in raspberryice/gen-arg).

Per event, sets of (span, role). A leading article is stripped from gold spans only; in head mode every span becomes
its syntactic head. A prediction identifies an argument if any gold argument of the event has its span, and classifies
it if one with its role has. Only where no span matches, coreference counts: the prediction's span and a gold span are
mentions of one cluster. Matches count predictions, so recall can exceed 1.

The map of coreference is keyed by full mention spans: a gold mention whose article was stripped, or a head of several
tokens, is no key of it and earns no credit, as in the official scorer.

The official scorer reads strings, which it maps to the nearest occurrence (`genarg_files` does the same). On documents
the predicted spans are taken as they are, predicted events belong to the gold event of their type and trigger, and no
event is lost by its position. Types that the ontology lacks are left out on both sides, if there is an ontology.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from eventune.events import Document, Ontology, Span
from eventune.results import Score
from eventune.scoring.heads import Heads, head_of
from eventune.scoring.measures import MicroScorer, Tally, score_of
from eventune.scoring.normalisation import ARTICLES
from eventune.scoring.paie import paired_events

Filled = tuple[Any, str]
"""A span, or what stands for one, and the role that it fills."""


class WikieventsScorer(MicroScorer):
    """Counts documents one by one; see `Scorer`.

    Args:
        ontology: Event types that count; without it all do.
        heads: Gives the index of each token's syntactic head; without it there are no head measures and
            `span_c` stands for all.
    """

    name: ClassVar[str] = "wikievents"
    headline: str

    def __init__(self, *, ontology: Ontology | None = None, heads: Heads | None = None) -> None:
        self._ontology = ontology
        self._heads = heads
        self._has_clusters = False
        modes = ("span",) if heads is None else ("head", "span")
        self.headline = f"{modes[0]}_c"
        super().__init__(f"{mode}{coref}_{kind}" for mode in modes for coref in ("", "_coref") for kind in ("i", "c"))

    def count(self, gold: Document, predicted: Document) -> Mapping[str, Tally]:
        """See `MicroScorer`."""
        clusters = cluster_spans(gold)
        self._has_clusters = self._has_clusters or bool(clusters)
        result = dict.fromkeys(self._totals, Tally())
        modes = {"span": None} if self._heads is None else {"head": self._heads(gold), "span": None}
        for event, found in paired_events(gold, predicted):
            if self._ontology is not None and event.type not in self._ontology:
                continue
            for mode, heads in modes.items():
                annotated = gold_spans(gold, ((a.span, a.role) for a in event.arguments), heads)
                guessed = {(head_span(a.span, heads), a.role) for a in found.arguments}
                counts = count_event(guessed, annotated, clusters)
                for measure, tally in tallies_of(counts, mode).items():
                    result[measure] += tally
        return result

    def score(self) -> Score:
        """Return the score of all documents so far; measures of coreference only where a document has clusters."""
        return score_of(self.name, self.headline, reported(self._totals, has_clusters=self._has_clusters))


def reported(totals: Mapping[str, Tally], *, has_clusters: bool) -> dict[str, Tally]:
    """Return the measures that say something: without clusters those of coreference repeat the others.

    Args:
        totals: Tally of each measure.
        has_clusters: Whether any gold document has mentions that corefer.
    """
    return {measure: tally for measure, tally in totals.items() if has_clusters or "_coref_" not in measure}


def cluster_spans(document: Document) -> dict[Span, int]:
    """Return the cluster of each mention span that corefers with another; of a span in several, the last.

    Args:
        document: A document whose entities are clusters.

    Returns:
        Number of the cluster by span.
    """
    clusters = [entity for entity in document.entities if len(entity.mentions) > 1]
    return {mention.span: number for number, cluster in enumerate(clusters) for mention in cluster.mentions}


def gold_spans(
    document: Document, arguments: Iterable[tuple[Span, str]], heads: Sequence[int] | None
) -> set[tuple[Span, str]]:
    """Return gold arguments as the scorer compares them: without a leading article, and as heads in head mode."""
    return {(head_span(_without_article(span, document), heads), role) for span, role in arguments}


def head_span(span: Span, heads: Sequence[int] | None) -> Span:
    """Return the head of a span as a span; the span itself where there are no heads."""
    if heads is None:
        return span
    head = head_of(span, heads)
    return Span(head, head + 1)


def count_event(
    predicted: Collection[Filled], gold: Collection[Filled], clusters: Mapping[Span, int]
) -> tuple[int, int, int, int, int, int]:
    """Count the matches of an event.

    Args:
        predicted: Set of predicted spans and roles.
        gold: Set of gold spans and roles.
        clusters: Cluster of each mention span.

    Returns:
        Gold, predicted, identified and classified arguments, and those identified and classified by coreference beyond.
    """
    identified = classified = by_coreference = classified_by_coreference = 0
    gold_clusters = {(clusters[span], role) for span, role in gold if span in clusters}
    for span, role in predicted:
        if any(other == span for other, _ in gold):
            identified += 1
            classified += (span, role) in gold
        elif span in clusters and any(cluster == clusters[span] for cluster, _ in gold_clusters):
            by_coreference += 1
            classified_by_coreference += (clusters[span], role) in gold_clusters
    return len(gold), len(predicted), identified, classified, by_coreference, classified_by_coreference


def tallies_of(counts: tuple[int, int, int, int, int, int], mode: str) -> dict[str, Tally]:
    """Return the counts of `count_event` as tallies of a mode, `span` or `head`."""
    gold, predicted, identified, classified, by_coreference, classified_by_coreference = counts
    return {
        f"{mode}_i": Tally(gold, predicted, identified),
        f"{mode}_c": Tally(gold, predicted, classified),
        f"{mode}_coref_i": Tally(gold, predicted, identified + by_coreference),
        f"{mode}_coref_c": Tally(gold, predicted, classified + classified_by_coreference),
    }


def _without_article(span: Span, document: Document) -> Span:
    begins_with_one = len(span) > 1 and document.text_of(Span(span.start, span.start + 1)).lower() in ARTICLES
    return Span(span.start + 1, span.end) if begins_with_one else span
