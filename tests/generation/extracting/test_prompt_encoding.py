"""Questions: what is shown of a document, what is asked at once, and what cannot be answered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eventune.errors import EventuneError
from eventune.events import Argument, Document, Event, Ontology, Span
from eventune.generation.extracting.prompts import PromptTemplate, Question
from eventune.generation.extracting.retrieval import ExampleRetriever


def text_of(prompt_encoder: Any, questions: Any) -> str:
    return str(prompt_encoder.answer_tokenizer.tokenizer.decode(questions.prompt))


def test_a_question_shows_the_text_with_its_trigger_and_names_type_and_roles(
    prompt_encoder_with: Any, document: Document
) -> None:
    prompt_encoder = prompt_encoder_with()
    first, second = prompt_encoder.encode([document]).questions
    shown = text_of(prompt_encoder, first)
    assert "Gunmen <1>shot</1> two men" in shown
    assert "conflict attack" in shown
    assert all(f"- {role}\n" in shown for role in ("attacker", "target", "place"))
    assert "The men <1>met</1> Gunmen" in text_of(prompt_encoder, second)


def test_several_events_are_asked_about_at_once_in_the_order_of_their_triggers(
    prompt_encoder_with: Any, document: Document
) -> None:
    prompt_encoder = prompt_encoder_with(events_per_prompt=2)
    turned = document.with_events(reversed(document.events))
    (questions,) = prompt_encoder.encode([turned]).questions
    assert questions.question.events == (1, 0)
    shown = text_of(prompt_encoder, questions)
    assert "<1>shot</1>" in shown
    assert "<2>met</2>" in shown


def test_what_is_learned_is_the_answer_and_its_end_alone(prompt_encoder_with: Any, document: Document) -> None:
    prompt_encoder = prompt_encoder_with()
    part = prompt_encoder.encode([document])
    example, questions = part.examples[0], part.questions[0]
    assert example.input_ids[: len(questions.prompt)] == questions.prompt
    learned = [label for label in example.labels if label >= 0]
    assert (
        prompt_encoder.answer_tokenizer.text(learned)
        == '{"attacker": ["Gunmen"], "target": ["two men"], "place": ["Kabul"]}'
    )
    assert learned[-1] == prompt_encoder.answer_tokenizer.eos
    assert example.labels[: len(questions.prompt)] == [-100] * len(questions.prompt)


def test_a_long_text_is_cut_around_the_trigger(prompt_encoder_with: Any, document: Document) -> None:
    words = [f"w{n}" for n in range(500)]
    event = Event("conflict.attack", Span(300, 301), (Argument("place", Span(299, 300)), Argument("place", Span(0, 1))))
    long = Document.from_sentences("long", [words], events=[event])
    part = prompt_encoder_with(max_prompt=700).encode([long])
    (questions,) = part.questions
    window = questions.question.window
    assert len(questions.prompt) <= 700
    assert window.contains(Span(299, 301))
    assert abs((300 - window.start) - (window.end - 301)) <= 1
    assert part.unreachable == {"outside the text shown": 1}
    assert part.gold == 2


def test_arguments_that_no_answer_can_name_are_counted_by_reason(prompt_encoder_with: Any, document: Document) -> None:
    arguments = (
        Argument("place", Span(0, 5)),
        Argument("attacker", Span(0, 1)),
        Argument("attacker", Span(2, 3)),
        Argument("victim", Span(2, 3)),
    )
    changed = document.with_events([replace(document.events[0], arguments=arguments)])
    assert prompt_encoder_with(max_span_length=3).encode([changed]).unreachable == {
        "too long": 1,
        "more than the role may have": 1,
        "role not in the ontology": 1,
    }


def test_events_of_types_without_roles_or_unknown_are_not_asked_about(
    prompt_encoder_with: Any, document: Document
) -> None:
    silent = document.with_events([Event("weather", Span(0, 1)), Event("unknown", Span(0, 1))])
    assert prompt_encoder_with().encode([silent]).questions == []


def test_roles_that_are_longer_than_a_prompt_may_be_are_an_error(prompt_encoder_with: Any, document: Document) -> None:
    with pytest.raises(EventuneError, match="at most 50 tokens, found more without any text"):
        prompt_encoder_with(max_prompt=50).encode([document])


def test_solved_examples_stand_before_the_question_the_most_alike_last(
    prompt_encoder_with: Any, document: Document
) -> None:
    kin = replace(Document.from_sentences("kin", [["Gunmen", "shot", "ten", "men", "in", "Herat", "."]]), events=())
    kin = kin.with_events([Event("conflict.attack", Span(1, 2), (Argument("place", Span(5, 6)),))])
    other = Document.from_sentences("other", [["They", "met"]], events=[Event("contact.meet", Span(1, 2))])
    far = Document.from_sentences("far", [["Rain", "hit"]], events=[Event("conflict.attack", Span(1, 2))])
    prompt_encoder = prompt_encoder_with(retriever=ExampleRetriever([document, far, kin, other], num_examples=2))
    messages = prompt_encoder.question_builder.messages(Question(document, (0,), Span(0, len(document.tokens))))
    assert [message.role for message in messages] == ["user", "assistant"] * 2 + ["user"]
    assert messages[1].content == '{"attacker": [], "target": [], "place": []}'
    assert messages[3].content == '{"attacker": [], "target": [], "place": ["Herat"]}'
    assert "Kabul" in messages[4].content


def test_a_template_of_ones_own_is_used(tmp_path: Path, document: Document, ontology: Ontology) -> None:
    path = tmp_path / "mine.jinja"
    path.write_text("{{ text('[', ']') }} | {{ events[0].roles | map(attribute='name') | join(', ') }}")
    question = Question(document, (0,), Span(0, 4))
    assert (
        PromptTemplate.read(str(path), ontology).render(question) == "Gunmen [shot] two men | attacker, target, place"
    )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ text( }}", "cannot write a question"),
        ("{{ text() }} {{ nothing }}", "'nothing' is undefined"),
        ("no text", "expected {{ text() }} in it"),
        ("{{ text.__globals__ }} {{ text() }}", "cannot write a question"),
    ],
)
def test_a_template_that_is_broken_or_would_reach_out_is_an_error(
    source: str, message: str, document: Document, ontology: Ontology
) -> None:
    with pytest.raises(EventuneError) as raised:
        PromptTemplate(source, ontology).render(Question(document, (0,), Span(0, 4)))
    assert message in str(raised.value)


def test_a_budget_below_the_shortest_answer_is_an_error(prompt_encoder_with: Any, document: Document) -> None:
    with pytest.raises(EventuneError, match=r"max_new_tokens: expected at least \d+, .* about conflict.attack"):
        prompt_encoder_with(max_new_tokens=20).encode([document])


def test_events_that_do_not_fit_one_prompt_are_asked_about_apart(prompt_encoder_with: Any) -> None:
    words = [f"w{n}" for n in range(400)]
    events = [Event("conflict.attack", Span(5, 6)), Event("contact.meet", Span(390, 391))]
    long = Document.from_sentences("long", [words], events=events)
    questions = prompt_encoder_with(max_prompt=900, events_per_prompt=2).encode([long]).questions
    assert [one.question.events for one in questions] == [(0,), (1,)]
    assert all(one.question.window.contains(events[n].trigger) for n, one in enumerate(questions) if events[n].trigger)


def test_examples_that_do_not_fit_are_left_out_and_others_of_unknown_types_never_shown(
    prompt_encoder_with: Any, document: Document
) -> None:
    long = Document.from_sentences("far", [["w"] * 900], events=[Event("conflict.attack", Span(1, 2))])
    unknown = Document.from_sentences("other", [["Rain"]], events=[Event("unknown", Span(0, 1))])
    prompt_encoder = prompt_encoder_with(max_prompt=900, retriever=ExampleRetriever([long, unknown], num_examples=2))
    (questions, _) = prompt_encoder.encode([document]).questions
    assert questions.question.window == Span(0, len(document.tokens))
    assert "w w w" not in text_of(prompt_encoder, questions)


def test_a_span_over_a_sentences_end_is_told_from_one_that_is_too_long(
    prompt_encoder_with: Any, document: Document
) -> None:
    arguments = (Argument("place", Span(6, 8)),)
    changed = document.with_events([replace(document.events[0], arguments=arguments)])
    assert prompt_encoder_with().encode([changed]).unreachable == {"over a sentence's end": 1}
