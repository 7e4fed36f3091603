"""The domain: documents, events, arguments and ontologies. Standard library only."""

from eventune.events.document import UNPLACED, Argument, Document, Entity, Event, Mention, Place, Span
from eventune.events.markup import parse_marked_text
from eventune.events.ontology import EventType, Ontology, Role

__all__ = [
    "UNPLACED",
    "Argument",
    "Document",
    "Entity",
    "Event",
    "EventType",
    "Mention",
    "Ontology",
    "Place",
    "Role",
    "Span",
    "parse_marked_text",
]
