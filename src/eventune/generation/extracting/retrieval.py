"""Solved examples for a question: events of its type in documents that are most alike."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from eventune.events import Document, Span
from eventune.generation.extracting.prompts import Question


class Shelf:
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

    def like(self, question: Question) -> list[Question]:
        """Return questions with known answers, the most alike last; never about the question's own document."""
        if not self.num_examples:
            return []
        wanted = {question.document.events[index].type for index in question.events}
        own = _words(question.document)
        found = []
        for number, document in enumerate(self.documents):
            if document.text == question.document.text:
                continue
            events = [index for index, event in enumerate(document.events) if event.type in wanted]
            others = [index for index, event in enumerate(document.events) if event.arguments]
            if events or others:
                shared = sum(self._weight[word] ** 2 for word in own & self._words[number])
                rank = (bool(events), shared / (self._norm[number] * self._length(own) or 1.0), -number)
                chosen = tuple((events or others)[: len(question.events)])
                found.append((rank, Question(document, chosen, Span(0, len(document.tokens)))))
        found.sort(key=lambda pair: pair[0], reverse=True)
        return [solved for _, solved in reversed(found[: self.num_examples])]

    def _length(self, words: frozenset[str]) -> float:
        return math.sqrt(sum(self._weight.get(word, 0.0) ** 2 for word in words))


def _words(document: Document) -> frozenset[str]:
    return frozenset(word.lower() for word in document.words)
