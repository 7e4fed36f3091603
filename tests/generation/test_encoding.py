"""Encoding of conversations: what is read, what is learned, what is cut, what is kept."""

import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from eventune.errors import EventuneError
from eventune.generation.conversation import Conversation, Message
from eventune.generation.encoding import IGNORED, ConversationEncoder, Truncation, encode
from eventune.generation.templates import set_template

EOS = "<|im_end|>"
BARE_TEMPLATE = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
BARE_TEMPLATE += "{% if add_generation_prompt %}<assistant>{% endif %}"
LONG_CHAT = (
    Message("system", "S"),
    Message("user", "first"),
    Message("assistant", "1"),
    Message("user", "second"),
    Message("assistant", "2"),
    Message("user", "third"),
)


def row(prompt="你好, hello", response="早上好 🙂", **options) -> Conversation:
    return Conversation((Message("user", prompt), Message("assistant", response, is_trained=True)), **options)


def chat(*turns) -> Conversation:
    """A conversation of several turns whose answers are all trained."""
    roles = ("user", "assistant")
    return Conversation(tuple(Message(roles[n % 2], turn, is_trained=n % 2 == 1) for n, turn in enumerate(turns)))


@pytest.fixture(params=["own", "plain"])
def tokenizer(tiny_llm, request):
    tokenizer = AutoTokenizer.from_pretrained(tiny_llm)
    set_template(tokenizer, "plain" if request.param == "plain" else "auto")
    return tokenizer


@pytest.fixture
def chat_tokenizer(tiny_llm):
    return AutoTokenizer.from_pretrained(tiny_llm)


def encoder_of(tokenizer, source=1024, target=512) -> ConversationEncoder:
    return ConversationEncoder(tokenizer, max_source_length=source, max_target_length=target)


def learned(tokenizer, example) -> str:
    return tokenizer.decode([label for label in example.labels if label != IGNORED])


def test_the_response_and_its_end_are_learned_and_nothing_else(tokenizer) -> None:
    example = encoder_of(tokenizer).example(row())
    assert learned(tokenizer, example) == "早上好 🙂" + EOS
    assert len(example.input_ids) == len(example.labels)
    assert all(label in (IGNORED, read) for label, read in zip(example.labels, example.input_ids, strict=True))


def test_what_is_trained_begins_with_what_is_asked(tokenizer) -> None:
    encoder = encoder_of(tokenizer)
    prompt, example = encoder.prompt(row()), encoder.example(row())
    response = tokenizer("早上好 🙂" + EOS, add_special_tokens=False)["input_ids"]
    assert example.input_ids == prompt + response
    turns = [{"role": "user", "content": "你好, hello"}]
    assert prompt == tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=False)


def test_the_end_is_learned_where_it_is_the_padding_token_too(tokenizer) -> None:
    before = encoder_of(tokenizer).example(row())
    tokenizer.pad_token = tokenizer.eos_token
    assert tokenizer.pad_token_id == tokenizer.eos_token_id
    assert encoder_of(tokenizer).example(row()) == before
    assert before.labels[-1] == tokenizer.eos_token_id


def test_every_trained_answer_is_learned_with_its_end(tokenizer) -> None:
    encoder = encoder_of(tokenizer)
    conversation = chat("a", "first", "b", "second")
    example = encoder.example(conversation)
    assert learned(tokenizer, example) == f"first{EOS}second{EOS}"
    asked = encoder.prompt(conversation)
    assert example.input_ids[: len(asked)] == asked


def test_answers_of_the_history_are_read_but_not_learned(tokenizer) -> None:
    history = (Message("user", "a"), Message("assistant", "old"))
    example = encoder_of(tokenizer).example(Conversation((*history, *row().messages)))
    assert learned(tokenizer, example) == "早上好 🙂" + EOS
    assert "old" in tokenizer.decode(example.input_ids)


def test_the_end_is_learned_where_the_template_shows_none(chat_tokenizer) -> None:
    chat_tokenizer.chat_template = BARE_TEMPLATE
    encoder = encoder_of(chat_tokenizer)
    example = encoder.example(chat("a", "first", "b", "second"))
    assert learned(chat_tokenizer, example) == f"first{EOS}second{EOS}"
    # What a later turn shows behind an answer is kept as generation will see it.
    assert chat_tokenizer.decode(example.input_ids) == f"<user>a<assistant>first<user>b<assistant>second{EOS}"
    assert learned(chat_tokenizer, encoder.example(row("a", "b"))) == f"b{EOS}"


