"""Documents and questions that the tests of this folder share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from eventune.events import Argument, Document, Event, EventType, Ontology, Role, Span
from eventune.generation.encoding import Encoder
from eventune.generation.extracting.asking import Asker
from eventune.generation.extracting.prompts import Prompt
from eventune.generation.extracting.questions import Questioner
from eventune.generation.extracting.spelling import Speller

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
def asker_with(tokenizer: Any, ontology: Ontology) -> Any:
    def make(**options: Any) -> Asker:
        encoder = Encoder(tokenizer, max_source_length=100_000, max_target_length=512)
        asked = {name: options.pop(name) for name in ("shelf", "events_per_prompt") if name in options}
        settings = {"max_prompt": 2000, "max_new_tokens": 400, **options}
        questioner = Questioner(ontology, Prompt.read("", ontology), **asked)
        return Asker(questioner, encoder, Speller(tokenizer), **settings)

    return make
