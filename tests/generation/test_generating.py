"""Generation: cached, padded and batched, it says what a model without any of that says."""

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2Config, GPT2LMHeadModel

from eventune.adapters import AdapterArguments, attach, load_into, save_trained
from eventune.adapters.methods import METHODS
from eventune.errors import EventuneError, InvalidValueError
from eventune.generation.generating import GenerationSettings, generate
from eventune.generation.streaming import stream

PROMPTS = ["hi", "类型#上衣*材质#牛仔布", "a", "Tell me of the shirt, please.", "red s", "xyz"]
GREEDY = GenerationSettings(max_new_tokens=12)


@pytest.fixture
def tokenizer(tiny_llm: Path) -> Any:
    return AutoTokenizer.from_pretrained(tiny_llm)


def loaded(folder: Path) -> Any:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(1)
        # A fresh model says one token for ever.
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.copy_(0.3 * torch.randn_like(parameter))
    return model.eval()


@pytest.fixture
def model(tiny_llm: Path) -> Any:
    return loaded(tiny_llm)


@pytest.fixture
def prompts(tokenizer: Any) -> list[list[int]]:
    return [tokenizer(text)["input_ids"] for text in PROMPTS]


def greedy_ids(model: nn.Module, prompt: list[int], count: int, ends: tuple[int, ...] = (2,)) -> list[int]:
    """The likeliest token each time, everything computed anew."""
    ids = list(prompt)
    with torch.no_grad():
        for _ in range(count):
            token = int(model(input_ids=torch.tensor([ids])).logits[0, -1].argmax())
            if token in ends:
                break
            ids.append(token)
    return ids[len(prompt) :]


def by_hand(model: nn.Module, tokenizer: Any, prompts: list[list[int]], count: int = 12) -> list[str]:
    found = [greedy_ids(model, prompt, count) for prompt in prompts]
    return [shown(tokenizer, ids) for ids in found]


def shown(tokenizer: Any, ids: Any) -> str:
    """The text without the end that is no whole character."""
    return tokenizer.decode(ids, skip_special_tokens=True).strip().rstrip("\ufffd").rstrip()


@pytest.mark.parametrize("batch_size", [1, 4, 6])
def test_batches_say_what_an_argmax_loop_says(model: Any, tokenizer: Any, prompts: Any, batch_size: int) -> None:
    expected = by_hand(model, tokenizer, prompts)
    assert generate(model, tokenizer, prompts, GREEDY, batch_size=batch_size) == expected
    assert len(set(expected)) > 3


# The tiny model has no biases.
@pytest.mark.parametrize("method", [name for name in METHODS if name not in {"full", "bitfit"}])
def test_an_adapter_is_heard_through_cache_and_padding(
    tiny_llm: Path, tokenizer: Any, prompts: Any, method: str, tmp_path: Path
) -> None:
    settings = {"lora_r": 4} if method == "lora" else {"pre_seq_len": 5} if method == "prefix" else {}
    base = loaded(tiny_llm)
    plain = generate(base, tokenizer, prompts, GREEDY, batch_size=3)
    adapted = attach(base, AdapterArguments(method=method, freeze_trainable_layers=1, **settings))
    with torch.no_grad():
        for parameter in adapted.parameters():
            if parameter.requires_grad:
                parameter.add_(0.5 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0)))
    adapted.eval()
    expected = by_hand(adapted, tokenizer, prompts)
    assert generate(adapted, tokenizer, prompts, GREEDY, batch_size=4) == expected != plain
    save_trained(adapted, tmp_path)
    again = load_into(loaded(tiny_llm), tmp_path)
    assert generate(again, tokenizer, prompts, GREEDY, batch_size=6) == expected


def test_a_model_with_a_table_of_positions_does_not_count_padding(tokenizer: Any, prompts: Any) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = GPT2Config(vocab_size=300, n_embd=32, n_layer=2, n_head=2, n_positions=128, initializer_range=0.3)
        model = GPT2LMHeadModel(config).eval()
    ends = (2, config.eos_token_id)
    expected = [shown(tokenizer, greedy_ids(model, one, 12, ends)) for one in prompts]
    assert generate(model, tokenizer, prompts, GREEDY, batch_size=6) == expected


