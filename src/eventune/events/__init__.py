"""The domain: documents, events, arguments and ontologies. Standard library only."""

from eventune.events.document import Argument, Document, Event, Span
from eventune.events.ontology import EventType, Ontology, Role

__all__ = ["Argument", "Document", "Event", "EventType", "Ontology", "Role", "Span"]