def test_a_beginning_token_is_not_doubled(chat_tokenizer) -> None:
    from tokenizers import processors

    bos = ("<|endoftext|>", 0)
    processor = processors.TemplateProcessing(single=f"{bos[0]} $A", special_tokens=[bos])
    chat_tokenizer.backend_tokenizer.post_processor = processor
    for template in ("plain", "auto"):
        set_template(chat_tokenizer, template)
        example = encoder_of(chat_tokenizer).example(row())
        assert example.input_ids[0] == 0
        assert example.input_ids.count(0) == 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    prompt=st.text(st.characters(exclude_categories=["Cs"])), response=st.text(st.characters(exclude_categories=["Cs"]))
)
def test_any_text_is_read_and_learned_as_it_is(tokenizer, prompt, response) -> None:
    encoder = encoder_of(tokenizer)
    example = encoder.example(row(prompt, response))
    assert learned(tokenizer, example) == response + EOS
    rendered = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}], add_generation_prompt=True, tokenize=False
    )
    assert tokenizer.decode(example.input_ids) == rendered + response + EOS


def test_a_long_response_loses_its_end_and_does_not_teach_to_stop(tokenizer) -> None:
    encoder = encoder_of(tokenizer, target=4)
    (cut, whole), truncation = encoder.examples([row(response="abcd"), row(response="abc")])
    assert (learned(tokenizer, cut), learned(tokenizer, whole)) == ("abcd", f"abc{EOS}")
    assert truncation == Truncation(rows=2, responses_cut=1)
    assert str(truncation) == "of 2 rows: 1 responses cut (max_target_length)"


def test_a_long_prompt_loses_its_text_and_keeps_the_templates_markers(chat_tokenizer) -> None:
    marks = encoder_of(chat_tokenizer).prompt(row(""))
    encoder = encoder_of(chat_tokenizer, source=len(marks) + 5)
    example, truncation = encoder.examples([row("abcdefgh" * 50)])
    text = chat_tokenizer.decode(example[0].input_ids)
    assert text == f"<|im_start|>user\nabcde{EOS}\n<|im_start|>assistant\n早上好 🙂{EOS}"
    assert truncation == Truncation(rows=1, prompts_cut=1)
    assert example[0].input_ids[: len(marks) + 5] == encoder.prompt(row("abcdefgh" * 50))


@pytest.mark.parametrize("text", ["字" * 40, "🙂a" * 30, "a" * 70 + "字" * 70, "字" * 70 + "a" * 70])
def test_a_cut_prompt_is_as_long_as_whole_characters_allow(tokenizer, text) -> None:
    marks = len(encoder_of(tokenizer).prompt(row("")))
    for limit in range(marks, marks + 40):
        ids = encoder_of(tokenizer, source=limit).prompt(row(text))
        assert limit - 3 <= len(ids) <= limit
        assert "\ufffd" not in tokenizer.decode(ids)


def test_the_oldest_turns_of_a_history_go_first_and_the_system_message_stays(chat_tokenizer) -> None:
    whole = Conversation((*LONG_CHAT, Message("assistant", "3", is_trained=True)))
    length = len(encoder_of(chat_tokenizer).prompt(whole))
    encoder = encoder_of(chat_tokenizer, source=length - 1)
    (example,), truncation = encoder.examples([whole])
    text = chat_tokenizer.decode(example.input_ids)
    assert ("first" in text, "second" in text) == (False, True)
    assert text.startswith(f"<|im_start|>system\nS{EOS}")
    assert truncation == Truncation(rows=1, turns_dropped=1)
    assert encoder.prompts([whole]) == ([example.input_ids[:-2]], truncation)


def test_trained_turns_go_oldest_first_until_both_limits_hold_together(chat_tokenizer) -> None:
    conversation = chat("a", "first", "b", "second", "c", "third")
    length = len(encoder_of(chat_tokenizer).example(conversation).input_ids)
    encoder = encoder_of(chat_tokenizer, source=length - 11, target=10)
    (example,), truncation = encoder.examples([conversation])
    assert learned(chat_tokenizer, example) == f"second{EOS}third{EOS}"
    assert truncation == Truncation(rows=1, turns_dropped=1)
    (example,), truncation = encoder_of(chat_tokenizer, source=21, target=4).examples([conversation])
    assert learned(chat_tokenizer, example) == "thir"
    assert truncation == Truncation(rows=1, turns_dropped=2, responses_cut=1)


@pytest.mark.parametrize("are_all_trained", [False, True])
def test_a_long_history_is_shortened_in_few_tries_as_if_pairs_were_dropped_one_by_one(
    chat_tokenizer, monkeypatch, are_all_trained
) -> None:
    turns = chat(*(f"{'word ' * (number % 4)}{number}" for number in range(80))).messages
    if not are_all_trained:
        turns = (*(Message(turn.role, turn.content) for turn in turns[:-1]), turns[-1])
    system, limited = Message("system", "S"), encoder_of(chat_tokenizer, source=150, target=20)
    shortened = [Conversation((system, *turns[2 * count :])) for count in range(40)]
    dropped, fitting = next(
        (count, found)
        for count, (found, cut) in enumerate(limited.examples([each]) for each in shortened)
        if not cut.turns_dropped
    )
    calls = []
    tokenize = limited._tokenize
    monkeypatch.setattr(limited, "_tokenize", lambda texts: calls.append(texts) or tokenize(texts))

    assert limited.examples([shortened[0]]) == (fitting, Truncation(rows=1, turns_dropped=dropped))
    assert 20 < dropped < 39
    assert len(calls) < 12


