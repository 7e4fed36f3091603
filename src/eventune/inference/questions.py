"""Documents as an extractor takes them, and how much was found in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from eventune.corpora.raw_text import RawTexts
from eventune.events import Document, Event
from eventune.inference.extractor import Extractor, find_type, no_event_error


@dataclass(frozen=True, kw_only=True)
class Questions(Iterable[Document]):
    """Documents as an extractor takes them.

    Attributes:
        documents: The documents, which can be iterated over again and again.
        extractor: The extractor.
        types: Event types of documents without events, as users name them: each gets an event of each, without a
            trigger.
        are_raw: Whether the documents' types are what a person wrote into a text: words that mean one of the
            ontology's. In a corpus they are names, known to the ontology or not.
    """

    documents: Iterable[Document]
    extractor: Extractor
    types: Sequence[str] = ()
    are_raw: bool = False

    def __iter__(self) -> Iterator[Document]:
        events = events_of(self.extractor, self.types)
        for document in self.documents:
            yield asked_about(self.extractor, document, events, is_raw=self.are_raw)

    def check(self) -> None:
        """Read all once, so that what is wrong shows before the work begins and not after hours of it.

        Raises:
            EventuneError: If a document is wrong, or none has an event and the extractor does not detect any.
        """
        has_events = False
        uncut = replace(self.documents, is_cut=False) if isinstance(self.documents, RawTexts) else self.documents
        for document in replace(self, documents=uncut):
            has_events |= bool(document.events)
        if not has_events and not self.extractor.detects:
            raise no_event_error("a document")


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


def asked_about(extractor: Extractor, document: Document, events: Sequence[Event], *, is_raw: bool) -> Document:
    """Return a document as the extractor is asked about it, see `Questions`."""
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
