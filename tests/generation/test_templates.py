"""Chat templates: chosen, proved and taken apart."""

import pytest
from transformers import AutoTokenizer

from eventune.errors import EventuneError
from eventune.generation.conversation import Message
from eventune.generation.templates import Segment, choose_template, set_template

ASKED = (Message("user", "a"), Message("assistant", "b"), Message("user", "c"))
TRAINED = (Message("user", "a"), Message("assistant", "b", True), Message("user", "c"), Message("assistant", "d", True))
CHAT = "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n"


@pytest.fixture
def tokenizer(tiny_llm):
    return AutoTokenizer.from_pretrained(tiny_llm)


def with_file(tokenizer, tmp_path, text):
    path = tmp_path / "chat.jinja"
    path.write_text(text, encoding="utf-8")
    return choose_template(tokenizer, str(path))


def test_auto_takes_the_models_own_template(tokenizer) -> None:
    own = tokenizer.chat_template
    template = choose_template(tokenizer, "auto")
    assert template.text == own
    assert template.render(ASKED[:1], add_generation_prompt=True) == CHAT


def test_auto_takes_the_plain_one_where_the_model_has_none(tokenizer) -> None:
    tokenizer.chat_template = None
    template = choose_template(tokenizer, "auto")
    assert template.render(ASKED, add_generation_prompt=True) == "a\nb<|im_end|>c\n"


def test_choosing_a_template_leaves_the_tokenizer_as_it_is(tokenizer) -> None:
    own = tokenizer.chat_template
    plain = choose_template(tokenizer, "plain")
    assert plain.render(ASKED[:1], add_generation_prompt=True) == "a\n"
    assert tokenizer.chat_template == own


def test_a_template_that_was_set_is_saved_with_the_tokenizer(tokenizer, tmp_path) -> None:
    template = choose_template(tokenizer, "plain")
    set_template(tokenizer, "plain")
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert loaded.chat_template == template.text
    again = choose_template(loaded)
    assert again.segments(TRAINED) == template.segments(TRAINED)


def test_a_template_is_read_from_a_file(tokenizer, tmp_path) -> None:
    text = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{{ eos_token }}{% endfor %}"
    text += "{% if add_generation_prompt %}[assistant]{% endif %}"
    template = with_file(tokenizer, tmp_path, text)
    assert template.render(ASKED[:1], add_generation_prompt=True) == "[user]a<|im_end|>[assistant]"


def test_the_plain_template_begins_with_what_the_tokenizer_adds(tokenizer) -> None:
    from tokenizers import processors

    bos = ("<|endoftext|>", 0)
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos[0]} $A", special_tokens=[bos]
    )
    template = choose_template(tokenizer, "plain")
    text = template.render(ASKED[:1], add_generation_prompt=True)
    assert text == "<|endoftext|>a\n"
    assert tokenizer(text, add_special_tokens=False)["input_ids"] == tokenizer("a\n")["input_ids"]


def test_pieces_are_the_rendered_text_without_what_follows_the_last_end(tokenizer) -> None:
    template = choose_template(tokenizer, "auto")
    assert template.shows_eos
    assert template.segments(TRAINED) == [
        Segment(CHAT, False),
        Segment("b", True),
        Segment(f"\n{CHAT.replace('a<', 'c<')}", False),
        Segment("d", True),
    ]


def test_templates_that_add_a_system_message_or_strip_texts_work(tokenizer, tmp_path) -> None:
    text = "{% if messages[0].role != 'system' %}[system]Be kind.{% endif %}{% for m in messages %}"
    text += "[{{ m.role }}]{{ m.content | trim }}{{ eos_token if m.role == 'assistant' }}{% endfor %}"
    text += "{% if add_generation_prompt %}[assistant]{% endif %}"
    template = with_file(tokenizer, tmp_path, text)
    messages = (Message("user", " a "), Message("assistant", "\n b ", True))
    assert template.segments(messages) == [Segment("[system]Be kind.[user]a[assistant]", False), Segment("b", True)]


def test_a_template_may_show_a_thought_in_the_last_response_only(tokenizer, tmp_path) -> None:
    text = "{% for m in messages %}[{{ m.role }}]{% if loop.last and m.role == 'assistant' %}<think></think>{% endif %}"
    text += "{{ m.content }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"
    template = with_file(tokenizer, tmp_path, text)
    assert [segment.text for segment in template.segments(TRAINED)] == [
        "[user]a<|im_end|>[assistant]",
        "b",
        "[user]c<|im_end|>[assistant]",
        "<think></think>d",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{% for m in messages %}", r"chat.jinja: cannot render a conversation: .*endfor"),
        ("{{ messages[9].content }}", r"chat.jinja: cannot render a conversation"),
        ("{{ raise_exception('no users') }}", r"chat.jinja: cannot render a conversation: no users"),
        ("{{ messages[0].content / 2 }}", r"chat.jinja: cannot render a conversation: unsupported operand"),
        ("hello", r"chat.jinja: expected a template that shows each message's content, the prompt lacks it"),
        ("{{ messages[0].content }}", r"chat.jinja: expected .* content, the response is not behind the prompt"),
        (
            "{{ messages | length }}{% for m in messages %}{{ m.content }}{% endfor %}",
            r"chat.jinja: expected the text of a conversation to begin with that of its prompt",
        ),
    ],
)
def test_a_broken_template_is_one_clear_error(tokenizer, tmp_path, text, message) -> None:
    with pytest.raises(EventuneError, match=message):
        with_file(tokenizer, tmp_path, text)


def test_a_refused_message_says_what_the_template_says(tokenizer, tmp_path) -> None:
    text = "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    template = with_file(tokenizer, tmp_path, text + "{{ m.content + eos_token }}{% endfor %}")
    with pytest.raises(EventuneError, match=r"chat.jinja: cannot render a conversation: no system role"):
        template.render((Message("system", "s"), *ASKED), add_generation_prompt=True)


def test_a_missing_template_or_end_token_is_named(tokenizer) -> None:
    with pytest.raises(EventuneError, match=r"expected auto, plain or a jinja file, found 'none.jinja'"):
        choose_template(tokenizer, "none.jinja")
    tokenizer.eos_token = None
    with pytest.raises(EventuneError, match="no end token"):
        choose_template(tokenizer, "plain")
