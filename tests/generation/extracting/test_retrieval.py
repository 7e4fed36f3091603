"""Solved examples: the same as if every document were looked at, and found once for each question."""

import math
import random
from collections import Counter
from functools import reduce
from operator import add

import pytest

from eventune.events import Document, Event, Span
from eventune.generation.extracting.prompts import PromptTemplate, Question
from eventune.generation.extracting.questions import QuestionBuilder
from eventune.generation.extracting.retrieval import ExampleRetriever

TYPES = ("conflict.attack", "contact.meet", "weather", "unknown")


def documents(count=60):
    """Short texts of few words, so that many are as much alike, and some are the same."""
    rng = random.Random(1)
    made = []
    for number in range(count):
        words = [rng.choice("ABCDefgh") * rng.choice((1, 1, 2)) for _ in range(rng.randint(2, 6))]
        events = [Event(rng.choice(TYPES), Span(at, at + 1)) for at in range(rng.randint(0, 2))]
        made.append(Document.from_sentences(f"d{number}", [words], events=events))
    return made


def looked_up(corpus, question, known, num_examples):
    """The numbers and events of the examples, by looking at every document."""
    words = [{word.lower() for word in document.words} for document in corpus]
    frequency = Counter(word for own in words for word in own)
    weight = {word: math.log(1 + len(corpus) / held) ** 2 for word, held in frequency.items()}

    def total(found):
        return reduce(add, (weight[word] for word in sorted(found)), 0.0)

    wanted = {question.document.events[index].type for index in question.events}
    own = {word.lower() for word in question.document.words} & weight.keys()
    ranked = []
    for number, document in enumerate(corpus):
        usable = [n for n, event in enumerate(document.events) if event.type in known and known[event.type].roles]
        events = sorted(usable, key=lambda n: document.events[n].type not in wanted)[: len(question.events)]
        if len(events) < len(question.events) or document.text == question.document.text:
            continue
        is_kin = all(document.events[n].type in wanted for n in events)
        scale = math.sqrt(total(words[number])) * math.sqrt(total(own)) or 1.0
        ranked.append((is_kin, total(own & words[number]) / scale, -number, tuple(sorted(events))))
    ranked.sort(key=lambda found: found[:3], reverse=True)
    return [(-number, events) for _, _, number, events in reversed(ranked[:num_examples])]


@pytest.mark.parametrize("events_per_prompt", [1, 2])
@pytest.mark.parametrize("num_examples", [1, 5, 100])
def test_examples_are_those_that_a_look_at_every_document_finds(ontology, num_examples, events_per_prompt):
    corpus = documents()
    retriever = ExampleRetriever(corpus, num_examples=num_examples)
    builder = QuestionBuilder(ontology, PromptTemplate.read("", ontology), events_per_prompt=events_per_prompt)
    stranger = Document.from_sentences("s", [["never", "seen"]], events=[Event("contact.meet", Span(0, 1))])
    questions = [question for document in (*corpus, stranger) for question in builder.questions(document)]
    place = {document.id: number for number, document in enumerate(corpus)}

    for question in questions:
        found = retriever.retrieve(question, known=ontology)
        expected = looked_up(corpus, question, ontology, num_examples)
        assert [(place[solved.document.id], solved.events) for solved in found] == expected
    assert len(questions) > 20


def test_examples_are_looked_for_once_for_a_question_that_is_too_long(prompt_encoder_with, document, monkeypatch):
    asked = []
    retrieve = ExampleRetriever.retrieve

    def counted(self, question: Question, **options):
        asked.append(question)
        return retrieve(self, question, **options)

    monkeypatch.setattr(ExampleRetriever, "retrieve", counted)
    long = Document.from_sentences("long", [["word"] * 900], events=[Event("conflict.attack", Span(700, 701))])
    encoder = prompt_encoder_with(max_prompt=900, retriever=ExampleRetriever([document] * 3, num_examples=3))
    (question,) = encoder.encode([long]).questions

    assert len(question.prompt) <= 900
    assert len(asked) == 1
