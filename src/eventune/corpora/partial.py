"""Tells whether a corpus marks some events only, so that what is unmarked is not known to be no event."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from eventune.events import Document

_FEW_DOCUMENTS = 50
"""Fewer documents may have one event each by chance."""
_LONG_SENTENCES, _LONG_WORDS = 2.0, 60.0
"""Texts of so many sentences and words on average rarely tell of a single event."""

_FEW_FREE = 0.01
"""Where fewer sentences than one in a hundred have no event, they are those that a sentence was cut into by mistake."""


@dataclass(slots=True)
class AnnotationShape:
    """What the documents of a corpus have in common, added up one by one.

    Attributes:
        documents: How many there are.
        eventful: How many have an event.
        single: How many have exactly one.
        sentences: Sentences of all.
        free_sentences: Sentences without a trigger.
        words: Words of all.
    """

    documents: int = 0
    eventful: int = 0
    single: int = 0
    sentences: int = 0
    free_sentences: int = 0
    words: int = 0

    @classmethod
    def of(cls, documents: Iterable[Document]) -> AnnotationShape:
        """Add up all documents."""
        shape = cls()
        for document in documents:
            shape.add(document)
        return shape

    def add(self, document: Document) -> None:
        """Add a document."""
        self.documents += 1
        self.eventful += bool(document.events)
        self.single += len(document.events) == 1
        self.sentences += len(document.sentences)
        told = {document.sentence_of(span.start) for event in document.events for span in event.triggers}
        self.free_sentences += len(document.sentences) - len(told)
        self.words += len(document.tokens)

    @property
    def looks_partial(self) -> bool:
        """Whether every one of many long documents has exactly one event, as RAMS has it."""
        return (
            self.documents >= _FEW_DOCUMENTS
            and self.single == self.documents
            and self.sentences >= _LONG_SENTENCES * self.documents
            and self.words >= _LONG_WORDS * self.documents
        )

    @property
    def lacks_negatives(self) -> bool:
        """Whether nearly every sentence has an event, as in PHEE."""
        return self.eventful > 0 and self.free_sentences < _FEW_FREE * self.sentences
