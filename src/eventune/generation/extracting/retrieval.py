"""Solved examples for a question: events of its type in documents that are most alike."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from eventune.events import Document, Ontology, Span
from eventune.generation.extracting.prompts import Question


class ExampleRetriever:
    """Annotated documents to take examples from.

    Two texts are alike as their words are, each counted once and weighted by how rare it is (cosine of binary tf-idf
    vectors); an event of the same type always comes before one of another.

    Attributes:
        documents: The documents.
        num_examples: Examples for each question.
    """

    def __init__(self, documents: Sequence[Document], *, num_examples: int = 0) -> None:
        self.documents = documents
        self.num_examples = num_examples
        indexed = documents if num_examples else ()
        self._holders = _numbers_by_word(indexed)
        self._weight = {word: math.log(1 + len(documents) / len(held)) ** 2 for word, held in self._holders.items()}
        self._norm = np.sqrt(self._shared(self._holders))
        self._events = _counts_by_type(indexed)

    def retrieve(self, question: Question, *, known: Ontology) -> list[Question]:
        """Return questions with known answers, the most alike last; never about the question's own document.

        Args:
            question: The question.
            known: The ontology; events of other types cannot be asked about.
        """
        if not self.num_examples:
            return []
        wanted = {question.document.events[index].type for index in question.events}
        found: list[Question] = []
        for number in self._ranked(question, wanted, known):
            document = self.documents[number]
            events = _asked_about(document, wanted, known, len(question.events))
            if events and document.text != question.document.text:
                found.append(Question(document, events, Span(0, len(document.tokens))))
                if len(found) == self.num_examples:
                    break
        return found[::-1]

    def _ranked(self, question: Question, wanted: Collection[str], known: Ontology) -> Iterator[int]:
        """Yield the documents' numbers: first those with events enough of the wanted types, then the most alike."""
        own = sorted(_words(question.document) & self._holders.keys())
        length = math.sqrt(sum(self._weight[word] for word in own))
        scale = self._norm * length
        alike = self._shared(own) / np.where(scale > 0, scale, 1.0)
        nothing = np.zeros(len(self.documents), np.int64)
        usable = (self._events.get(name, nothing) for name in wanted if name in known and known[name].roles)
        is_kin = sum(usable, nothing) >= len(question.events)
        # Stable, so that of those that are as much alike the first comes first.
        yield from np.lexsort((-alike, ~is_kin)).tolist()

    def _shared(self, words: Collection[str]) -> NDArray[np.float64]:
        """Return the weight of these words in each document, added up in the words' order: to the bit the same."""
        total = np.zeros(len(self.documents))
        for word in words:
            total[self._holders[word]] += self._weight[word]
        return total


def _numbers_by_word(documents: Sequence[Document]) -> dict[str, NDArray[np.int64]]:
    """Return the numbers of the documents that each word is in, in the order of the words."""
    numbers: dict[str, list[int]] = {}
    for number, document in enumerate(documents):
        for word in _words(document):
            numbers.setdefault(word, []).append(number)
    return {word: np.array(numbers[word], np.int64) for word in sorted(numbers)}


def _counts_by_type(documents: Sequence[Document]) -> dict[str, NDArray[np.int64]]:
    """Return how many events of each type the documents have."""
    counts: dict[str, NDArray[np.int64]] = {}
    for number, document in enumerate(documents):
        for name, count in Counter(event.type for event in document.events).items():
            counts.setdefault(name, np.zeros(len(documents), np.int64))[number] = count
    return counts


def _words(document: Document) -> frozenset[str]:
    return frozenset(word.lower() for word in document.words)


def _asked_about(document: Document, wanted: Collection[str], known: Ontology, count: int) -> tuple[int, ...]:
    """Return so many of a document's events, those of the wanted types first; none where it has fewer."""
    usable = [index for index, event in enumerate(document.events) if event.type in known and known[event.type].roles]
    usable.sort(key=lambda index: document.events[index].type not in wanted)
    # As many, so that the answer has the same form.
    return tuple(sorted(usable[:count])) if len(usable) >= count else ()
