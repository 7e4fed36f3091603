"""From documents to questions in tokens, with the answers to be learned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from eventune.errors import EventuneError
from eventune.events import Document, Span
from eventune.generation.conversation import Conversation, Message
from eventune.generation.encoding import IGNORED, ConversationEncoder, EncodedRow
from eventune.generation.extracting.answer_tokens import AnswerTokenizer
from eventune.generation.extracting.grammar import AnyText, Grammar, Values, Words
from eventune.generation.extracting.prompts import Question
from eventune.generation.extracting.questions import QuestionBuilder

_LONGEST_TEXT = 64
"""Tokens of the longest value where values may be any text."""


@dataclass(frozen=True, slots=True)
class EncodedQuestion:
    """A question in tokens.

    Attributes:
        number: Index of its document in the part.
        question: The question.
        prompt: Its tokens, up to where the answer begins.
    """

    number: int
    question: Question
    prompt: list[int]


@dataclass(frozen=True)
class EncodedQuestions:
    """A part of a corpus as questions.

    Attributes:
        documents: The documents.
        questions: Their questions; none for events of types without roles.
        examples: The questions with their answers.
        gold: Gold arguments of the events that are asked about.
        unreachable: Those that no answer can name, by reason.
    """

    documents: Sequence[Document]
    questions: Sequence[EncodedQuestion]
    examples: Sequence[EncodedRow]
    gold: int
    unreachable: Counter[str]


class PromptEncoder:
    """Asks a causal LM for arguments.

    Attributes:
        question_builder: Puts the questions.
        encoder: Writes prompts in the model's chat template.
        answer_tokenizer: Writes answers in tokens.
        max_prompt: Tokens of the longest prompt; longer texts are cut around the triggers.
        max_new_tokens: Tokens of the longest answer.
        max_span_length: Words of the longest argument.
    """

    def __init__(
        self,
        question_builder: QuestionBuilder,
        encoder: ConversationEncoder,
        answer_tokenizer: AnswerTokenizer,
        *,
        max_prompt: int,
        max_new_tokens: int = 512,
        max_span_length: int = 12,
    ) -> None:
        self.question_builder, self.encoder, self.answer_tokenizer = question_builder, encoder, answer_tokenizer
        self.max_prompt, self.max_new_tokens, self.max_span_length = max_prompt, max_new_tokens, max_span_length

    def encode(self, documents: Sequence[Document]) -> EncodedQuestions:
        """Ask about every event whose type is in the ontology and has roles.

        Args:
            documents: The documents; their arguments are the answers to be learned.

        Raises:
            EventuneError: If the template is broken, or the roles alone are longer than a prompt may be.
        """
        numbered = [
            (number, question)
            for number, document in enumerate(documents)
            for question in self.question_builder.questions(document)
        ]
        solved = [self.question_builder.examples(question) for _, question in numbered]
        prompts = self._prompts([question for _, question in numbered], solved)
        questions, examples, unreachable, arguments = [], [], Counter[str](), 0
        for (number, whole), own, ids in zip(numbered, solved, prompts, strict=True):
            for question, prompt in self._fitted(whole, own, ids):
                questions.append(EncodedQuestion(number, question, prompt))
                answer, missed = self._answer(question)
                unreachable += missed
                arguments += sum(len(question.document.events[index].arguments) for index in question.events)
                examples.append(EncodedRow(prompt + answer, [IGNORED] * len(prompt) + answer))
        return EncodedQuestions(documents, questions, examples, arguments, unreachable)

    def grammar(self, question: Question, *, is_grounded: bool = True) -> Grammar:
        """Return what may be answered to a question.

        Args:
            question: The question.
            is_grounded: Whether values are spans of the document, and not any text.
        """
        script = self.question_builder.script(question)
        values: Values
        if is_grounded:
            values = Words(
                question.document, question.window, self.answer_tokenizer, max_span_length=self.max_span_length
            )
        else:
            values = AnyText(self.answer_tokenizer, max_tokens=_LONGEST_TEXT)
        return Grammar(script, values, self.answer_tokenizer, self.max_new_tokens)

    def _prompts(self, questions: Sequence[Question], solved: Sequence[Sequence[Question]]) -> list[list[int]]:
        """Return the tokens of questions, each after its solved examples."""
        rows = [
            Conversation(tuple(self._harmless(m) for m in self.question_builder.messages(question, examples=own)))
            for question, own in zip(questions, solved, strict=True)
        ]
        return self.encoder.prompts(rows)[0]

    def _harmless(self, message: Message) -> Message:
        """Put a space into what a document spells like a special token: it would end the turn."""
        content = message.content
        for special in self.answer_tokenizer.tokenizer.all_special_tokens:
            content = content.replace(special, f"{special[0]} {special[1:]}")
        return replace(message, content=content)

    def _fitted(
        self, question: Question, solved: Sequence[Question], prompt: list[int]
    ) -> list[tuple[Question, list[int]]]:
        """Make a prompt short enough: with fewer examples, of fewer events, then with the words around the trigger."""
        if len(prompt) <= self.max_prompt:
            return [(question, prompt)]
        for start in range(1, len(solved) + 1):
            (ids,) = self._prompts([question], [solved[start:]])
            if len(ids) <= self.max_prompt:
                return [(question, ids)]
        if len(question.events) > 1:
            half = len(question.events) // 2
            parts = [replace(question, events=events) for events in (question.events[:half], question.events[half:])]
            examples = [self.question_builder.examples(part) for part in parts]
            tried = zip(parts, examples, self._prompts(parts, examples), strict=True)
            return [fitted for part, own, ids in tried for fitted in self._fitted(part, own, ids)]
        return self._cut(question)

    def _cut(self, question: Question) -> list[tuple[Question, list[int]]]:
        low, high = 0, len(question.document.tokens)
        fitting: tuple[Question, list[int]] | None = None
        while low < high:
            words = (low + high + 1) // 2
            tried = replace(question, window=_around(question, words))
            (ids,) = self._prompts([tried], [()])
            if len(ids) <= self.max_prompt:
                low, fitting = words, (tried, ids)
            else:
                high = words - 1
        if fitting is None:
            raise EventuneError(
                f"document {question.document.id}: expected a prompt of at most {self.max_prompt} tokens, found more "
                "without any text: the roles alone are longer",
                "set a greater max_length",
            )
        return [fitting]

    def _answer(self, question: Question) -> tuple[list[int], Counter[str]]:
        grammar = self.grammar(question)
        if grammar.least > self.max_new_tokens:
            types = ", ".join(question.document.events[index].type for index in question.events)
            raise EventuneError(
                f"max_new_tokens: expected at least {grammar.least}, which an answer about {types} has without any "
                f"argument, found {self.max_new_tokens}",
                "set it higher" + (", or events_per_prompt lower" if len(question.events) > 1 else ""),
            )
        values, missed = self._gold(question, grammar)
        answer = grammar.write(values)
        while len(answer) > self.max_new_tokens:
            longest = max((value for slot in values for value in slot), key=len)
            next(slot for slot in values if longest in slot).remove(longest)
            missed["beyond max_new_tokens"] += 1
            answer = grammar.write(values)
        return answer, missed

    def _gold(self, question: Question, grammar: Grammar) -> tuple[list[list[list[int]]], Counter[str]]:
        """Return the tokens of each role's gold values, and how many arguments are none, by reason."""
        assert isinstance(grammar.words, Words)
        missed: Counter[str] = Counter()
        answer: list[list[list[int]]] = []
        for slot in grammar.script.slots:
            event = question.document.events[question.events[slot.event]]
            spans = sorted({argument.span for argument in event.arguments if argument.role == slot.role.name})
            spelled = [(span, grammar.words.spell(span)) for span in spans]
            missed.update(self._reason(question, span) for span, tokens in spelled if tokens is None)
            reached = [tokens for _, tokens in spelled if tokens is not None]
            missed["more than the role may have"] += max(0, len(reached) - slot.role.multiplicity)
            answer.append(reached[: slot.role.multiplicity])
        for index in question.events:
            event = question.document.events[index]
            roles = {role.name for role in self.question_builder.ontology[event.type].roles}
            missed["role not in the ontology"] += sum(argument.role not in roles for argument in event.arguments)
        return answer, +missed

    def _reason(self, question: Question, span: Span) -> str:
        document = question.document
        if not question.window.contains(span):
            return "outside the text shown"
        if document.sentence_of(span.start) != document.sentence_of(span.end - 1):
            return "over a sentence's end"
        return "too long" if len(span) > self.max_span_length else "with words that the tokenizer cannot write"


def _around(question: Question, words: int) -> Span:
    """Return a window of so many words around the events' triggers."""
    count = len(question.document.tokens)
    triggers = [trigger for index in question.events if (trigger := question.document.events[index].trigger)]
    first = min((trigger.start for trigger in triggers), default=0)
    last = max((trigger.end for trigger in triggers), default=1)
    start = max(0, min((first + last - words) // 2, count - words))
    return Span(start, start + words)
