"""Documents as an extractor takes them, and how much was found in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from eventune.events import Document, Event
from eventune.inference.extractor import Extractor, find_type


class Counts(dict[str, int]):
    """How much was done.

    `documents`, `events` and `arguments`; `resumed` documents; `unreadable` records; documents `without_events` that
    were given to an extractor that finds none; events of `unknown_types`.
    """

    def __init__(self) -> None:
        super().__init__(documents=0, events=0, arguments=0, resumed=0, unreadable=0, without_events=0, unknown_types=0)

    def add(self, counts: Mapping[str, int]) -> None:
        """Add what was counted elsewhere."""
        for name, count in counts.items():
            self[name] += count


def events_of(extractor: Extractor, types: Sequence[str]) -> list[Event]:
    """Return an event without a trigger of each type that a user named; raises EventuneError if one is not known."""
    return [Event(find_type(extractor.ontology, name), None) for name in types]


def questions(
    extractor: Extractor, documents: Iterable[Document], types: Sequence[str] = (), *, are_raw: bool
) -> Iterator[Document]:
    """Yield documents as the extractor is asked about them.

    Args:
        extractor: The extractor.
        documents: The documents.
        types: Event types of documents without events, as users name them.
        are_raw: See `asked_about`.

    Yields:
        The documents.

    Raises:
        EventuneError: If the ontology lacks a type, or one that is marked in raw text.
    """
    events = events_of(extractor, types)
    for document in documents:
        yield asked_about(extractor, document, events, is_raw=are_raw)


def asked_about(extractor: Extractor, document: Document, events: Sequence[Event], *, is_raw: bool) -> Document:
    """Return a document as the extractor is asked about it.

    Args:
        extractor: The extractor.
        document: The document.
        events: The events that it gets if it has none.
        is_raw: Whether its types are what a person wrote into a text: words that mean one of the ontology's. In a
            corpus they are names, known to the ontology or not.

    Raises:
        EventuneError: If a word means no type, or several.
    """
    if not document.events:
        return document.with_events(events)
    return extractor.named(document) if is_raw else document


def tally(extractor: Extractor, asked: Document, found: Document) -> dict[str, int]:
    """Count a document, as it was asked about and as it was found, see `Counts`."""
    return {
        "documents": 1,
        "events": len(found.events),
        "arguments": sum(len(event.arguments) for event in found.events),
        "without_events": int(not extractor.detects and not asked.events),
        "unknown_types": sum(event.type not in extractor.ontology for event in found.events),
    }