def test_responses_end_where_any_end_token_comes(model: Any, tokenizer: Any, prompts: Any) -> None:
    whole = greedy_ids(model, prompts[3], 12)
    end = next(token for token in whole[2:] if token not in whole[:2])
    model.generation_config.eos_token_id = [2, end]
    cut = shown(tokenizer, whole[: whole.index(end)])
    for padding in ("<|endoftext|>", "<|im_end|>"):
        tokenizer.pad_token = padding
        assert generate(model, tokenizer, prompts, GREEDY, batch_size=6)[3] == cut
        assert "".join(stream(model, tokenizer, prompts[3], GREEDY)) == cut


def test_settings_of_the_checkpoint_do_not_leak_in(model: Any, tokenizer: Any, prompts: Any) -> None:
    expected = generate(model, tokenizer, prompts, GREEDY, batch_size=6)
    drawing = GenerationSettings(max_new_tokens=12, do_sample=True)
    drawn = generate(model, tokenizer, prompts, drawing, batch_size=6)
    own = model.generation_config
    own.update(do_sample=True, temperature=0.01, top_k=1, max_length=8, repetition_penalty=9.0, num_beams=3)
    own.update(suppress_tokens=list(range(50, 200)), min_length=30)
    model.config.use_cache = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert generate(model, tokenizer, prompts, GREEDY, batch_size=6) == expected
        assert generate(model, tokenizer, prompts, drawing, batch_size=6) == drawn
    assert model.generation_config is own


def test_draws_repeat_with_the_seed_whatever_the_batch(model: Any, tokenizer: Any, prompts: Any) -> None:
    settings = GenerationSettings(max_new_tokens=12, do_sample=True, temperature=1.5, top_p=0.95, top_k=50, seed=3)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    texts = generate(model, tokenizer, prompts, settings, batch_size=6)
    assert torch.equal(torch.get_rng_state(), before)
    assert generate(model, tokenizer, prompts, settings, batch_size=1) == texts
    assert generate(model, tokenizer, prompts, settings, batch_size=4) == texts
    other = GenerationSettings(max_new_tokens=12, do_sample=True, temperature=1.5, top_p=0.95, top_k=50, seed=4)
    assert generate(model, tokenizer, prompts, other, batch_size=6) != texts
    twice = generate(model, tokenizer, [prompts[0]] * 2, settings, batch_size=2)
    assert twice[0] != twice[1]


def test_draws_follow_the_probabilities(model: Any, tokenizer: Any, prompts: Any) -> None:
    settings = GenerationSettings(max_new_tokens=1, do_sample=True, temperature=0.7)
    texts = generate(model, tokenizer, [prompts[0]] * 2000, settings, batch_size=500)
    with torch.no_grad():
        expected = (model(input_ids=torch.tensor([prompts[0]])).logits[0, -1] / 0.7).softmax(-1)
    letters = [token for token in expected.topk(12).indices.tolist() if tokenizer.decode([token]).isascii()]
    letters = [token for token in letters if tokenizer.decode([token]).isalnum()][:3]
    for token in letters:
        share = texts.count(tokenizer.decode([token])) / len(texts)
        assert share == pytest.approx(float(expected[token]), abs=4 * (0.25 / 2000) ** 0.5)
    assert letters


def test_one_token_to_draw_from_is_greedy(model: Any, tokenizer: Any, prompts: Any) -> None:
    expected = generate(model, tokenizer, prompts, GREEDY, batch_size=6)
    settings = GenerationSettings(max_new_tokens=12, do_sample=True, top_k=1)
    assert generate(model, tokenizer, prompts, settings, batch_size=6) == expected


@pytest.mark.parametrize("beams", [1, 3])
def test_repetition_counts_text_and_no_padding(model: Any, tokenizer: Any, prompts: Any, beams: int) -> None:
    settings = GenerationSettings(max_new_tokens=12, repetition_penalty=1.6, num_beams=beams)
    # Padding that is never said by itself, and padding that ends a text.
    for padding in ("<|endoftext|>", "<|im_end|>"):
        tokenizer.pad_token = padding
        alone = generate(model, tokenizer, prompts, settings, batch_size=1)
        assert generate(model, tokenizer, prompts, settings, batch_size=6) == alone
        inputs = torch.tensor([prompts[1]])
        theirs = model.generate(
            inputs,
            attention_mask=torch.ones_like(inputs),
            max_new_tokens=12,
            repetition_penalty=1.6,
            num_beams=beams,
            do_sample=False,
        )
        assert alone[1] == shown(tokenizer, theirs[0, inputs.shape[1] :])


