"""Conversations as the published ChatGLM2 code encodes them: their first tokens are none that a template can spell."""

import json

import pytest

from eventune.backbones.chatglm.tokenizer import build_tokenizer
from eventune.generation.conversation import Conversation, Message
from eventune.generation.encoding import IGNORED, ConversationEncoder
from eventune.generation.templates import set_template


@pytest.fixture(scope="module")
def cases(chatglm2_reference):
    return json.loads((chatglm2_reference / "tokenizer_tiny" / "cases.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def tokenizer(chatglm2_reference):
    return build_tokenizer(chatglm2_reference / "tokenizer_tiny" / "tokenizer.model")


@pytest.fixture
def own_tokenizer(tmp_path, sentencepiece_model):
    (tmp_path / "tokenizer.model").write_bytes(sentencepiece_model(["▁", "a", "b", "▁a"]))
    return build_tokenizer(tmp_path / "tokenizer.model")


def encoder_of(tokenizer, source=256, target=64):
    return ConversationEncoder(tokenizer, max_source_length=source, max_target_length=target)


def asked(*turns):
    roles = ["user", "assistant"] * len(turns)
    return Conversation(tuple(Message(role, turn) for role, turn in zip(roles, turns, strict=False)))


def answered(*turns, trained=(-1,)):
    messages = list(asked(*turns).messages)
    for index in trained:
        messages[index] = Message("assistant", turns[index], is_trained=True)
    return Conversation(tuple(messages))


def test_prompts_have_the_published_ids_with_the_prefix_once(tokenizer, cases) -> None:
    published = {row["text"]: row["ids"] for row in cases["rows"]}
    encoder = encoder_of(tokenizer)

    assert encoder.prompt(asked("你好")) == published["[Round 1]\n\n问：你好\n\n答："]
    rows = [("Q",), ("Q1", "A1", "Q2", "A2", "Q3")]
    expected = [tokenizer(cases[name])["input_ids"] for name in ("build_prompt0", "build_prompt2")]
    assert encoder.prompts([asked(*row) for row in rows])[0] == expected
    assert all(ids.count(tokenizer.convert_tokens_to_ids("[gMASK]")) == 1 for ids in expected)


def test_special_tokens_in_a_message_are_read_as_text(tokenizer, cases) -> None:
    gmask = tokenizer.convert_tokens_to_ids("[gMASK]")
    prompt = encoder_of(tokenizer).prompt(asked("[gMASK]sop</s>"))

    assert prompt.count(gmask) == 1
    assert tokenizer.eos_token_id not in prompt


def test_a_response_is_encoded_as_the_published_script_does(tokenizer) -> None:
    prompt, answer = (
        tokenizer("[Round 1]\n\n问：Q\n\n答：")["input_ids"],
        tokenizer("A", add_special_tokens=False)["input_ids"],
    )
    example = encoder_of(tokenizer).example(answered("Q", "A"))

    assert example.input_ids == [*prompt, *answer, 2]
    assert example.labels == [IGNORED] * len(prompt) + [*answer, 2]


def test_batches_are_padded_as_the_published_tokenizer_does(tokenizer, cases) -> None:
    prompts, _ = encoder_of(tokenizer).prompts([asked("你好"), asked("hello world", "b", "a")])
    batch = tokenizer.pad({"input_ids": prompts}, padding=True)
    texts = ["[Round 1]\n\n问：你好\n\n答：", "[Round 1]\n\n问：hello world\n\n答：b\n\n[Round 2]\n\n问：a\n\n答："]
    expected = tokenizer(texts, padding=True)

    assert batch["input_ids"] == expected["input_ids"]
    assert batch["attention_mask"] == expected["attention_mask"]
    assert batch["input_ids"][0][0] == tokenizer.pad_token_id


def test_every_response_of_a_conversation_can_be_trained(own_tokenizer) -> None:
    example = encoder_of(own_tokenizer).example(answered("a", "b", "a", "b", trained=(1, 3)))
    prefix = own_tokenizer.convert_tokens_to_ids(["[gMASK]", "sop"])
    learned = [index for index in example.labels if index != IGNORED]
    answer = own_tokenizer("b", add_special_tokens=False)["input_ids"]

    assert example.input_ids[:2] == prefix
    assert example.input_ids.count(prefix[0]) == 1
    assert learned == [*answer, 2, *answer, 2]


def test_limits_count_the_prefix(own_tokenizer) -> None:
    encoder = encoder_of(own_tokenizer, source=90)
    prompts, cut = encoder.prompts([asked("ab" * 200)])

    assert cut.prompts_cut == 1
    assert len(prompts[0]) <= 90
    assert prompts[0][:2] == own_tokenizer.convert_tokens_to_ids(["[gMASK]", "sop"])
    example = encoder.example(answered("ab" * 200, "b"))
    assert example.input_ids[: len(prompts[0])] == prompts[0]


def test_the_plain_template_spells_no_special_token(own_tokenizer) -> None:
    set_template(own_tokenizer, "plain")
    found = encoder_of(own_tokenizer).prompt(asked("a", "b", "a"))

    assert found == own_tokenizer("a\nb\na\n")["input_ids"]
