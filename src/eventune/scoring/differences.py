"""Where the official definitions part on given files, counted."""

from __future__ import annotations

from collections import Counter
from typing import Any

from eventune.events import Document, Span
from eventune.scoring.normalisation import ARTICLES
from eventune.scoring.paie import window_around

WINDOW = 250
"""PAIE's `window_size`."""


class Differences:
    """Counts, document by document, what the scorers treat differently."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def add(self, gold: Document, predicted: Document) -> None:
        """Count a document.

        Args:
            gold: The annotated document.
            predicted: The same document with the predicted events.
        """
        counts = self.counts
        counts["repeated_gold"] += _repeated(gold)
        counts["repeated_predictions"] += _repeated(predicted)
        counts["shared_spans"] += _several_roles(gold) + _several_roles(predicted)
        counts["events_of_one_type"] += _surplus(event.type for event in gold.events)
        counts["events_of_one_trigger"] += _surplus((event.type, event.trigger) for event in gold.events)
        counts["leading_articles"] += _articles(gold)
        counts["long_gold"] += sum(len(argument.span) > 1 for event in gold.events for argument in event.arguments)
        counts["coreferent_mentions"] += sum(
            len(entity.mentions) for entity in gold.entities if len(entity.mentions) > 1
        )
        counts["crossing_spans"] += _crossing(gold) + _crossing(predicted)
        counts["outside_window"] += _outside_window(gold)
        triggers = {(event.type, event.trigger) for event in gold.events}
        counts["other_triggers"] += sum((event.type, event.trigger) not in triggers for event in predicted.events)

    def notes(self) -> list[str]:
        """Return a sentence for each difference that these files show, the scorers that it touches by name."""
        return [text.format(count=self.counts[name]) for name, text in _NOTES.items() if self.counts[name]]

    def to_dict(self) -> dict[str, Any]:
        """Return counts and sentences as JSON values."""
        return {"counts": dict(self.counts), "notes": self.notes()}


_NOTES = {
    "repeated_gold": "{count} gold arguments repeat another of their event: rams and paie count each (paie lets one "
    "prediction match all), textee and wikievents count them once",
    "repeated_predictions": "{count} predicted arguments repeat another of their event: rams counts each as an error "
    "beyond the gold's number, all others count them once",
    "shared_spans": "{count} further roles on a span that has one already in its event: identification (AI, Arg-I) "
    "counts such a span once, classification each role",
    "events_of_one_type": "{count} gold events share their type with another of their document: textee's AI and AC "
    "merge them, so that an argument on the wrong event counts; AI+ and AC+ do not",
    "events_of_one_trigger": "{count} gold events share type and trigger with another: textee merges them in all its "
    "measures, the others pair them in order",
    "leading_articles": "{count} gold arguments begin with an article: wikievents strips it from the gold only, and in "
    "span mode misses predictions that keep it",
    "long_gold": "{count} gold arguments have several tokens: head measures accept any span with the same head, the "
    "others the exact span alone",
    "coreferent_mentions": "{count} gold mentions corefer with another: wikievents' coref measures accept any of them",
    "crossing_spans": "{count} spans cross a sentence boundary: the official rams scorer stops there; here they count, "
    "outside the distance table",
    "outside_window": f"{{count}} gold arguments lie outside the {WINDOW + 1} words that PAIE's family reads around a "
    f"trigger: paie counts them as missed with --window {WINDOW}, a scorer that sees the window alone never does",
    "other_triggers": "{count} predicted events have no gold event of their type and trigger: rams, textee's AI+ and "
    "AC+ count their arguments as wrong; paie and wikievents, which score gold events, leave them out",
}


def _repeated(document: Document) -> int:
    return sum(_surplus((argument.role, argument.span) for argument in event.arguments) for event in document.events)


def _several_roles(document: Document) -> int:
    return sum(
        _surplus(span for _, span in {(argument.role, argument.span) for argument in event.arguments})
        for event in document.events
    )


def _surplus(items: Any) -> int:
    """How many items repeat another one."""
    counts = Counter(items)
    return counts.total() - len(counts)


def _articles(document: Document) -> int:
    spans = [argument.span for event in document.events for argument in event.arguments if len(argument.span) > 1]
    return sum(document.text_of(Span(span.start, span.start + 1)).lower() in ARTICLES for span in spans)


def _outside_window(document: Document) -> int:
    return sum(
        not window_around(event.trigger, document, WINDOW).contains(argument.span)
        for event in document.events
        if event.trigger is not None
        for argument in event.arguments
    )


def _crossing(document: Document) -> int:
    spans = [argument.span for event in document.events for argument in event.arguments]
    return sum(document.sentence_of(span.start) != document.sentence_of(span.end - 1) for span in spans)
