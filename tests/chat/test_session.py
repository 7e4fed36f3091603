"""Conversations: turns build on one another, and each model answers as its model generates."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer

from eventune.chat.session import ChatModel, ChatSession
from eventune.errors import EventuneError
from eventune.generation.conversation import Message
from eventune.generation.generating import GenerationSettings, generate

SETTINGS = GenerationSettings(max_new_tokens=10)


@pytest.fixture
def tokenizer(tiny_llm: Path) -> Any:
    return AutoTokenizer.from_pretrained(tiny_llm)


def a_model(folder: Path, seed: int) -> nn.Module:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    drawn = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.copy_(0.3 * torch.randn(parameter.shape, generator=drawn))
    return model


@pytest.fixture
def models(tiny_llm: Path) -> dict[str, nn.Module]:
    return {"base": a_model(tiny_llm, 1), "shirts": a_model(tiny_llm, 2), "poems": a_model(tiny_llm, 3)}


@pytest.fixture
def session(models: dict[str, nn.Module], tokenizer: Any) -> ChatSession:
    chat_models = {name: ChatModel.of(model) for name, model in models.items()}
    return ChatSession(chat_models, tokenizer, SETTINGS, max_length=1024)


def said(model: nn.Module, tokenizer: Any, text: str, settings: GenerationSettings = SETTINGS) -> str:
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    return generate(model, tokenizer, [ids], settings, batch_size=1)[0]


def turn(role: str, text: str) -> str:
    return f"<|im_start|>{role}\n{text}<|im_end|>\n"


OPEN = "<|im_start|>assistant\n"


def test_a_later_question_is_asked_with_all_before_it(session: ChatSession, models: Any, tokenizer: Any) -> None:
    session.system("Be brief.")
    first = "".join(session.ask("你好"))
    asked = turn("system", "Be brief.") + turn("user", "你好")
    assert first == said(models["shirts"], tokenizer, asked + OPEN)
    second = "".join(session.ask("And now?"))
    asked += turn("assistant", first) + turn("user", "And now?")
    assert second == said(models["shirts"], tokenizer, asked + OPEN)
    assert session.messages == (
        Message("system", "Be brief."),
        Message("user", "你好"),
        Message("assistant", first),
        Message("user", "And now?"),
        Message("assistant", second),
    )


def test_a_reset_keeps_the_system_message_and_a_new_one_begins_anew(session: ChatSession) -> None:
    session.system("Be brief.")
    once = "".join(session.ask("hi"))
    session.reset()
    assert session.messages == (Message("system", "Be brief."),)
    assert "".join(session.ask("hi")) == once
    session.system("")
    assert session.messages == ()


def test_another_model_knows_what_was_said(session: ChatSession, models: Any, tokenizer: Any) -> None:
    assert session.name == "shirts"
    first = "".join(session.ask("hi"))
    session.switch("base")
    second = "".join(session.ask("you?"))
    asked = turn("user", "hi") + turn("assistant", first) + turn("user", "you?") + OPEN
    assert second == said(models["base"], tokenizer, asked)
    with pytest.raises(EventuneError, match="expected one of base, shirts, poems") as found:
        session.switch("shirt")
    assert found.value.hint == "did you mean 'shirts'?"
    assert session.name == "base"


def joined(pieces: Any) -> dict[str, str]:
    answers: dict[str, str] = {}
    for name, piece in pieces:
        answers[name] = answers.get(name, "") + piece
    return answers


def test_a_comparison_asks_base_and_adapter_and_keeps_one_answer(
    session: ChatSession, models: Any, tokenizer: Any
) -> None:
    expected = {name: said(models[name], tokenizer, turn("user", "hi") + OPEN) for name in models}
    answers = joined(session.compare("hi"))
    assert list(answers.items()) == [("base", expected["base"]), ("shirts", expected["shirts"])]
    assert session.messages[-1] == Message("assistant", expected["shirts"])
    session.reset()
    session.switch("poems")
    assert list(joined(session.compare("hi"))) == ["base", "poems"]
    session.reset()
    session.switch("base")
    assert list(joined(session.compare("hi"))) == ["base", "shirts"]
    assert session.messages[-1] == Message("assistant", expected["base"])


def test_an_answer_that_was_not_heard_to_its_end_is_not_kept(session: ChatSession) -> None:
    pieces = session.ask("hi")
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert session.messages == ()


def test_each_turn_draws_anew_and_the_same_with_the_same_seed(models: Any, tokenizer: Any) -> None:
    settings = GenerationSettings(max_new_tokens=10, do_sample=True, temperature=2.0, seed=4)
    chat_models = {"base": ChatModel.of(models["base"])}
    sessions = [ChatSession(chat_models, tokenizer, settings, max_length=1024) for _ in range(2)]
    answers = [["".join(session.ask("hi")) for _ in range(2)] for session in sessions]
    assert answers[0] == answers[1]
    assert answers[0][0] != answers[0][1]
    with pytest.raises(EventuneError, match="expected an adapter beside the base"):
        list(sessions[0].compare("hi"))


def test_beams_answer_in_one_piece(models: Any, tokenizer: Any) -> None:
    settings = GenerationSettings(max_new_tokens=10, num_beams=3)
    session = ChatSession({"base": ChatModel.of(models["poems"])}, tokenizer, settings, max_length=1024)
    expected = said(models["poems"], tokenizer, turn("user", "hi") + OPEN, settings)
    assert list(session.ask("hi")) == [expected]
    assert expected


def test_a_model_reads_the_prefix_that_it_was_trained_with(models: Any, tokenizer: Any) -> None:
    prefixed = ChatModel(ChatModel.of(models["base"]).activated, source_prefix="describe: ")
    session = ChatSession({"base": prefixed}, tokenizer, SETTINGS, max_length=1024)
    first = "".join(session.ask("a shirt"))
    assert first == said(models["base"], tokenizer, turn("user", "describe: a shirt") + OPEN)
    assert session.messages[0] == Message("user", "a shirt")


def test_a_model_without_a_chat_template_gets_a_plain_one(models: Any, tokenizer: Any) -> None:
    tokenizer.chat_template = None
    session = ChatSession({"base": ChatModel.of(models["base"])}, tokenizer, SETTINGS, max_length=1024)
    first = "".join(session.ask("hi"))
    assert first == said(models["base"], tokenizer, "hi\n")
    assert "".join(session.ask("you?")) == said(models["base"], tokenizer, f"hi\n{first}<|im_end|>you?\n")


def test_old_turns_are_left_out_where_the_model_can_read_no_more(models: Any, tokenizer: Any) -> None:
    session = ChatSession({"base": ChatModel.of(models["base"])}, tokenizer, SETTINGS, max_length=70)
    "".join(session.ask("the first question"))
    last = "".join(session.ask("now, the second"))
    assert last == said(models["base"], tokenizer, turn("user", "now, the second") + OPEN)
    with pytest.raises(EventuneError, match="the question is too long: expected 60 tokens at most"):
        list(session.ask("long " * 20))
    assert len(session.messages) == 4


def test_what_cannot_be_asked_is_refused(session: ChatSession, models: Any, tokenizer: Any) -> None:
    with pytest.raises(EventuneError, match="expected a question, found an empty one"):
        list(session.ask(" \n"))
    with pytest.raises(EventuneError, match="max_new_tokens: expected less than the 10 tokens"):
        ChatSession({"base": ChatModel.of(models["base"])}, tokenizer, SETTINGS, max_length=10)
    tokenizer.chat_template = "{{ raise_exception('no system') if messages[0]['role'] == 'system' }}" + (
        "{% for m in messages %}{{ m['content'] }}{% if m['role'] == 'assistant' %}<|im_end|>{% endif %}{% endfor %}"
    )
    strict = ChatSession({"base": ChatModel.of(models["base"])}, tokenizer, SETTINGS, max_length=99, system="Be brief.")
    with pytest.raises(EventuneError, match="no system"):
        list(strict.ask("hi"))