def test_beams_find_a_likelier_text(model: Any, tokenizer: Any, prompts: Any) -> None:
    settings = GenerationSettings(max_new_tokens=6, num_beams=4)
    texts = generate(model, tokenizer, prompts, settings, batch_size=6)
    assert texts == generate(model, tokenizer, prompts, settings, batch_size=1)
    assert "".join(stream(model, tokenizer, prompts[1], settings)) == texts[1]


def test_the_mode_of_each_module_comes_back(model: Any, tokenizer: Any, prompts: Any) -> None:
    model.train()
    model.model.layers[0].eval()
    heard: list[tuple[int, int]] = []
    generate(model, tokenizer, prompts, GREEDY, batch_size=4, on_batch=lambda *told: heard.append(told))
    assert heard == [(4, 6), (6, 6)]
    assert model.training
    assert not model.model.layers[0].training


def test_pieces_of_a_stream_are_the_whole_response(model: Any, tokenizer: Any, prompts: Any) -> None:
    for settings in (GREEDY, GenerationSettings(max_new_tokens=30, do_sample=True, seed=1)):
        texts = generate(model, tokenizer, prompts, settings, batch_size=6)
        for number, prompt in enumerate(prompts):
            assert "".join(stream(model, tokenizer, prompt, settings, number=number)) == texts[number]


class Reciter(GPT2LMHeadModel):
    """Says a given text, byte by byte."""

    def say(self, ids: list[int]) -> None:
        self.ids, self.said = ids, 0

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        output = super().forward(*args, **kwargs)
        if self.said == len(self.ids):
            raise RuntimeError("nothing left to say")
        output.logits[:, -1, :] = -1e4
        output.logits[:, -1, self.ids[self.said]] = 1e4
        self.said += 1
        return output


@pytest.fixture
def reciter() -> Reciter:
    return Reciter(GPT2Config(vocab_size=300, n_embd=8, n_layer=1, n_head=1, n_positions=64)).eval()


def test_a_stream_shows_whole_characters_only(reciter: Reciter, tokenizer: Any) -> None:
    reciter.say([*tokenizer(" 上衣 ok 👍 \n")["input_ids"], 2])
    assert list(stream(reciter, tokenizer, [5], GenerationSettings(max_new_tokens=40))) == [
        "上",
        "衣",
        " o",
        "k",
        " 👍",
    ]


def test_bytes_that_make_no_character_are_shown_but_for_the_last(reciter: Reciter, tokenizer: Any) -> None:
    first, second, _ = tokenizer("上")["input_ids"]
    reciter.say([first, second, *tokenizer("ok")["input_ids"], first, 2])
    assert "".join(stream(reciter, tokenizer, [5], GREEDY)) == "�ok"


def test_errors_in_the_thread_reach_the_caller(reciter: Reciter, tokenizer: Any) -> None:
    reciter.say(tokenizer("ab")["input_ids"])
    pieces = stream(reciter, tokenizer, [5], GREEDY)
    assert next(pieces) == "a"
    with pytest.raises(RuntimeError, match="nothing left to say"):
        list(pieces)


def test_a_closed_stream_stops_generation(reciter: Reciter, tokenizer: Any) -> None:
    # More than is said before the listener has its turn, however busy the machine is.
    long = 2000
    reciter.say(tokenizer("a" * long)["input_ids"])
    reciter.train()
    pieces = stream(reciter, tokenizer, [5], GenerationSettings(max_new_tokens=long))
    assert next(pieces) == "a"
    pieces.close()
    assert reciter.said < long
    assert reciter.training


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_new_tokens": 0}, "max_new_tokens: expected an integer >= 1, found 0"),
        ({"temperature": 0.0}, "temperature: expected a number > 0"),
        ({"top_p": 0.0}, "top_p"),
        ({"do_sample": True, "num_beams": 2}, "num_beams: expected 1 beside do_sample, found 2"),
        ({"seed": -1}, "seed"),
    ],
)
def test_impossible_settings_are_refused(settings: Any, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        GenerationSettings(**settings)


def test_what_cannot_generate_is_refused(model: Any, tokenizer: Any) -> None:
    with pytest.raises(EventuneError, match="expected a causal LM"):
        generate(nn.Linear(2, 2), tokenizer, [[1]], GREEDY, batch_size=1)
    with pytest.raises(EventuneError, match="prompt 2: expected one token"):
        generate(model, tokenizer, [[1], []], GREEDY, batch_size=1)
