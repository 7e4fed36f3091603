"""Answers of a model: grounded whatever it would say, the same in any batch, learned when it is trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from eventune.events import Document, Mention, Span
from eventune.generation.extracting.answers import Found
from eventune.generation.extracting.grounding import Grounding
from eventune.generation.extracting.task import Answers, GenerativeExtractionTask, annotated
from eventune.scoring import SCORERS, score


@pytest.fixture
def model(tiny_llm: Path) -> Any:
    model = AutoModelForCausalLM.from_pretrained(tiny_llm, dtype=torch.float32)
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(1)
        # A fresh model says one token for ever.
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.copy_(0.3 * torch.randn_like(parameter))
    return model.eval()


def places(answers: Answers) -> list[list[tuple[int, str, Any]]]:
    return [[(f.event, f.argument.role, f.argument.span) for f in found] for found in answers.found]


def test_a_random_model_answers_with_spans_and_probabilities(
    prompt_encoder_with: Any, model: Any, document: Document
) -> None:
    task = GenerativeExtractionTask(prompt_encoder_with(events_per_prompt=2), decoding="grounded", batch_size=2)
    part = task.prompt_encoder.encode([document, document, document])
    answers = task.answer(model, part, min_probability=0.01)
    assert answers.counts == {"answers": 3}
    assert all(answers.found)
    for found in answers.found:
        assert all(0.0 <= item.argument.score <= 1.0 for item in found)
    assert places(answers)[0] == places(answers)[2]


def test_answers_do_not_depend_on_the_batch(
    prompt_encoder_with: Any, model: Any, document: Document, chinese: Document
) -> None:
    documents = [document, chinese]
    found = []
    for size in (1, 3):
        task = GenerativeExtractionTask(prompt_encoder_with(), decoding="grounded", batch_size=size)
        found.append(places(task.answer(model, task.prompt_encoder.encode(documents), min_probability=0.01)))
    assert found[0] == found[1]


@pytest.mark.parametrize("decoding", ["schema", "free"])
def test_other_decodings_are_read_and_counted(
    prompt_encoder_with: Any, model: Any, document: Document, decoding: str
) -> None:
    task = GenerativeExtractionTask(prompt_encoder_with(max_new_tokens=200), decoding=decoding, batch_size=4)
    counts = task.answer(model, task.prompt_encoder.encode([document])).counts
    assert counts["answers"] == 2
    assert counts["malformed"] == (2 if decoding == "free" else 0)


def test_a_model_that_is_trained_on_answers_gives_them(
    prompt_encoder_with: Any, model: Any, document: Document
) -> None:
    task = GenerativeExtractionTask(prompt_encoder_with(), decoding="grounded")
    part = task.prompt_encoder.encode([document])
    batch = task.collate(part.examples)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(60):
        optimizer.zero_grad()
        task.loss(model, batch).backward()
        optimizer.step()
    answers = task.answer(model, part)
    assert task.score(part, annotated(part.documents, answers)).f1 == 1.0
    free = GenerativeExtractionTask(task.prompt_encoder, decoding="free")
    assert places(free.answer(model, part)) == places(answers)
    assert min(item.argument.score for item in answers.found[0]) > 0.5


def test_the_probability_of_a_value_is_that_of_its_tokens_among_those_allowed(
    prompt_encoder_with: Any, model: Any, document: Document
) -> None:
    prompt_encoder = prompt_encoder_with()
    (questions, _) = prompt_encoder.encode([document]).questions
    grammar = prompt_encoder.grammar(questions.question)
    task = GenerativeExtractionTask(prompt_encoder, decoding="grounded")
    answers = task.answer(model, prompt_encoder.encode([document]), min_probability=0.01)
    item = next(f for f in answers.found[0] if f.event == 0)
    # By hand: the model's probabilities at each place of the written answer, over what the grammar allows there.
    values = [[] if slot.role.name != item.argument.role else [[]] for slot in grammar.script.slots]
    assert values
    state, prompt, total, inside = grammar.start(), list(questions.prompt), 0.0, False
    while len(state.values) < 1 or not (state.values[0] and not inside):
        allowed = state.allowed()
        with torch.no_grad():
            logits = model(torch.tensor([prompt])).logits[0, -1].float()
        probable = logits[allowed].log_softmax(0)
        chosen = allowed[int(probable.argmax())]
        openers = state.openers()
        if openers:
            chosen = openers[0]
        kinds = {t.then for t in state.threads if t.takes(chosen)}
        if kinds & {"more", "close"} and inside:
            ends = {t.tokens[0] for t in state.threads if t.then in {"more", "close"}}
            total += float(torch.logsumexp(probable[[allowed.index(end) for end in ends]], 0))
            inside = False
            break
        if kinds & {"open", "value"}:
            total += float(probable[allowed.index(chosen)])
            inside = True
        state = grammar.advance(state, chosen)
        prompt.append(chosen)
    assert item.argument.role == grammar.script.slots[0].role.name
    assert item.argument.score == pytest.approx(float(torch.tensor(total).exp()), rel=1e-4)


@pytest.mark.parametrize("scorer", SCORERS)
def test_perfect_arguments_are_perfect_by_every_scorer_also_with_two_triggers(document: Document, scorer: str) -> None:
    attack = replace(
        document.events[0],
        id="e",
        mentions=(Mention(Span(1, 2), "t1"), Mention(Span(9, 10), "t2")),
        attributes={"tense": "past"},
    )
    gold = document.with_events([attack])
    answers = Answers([[Found(0, replace(argument, score=0.9)) for argument in attack.arguments]])

    (found,) = annotated([gold], answers)

    assert score([gold], [found], scorer).f1 == 1.0
    assert found.events[0].with_arguments(attack.arguments) == attack


@pytest.mark.parametrize(("least", "is_filled"), [(0.5, False), (0.2, True)])
def test_a_generous_threshold_fills_what_the_likelier_way_leaves_empty(
    prompt_encoder_with: Any, document: Document, least: float, is_filled: bool
) -> None:
    prompt_encoder = prompt_encoder_with()
    grammar = prompt_encoder.grammar(prompt_encoder.encode([document]).questions[0].question)
    (quote,) = grammar.answer_tokenizer.piece('"')
    # Filling is a little less likely than leaving empty, wherever there is a choice.
    scores = torch.zeros(1, len(prompt_encoder.answer_tokenizer.tokenizer))
    scores[0, quote] = -0.5
    grounding, ids = Grounding([grammar], min_probability=least), torch.zeros(1, 1, dtype=torch.int64)
    while not grounding.states[0].values:
        ids = torch.cat([ids, grounding(ids, scores).argmax(1, keepdim=True)], 1)
    assert (grounding.states[0].slot == 0) == is_filled


def test_calibration_keeps_what_is_right_often_enough(prompt_encoder_with: Any, model: Any, document: Document) -> None:
    task = GenerativeExtractionTask(prompt_encoder_with(), decoding="grounded")
    part = task.prompt_encoder.encode([document] * 4)
    answers = task.answer(model, part, min_probability=0.01)
    calibration, errors = task.calibrate(answers, part)
    assert set(errors) == {"ece_before", "ece"}
    kept = annotated(part.documents, answers, calibration)
    for document_ in kept:
        for event in document_.events:
            assert all((argument.score or 0) >= calibration.threshold for argument in event.arguments)


def test_a_threshold_is_tuned_by_the_task_s_scorer(prompt_encoder_with: Any, document: Document) -> None:
    """Almost all of an argument's words are worth much to maven-arg, and a wrong argument to rams."""
    attacker, target, _ = document.events[0].arguments
    gold = document.with_events([document.events[0].with_arguments([attacker, target])])
    right = Found(0, replace(attacker, score=0.9))
    almost = Found(0, replace(target, span=Span(target.span.start + 1, target.span.end), score=0.4))
    answers = Answers([[almost, right] for _ in range(4)])
    kept, f1 = {}, {}
    for scorer in ("rams", "maven-arg"):
        task = GenerativeExtractionTask(prompt_encoder_with(), decoding="grounded", scorer=scorer)
        part = task.prompt_encoder.encode([replace(gold, id=f"d{n}") for n in range(4)])
        kept[scorer] = annotated(part.documents, answers, task.calibrate(answers, part)[0])
        f1[scorer] = {name: task.score(part, found).f1 for name, found in kept.items()}
    assert [len(found[0].events[0].arguments) for found in kept.values()] == [1, 2]
    assert f1["maven-arg"]["maven-arg"] > f1["maven-arg"]["rams"]
