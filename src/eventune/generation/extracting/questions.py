"""What is asked about a document, in messages; knows no tokenizer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eventune.events import Document, Ontology, Span
from eventune.generation.conversation import Message
from eventune.generation.extracting.prompts import PromptTemplate, Question
from eventune.generation.extracting.retrieval import ExampleRetriever
from eventune.generation.extracting.script import Script


class QuestionBuilder:
    """Puts questions about the events of documents.

    Attributes:
        ontology: What is extracted.
        prompt: How questions are put.
        retriever: Where solved examples come from.
        events_per_prompt: Events that are asked about at once.
    """

    def __init__(
        self,
        ontology: Ontology,
        prompt: PromptTemplate,
        *,
        retriever: ExampleRetriever | None = None,
        events_per_prompt: int = 1,
    ) -> None:
        self.ontology, self.prompt = ontology, prompt
        self.retriever, self.events_per_prompt = retriever or ExampleRetriever(()), events_per_prompt

    def questions(self, document: Document) -> Iterator[Question]:
        """Yield questions about every event whose type is in the ontology and has roles, in the triggers' order."""
        known = [
            index
            for index, event in enumerate(document.events)
            if event.type in self.ontology and self.ontology[event.type].roles
        ]
        triggers = {index: document.events[index].trigger for index in known}
        known.sort(key=lambda index: (trigger.start if (trigger := triggers[index]) else -1, index))
        if not document.tokens:
            return
        for start in range(0, len(known), self.events_per_prompt):
            events = tuple(known[start : start + self.events_per_prompt])
            yield Question(document, events, Span(0, len(document.tokens)))

    def script(self, question: Question) -> Script:
        """Return how an answer is written."""
        return Script.of([self.ontology[question.document.events[index].type] for index in question.events])

    def examples(self, question: Question) -> list[Question]:
        """Return a question's solved examples, the most alike last."""
        return self.retriever.retrieve(question, known=self.ontology)

    def messages(self, question: Question, *, examples: Sequence[Question] | None = None) -> tuple[Message, ...]:
        """Return a question as a conversation, after solved examples where there are any.

        Args:
            question: The question.
            examples: The examples; all that the retriever gives by default.
        """
        solved_ones = self.examples(question) if examples is None else examples
        turns: list[Message] = []
        for solved in solved_ones:
            turns.append(Message("user", self.prompt.render(solved)))
            turns.append(Message("assistant", self._answer(solved)))
        return (*turns, Message("user", self.prompt.render(question)))

    def _answer(self, question: Question) -> str:
        document, script = question.document, self.script(question)
        values = []
        for slot in script.slots:
            event = document.events[question.events[slot.event]]
            spans = sorted({argument.span for argument in event.arguments if argument.role == slot.role.name})
            texts = [" ".join(document.text_of(span).split()) for span in spans]
            values.append(texts[: slot.role.multiplicity])
        return script.write(values)