def test_limits_below_the_templates_own_markers_are_refused(chat_tokenizer) -> None:
    message = r"row 1: expected max_source_length of at least 19, which .* found 8"
    with pytest.raises(EventuneError, match=message):
        encode([row()], encoder_of(chat_tokenizer, source=8))


def test_a_row_without_trained_response_or_that_the_template_refuses_is_named(chat_tokenizer) -> None:
    with pytest.raises(EventuneError, match="row 2: expected a response to train on"):
        encode([row(), Conversation((Message("user", "a"),))], encoder_of(chat_tokenizer))
    refusing = "{% for m in messages %}{% if m.content == 'x' %}{{ raise_exception('no x') }}{% endif %}"
    chat_tokenizer.chat_template = refusing + "{{ m.content }}{% endfor %}"
    with pytest.raises(EventuneError, match=r"row 1: the model's chat template: cannot render .*: no x"):
        encode([row("x")], encoder_of(chat_tokenizer))


class CountingEncoder(ConversationEncoder):
    """Counts how often rows are encoded."""

    calls = 0

    def examples(self, rows, first_number=1):
        type(self).calls += 1
        return super().examples(rows, first_number)


@pytest.fixture
def counting(chat_tokenizer):
    CountingEncoder.calls = 0
    return CountingEncoder(chat_tokenizer, max_source_length=64, max_target_length=16)


ROWS = [row(f"question {n}", "answer" * n) for n in range(1, 8)]


def test_a_cache_gives_the_same_rows_without_encoding_them(counting, chat_tokenizer, tmp_path) -> None:
    first = encode(ROWS, counting, cache_folder=tmp_path / "new")
    second = encode(ROWS, counting, cache_folder=tmp_path / "new")
    assert first == second == encode(ROWS, encoder_of(chat_tokenizer, 64, 16))
    assert first[1].responses_cut == 5
    assert counting.calls == 1
    assert [path.suffix for path in (tmp_path / "new").iterdir()] == [".arrow"]
    encode(ROWS, counting, cache_folder=tmp_path / "new", overwrite_cache=True)
    assert counting.calls == 2


@pytest.mark.parametrize("change", ["rows", "limit", "template", "tokenizer"])
def test_a_change_of_what_decides_makes_another_cache(counting, chat_tokenizer, tmp_path, change) -> None:
    encode(ROWS, counting, cache_folder=tmp_path)
    rows, target = ROWS, 16
    if change == "rows":
        rows = ROWS[::-1]
    elif change == "limit":
        target = 17
    elif change == "template":
        set_template(chat_tokenizer, "plain")
    else:
        chat_tokenizer.add_tokens(["question"])
    encode(rows, encoder_of(chat_tokenizer, 64, target), cache_folder=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("damage", ["empty", "short", "no Arrow"])
def test_a_damaged_cache_is_made_anew(counting, tmp_path, damage) -> None:
    expected = encode(ROWS, counting, cache_folder=tmp_path)
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    path.write_bytes({"empty": b"", "short": content[: len(content) // 2], "no Arrow": b"x" * len(content)}[damage])
    assert encode(ROWS, counting, cache_folder=tmp_path) == expected
    assert counting.calls == 2
    assert path.read_bytes() == content


def test_a_cache_that_cannot_be_written_is_named(counting, tmp_path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EventuneError, match="cannot be written"):
        encode(ROWS, counting, cache_folder=tmp_path / "file" / "folder")


def test_two_processes_encode_as_one_does(chat_tokenizer) -> None:
    encoder = encoder_of(chat_tokenizer, 32, 16)
    assert encode(ROWS, encoder, num_workers=2) == encode(ROWS, encoder)
    with pytest.raises(EventuneError, match="row 8: expected a response to train on"):
        encoder.examples([Conversation((Message("user", "a"),))], 8)


def test_an_error_in_another_process_names_its_row(chat_tokenizer) -> None:
    rows = [*ROWS, Conversation((Message("user", "a"),))]
    with pytest.raises(EventuneError, match="row 8: expected a response to train on"):
        encode(rows, encoder_of(chat_tokenizer, 32, 16), num_workers=2)


def test_without_datasets_rows_are_not_encoded(chat_tokenizer, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(EventuneError, match=r"rows are encoded by datasets, .*\npip install 'eventune\[llm\]'"):
        encode(ROWS, encoder_of(chat_tokenizer, 32, 16))
