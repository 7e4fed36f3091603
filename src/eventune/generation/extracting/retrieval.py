"""Solved examples for a question: events of its type in documents that are most alike."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence

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
        self._words = [_words(document) for document in documents] if num_examples else []
        frequency = Counter(word for words in self._words for word in words)
        self._weight = {word: math.log(1 + len(documents) / count) for word, count in frequency.items()}
        self._norm = [self._length(words) for words in self._words]

    def retrieve(self, question: Question, *, known: Ontology) -> list[Question]:
        """Return questions with known answers, the most alike last; never about the question's own document.

        Args:
            question: The question.
            known: The ontology; events of other types cannot be asked about.
        """
        if not self.num_examples:
            return []
        wanted = {question.document.events[index].type for index in question.events}
        own = _words(question.document)
        found = []
        for number, document in enumerate(self.documents):
            events = _asked_about(document, wanted, known, len(question.events))
            if events and document.text != question.document.text:
                is_kin = all(document.events[index].type in wanted for index in events)
                shared = sum(self._weight[word] ** 2 for word in own & self._words[number])
                rank = (is_kin, shared / (self._norm[number] * self._length(own) or 1.0), -number)
                found.append((rank, Question(document, events, Span(0, len(document.tokens)))))
        found.sort(key=lambda pair: pair[0], reverse=True)
        return [solved for _, solved in reversed(found[: self.num_examples])]

    def _length(self, words: frozenset[str]) -> float:
        return math.sqrt(sum(self._weight.get(word, 0.0) ** 2 for word in words))


def _words(document: Document) -> frozenset[str]:
    return frozenset(word.lower() for word in document.words)


def _asked_about(document: Document, wanted: Collection[str], known: Ontology, count: int) -> tuple[int, ...]:
    """Return so many of a document's events, those of the wanted types first; none where it has fewer."""
    usable = [index for index, event in enumerate(document.events) if event.type in known and known[event.type].roles]
    usable.sort(key=lambda index: document.events[index].type not in wanted)
    # As many, so that the answer has the same form.
    return tuple(sorted(usable[:count])) if len(usable) >= count else ()
