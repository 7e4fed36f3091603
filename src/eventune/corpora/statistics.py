"""Figures that describe a corpus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from eventune.events import Document, Event, Ontology

STRUCTURE = (
    "documents_without_events",
    "events_without_trigger",
    "discontinuous_arguments",
    "nested_roles",
    "entities",
    "mentions",
    "coreference_clusters",
)


def sizes_of(documents: Sequence[Document]) -> dict[str, int]:
    """Return how many documents, events and arguments there are."""
    events = [event for document in documents for event in document.events]
    arguments = sum(len(event.arguments) for event in events)
    return {"documents": len(documents), "events": len(events), "arguments": arguments}


def describe(documents: Iterable[Document], *, ontology: Ontology | None = None) -> dict[str, Any]:
    """Count what a corpus holds.

    Args:
        documents: The documents.
        ontology: Where given, the share of its roles that no argument fills is counted as well.

    Returns:
        JSON values: `documents`, `events`, `arguments`, `sentences`; `tokens`, `events_per_document` and
        `argument_tokens` with `total`, `mean`, `max`, and a `distribution` for the last two; `sentence_distance` with
        the `distribution` of sentence(argument) − sentence(trigger) and the `cross_sentence_share`; `types` and `roles`
        by falling count; `repeated_roles`, how often a role has several fillers in one event; `empty_role_share`, the
        fraction of the roles of each event's type that nothing fills, or None without an ontology; and how many
        `documents_without_events`, `events_without_trigger`, `discontinuous_arguments`, arguments of `nested_roles`,
        `entities`, `mentions` of entities, and `coreference_clusters` of two mentions or more there are.
    """
    counts: Counter[str] = Counter()
    tokens: Counter[int] = Counter()
    events: Counter[int] = Counter()
    lengths: Counter[int] = Counter()
    distances: Counter[int] = Counter()
    types: Counter[str] = Counter()
    roles: Counter[str] = Counter()
    repeated: Counter[str] = Counter()
    for document in documents:
        counts["documents"] += 1
        counts["sentences"] += len(document.sentences)
        tokens[len(document.tokens)] += 1
        events[len(document.events)] += 1
        counts.update(_structure(document))
        for event in document.events:
            types[event.type] += 1
            lengths.update(len(argument.span) for argument in event.arguments)
            distances.update(_distances(document, event))
            fillers = Counter(argument.role for argument in event.arguments)
            roles.update(fillers)
            repeated.update(role for role, count in fillers.items() if count > 1)
            if ontology is not None and event.type in ontology:
                known = [role.name for role in ontology[event.type].roles]
                counts["slots"] += len(known)
                counts["empty slots"] += sum(name not in fillers for name in known)
    return {
        "documents": counts["documents"],
        "events": types.total(),
        "arguments": roles.total(),
        "sentences": counts["sentences"],
        "tokens": {**_summary(tokens), "distribution": _distribution(tokens)},
        "events_per_document": {**_summary(events), "distribution": _distribution(events)},
        "argument_tokens": {**_summary(lengths), "distribution": _distribution(lengths)},
        "sentence_distance": {
            "distribution": _distribution(distances),
            "cross_sentence_share": _share(distances.total() - distances[0], distances.total()),
        },
        "types": dict(types.most_common()),
        "roles": dict(roles.most_common()),
        "repeated_roles": dict(repeated.most_common()),
        "empty_role_share": None if ontology is None else _share(counts["empty slots"], counts["slots"]),
        **{name: counts[name] for name in STRUCTURE},
    }


def _structure(document: Document) -> dict[str, int]:
    """Count what not every corpus has."""
    arguments = [argument for event in document.events for argument in event.arguments]
    sizes = [len(entity.mentions) for entity in document.entities]
    return {
        "documents_without_events": int(not document.events),
        "events_without_trigger": sum(event.trigger is None for event in document.events),
        "discontinuous_arguments": sum(bool(argument.fragments) for argument in arguments),
        "nested_roles": sum("." in argument.role for argument in arguments),
        "entities": len(sizes),
        "mentions": sum(sizes),
        "coreference_clusters": sum(size > 1 for size in sizes),
    }


def _distances(document: Document, event: Event) -> Iterable[int]:
    """Sentences from the trigger to each argument; an event without a trigger has none."""
    if event.trigger is None:
        return []
    origin = document.sentence_of(event.trigger.start)
    return [document.sentence_of(argument.span.start) - origin for argument in event.arguments]


def _summary(counts: Counter[int]) -> dict[str, float]:
    total = sum(value * count for value, count in counts.items())
    return {"total": total, "mean": _share(total, counts.total()), "max": max(counts, default=0)}


def _distribution(counts: Counter[int]) -> dict[str, int]:
    # JSON has strings for keys; in the order of the numbers, so that a plot of the table is a histogram. Looking up
    # an absent value leaves no trace in a Counter, so zeros stay out.
    return {str(value): counts[value] for value in sorted(counts)}


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
