"""Documents and questions that the tests of this folder share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from eventune.events import Argument, Document, Event, EventType, Ontology, Role, Span
from eventune.generation.encoding import ConversationEncoder
from eventune.generation.extracting.answer_tokens import AnswerTokenizer
from eventune.generation.extracting.prompt_encoding import PromptEncoder
from eventune.generation.extracting.prompts import PromptTemplate
from eventune.generation.extracting.questions import QuestionBuilder

ATTACK = EventType("conflict.attack", (Role("attacker"), Role("target", 2), Role("place")))
MEET = EventType("contact.meet", (Role("participant", 2),))


@pytest.fixture
def ontology() -> Ontology:
    return Ontology.of([ATTACK, MEET, EventType("weather", ())])


@pytest.fixture
def document() -> Document:
    sentences = [
        ["Gunmen", "shot", "two", "men", "in", "Kabul", "."],
        ["The", "men", "met", "Gunmen", "of", '"Al\\Q"', "in", "Kabul", "."],
    ]
    attack = Event(
        "conflict.attack",
        Span(1, 2),
        (Argument("attacker", Span(0, 1)), Argument("target", Span(2, 4)), Argument("place", Span(5, 6))),
    )
    meet = Event("contact.meet", Span(9, 10), (Argument("participant", Span(10, 13)),))
    return Document.from_sentences("d", sentences, events=[attack, meet])


@pytest.fixture
def chinese() -> Document:
    words = list("武装分子周三在喀布尔枪杀了两名士兵。")
    event = Event("conflict.attack", Span(10, 12), (Argument("attacker", Span(0, 4)), Argument("target", Span(13, 17))))
    text = "".join(words)
    return Document("z", text, tuple(Span(n, n + 1) for n in range(len(words))), (Span(0, len(words)),), (event,))


@pytest.fixture
def tokenizer(tiny_llm: Path) -> Any:
    return AutoTokenizer.from_pretrained(tiny_llm)


@pytest.fixture
def prompt_encoder_with(tokenizer: Any, ontology: Ontology) -> Any:
    def make(**options: Any) -> PromptEncoder:
        encoder = ConversationEncoder(tokenizer, max_source_length=100_000, max_target_length=512)
        questions = {name: options.pop(name) for name in ("retriever", "events_per_prompt") if name in options}
        settings = {"max_prompt": 2000, "max_new_tokens": 400, **options}
        question_builder = QuestionBuilder(ontology, PromptTemplate.read("", ontology), **questions)
        return PromptEncoder(question_builder, encoder, AnswerTokenizer(tokenizer), **settings)

    return make
