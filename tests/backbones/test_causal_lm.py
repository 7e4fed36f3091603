import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from eventune.backbones.causal_lm import load_causal_lm
from eventune.backbones.load import load_tokenizer
from eventune.backbones.resolve import resolve
from eventune.errors import EventuneError


@pytest.fixture
def copy(tiny_llm, tmp_path):
    return shutil.copytree(tiny_llm, tmp_path / "copy")


def load(folder, **options):
    return load_causal_lm(resolve(str(folder)), **options)


def change(path, **values):
    """Set values of a JSON file; those that are None are taken out."""
    content = {**json.loads(path.read_text(encoding="utf-8")), **values}
    path.write_text(json.dumps({name: value for name, value in content.items() if value is not None}))


def test_a_causal_lm_comes_with_tokenizer_and_length(tiny_llm):
    llm = load(tiny_llm)

    assert llm.base.folder == tiny_llm
    assert llm.max_length == 1024
    assert llm.tokenizer.pad_token == "<|endoftext|>"
    assert llm.tokenizer.chat_template
    assert not llm.model.training
    assert llm.model.config._attn_implementation == "sdpa"


def test_an_output_layer_that_shares_the_embeddings_is_not_missing(tiny_llm):
    assert "lm_head.weight" not in load_file(tiny_llm / "model.safetensors")

    model = load(tiny_llm).model

    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_weights_come_in_the_type_that_was_asked_for(tiny_llm, dtype):
    assert {weight.dtype for weight in load(tiny_llm, dtype=dtype).model.parameters()} == {getattr(torch, dtype)}


def test_an_unknown_type_is_refused(tiny_llm):
    with pytest.raises(EventuneError, match="dtype: expected one of float32, bfloat16, float16, found 'int8'"):
        load(tiny_llm, dtype="int8")


def test_attention_dropout_stays_as_the_model_has_it(copy):
    change(copy / "config.json", attention_dropout=0.25)

    assert load(copy).model.config.attention_dropout == 0.25


def test_texts_are_read_without_a_space_before_them(copy):
    change(copy / "tokenizer_config.json", tokenizer_class="GPT2Tokenizer")
    text = "two  words\n地震 "
    tokenizer = load(copy).tokenizer

    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert load_tokenizer(resolve(str(copy)).folder).tokenize("two") == ["Ġ", "t", "w", "o"]


def test_a_tokenizer_without_padding_pads_with_the_end_and_stays_as_large(copy):
    before = len(load(copy).tokenizer)
    change(copy / "tokenizer_config.json", pad_token=None)

    tokenizer = load(copy).tokenizer

    assert tokenizer.pad_token == tokenizer.eos_token == "<|im_end|>"
    assert len(tokenizer) == before


def test_a_tokenizer_without_an_end_is_refused(copy):
    change(copy / "tokenizer_config.json", eos_token=None)

    with pytest.raises(EventuneError, match=r"copy: expected a tokenizer with .*\(eos_token\), found none"):
        load(copy)


def test_a_folder_without_a_tokenizer_is_refused(copy):
    (copy / "tokenizer.json").unlink()

    with pytest.raises(EventuneError, match="expected a tokenizer, found none of"):
        load(copy)


def test_an_output_layer_that_the_checkpoint_lacks_is_named(copy):
    change(copy / "config.json", tie_word_embeddings=False)

    with pytest.raises(EventuneError, match=r"expected all weights of a LlamaForCausalLM, found no lm_head\.weight"):
        load(copy)


def test_many_lacking_weights_are_counted(copy):
    weights = load_file(copy / "model.safetensors")
    kept = {name: weight for name, weight in weights.items() if ".layers.1." not in name}
    save_file(kept, copy / "model.safetensors", metadata={"format": "pt"})

    with pytest.raises(EventuneError, match=r"found no model\.layers\.1\.input_layernorm\.weight, .* and 4 more"):
        load(copy)


def test_an_encoder_is_refused(tiny_encoder):
    with pytest.raises(EventuneError, match="expected a causal LM such as Llama or Qwen, found an encoder: bert"):
        load(tiny_encoder)


@pytest.mark.parametrize(
    ("kind", "found"), [("t5", "an encoder with a decoder: t5"), ("vit", "an architecture without one: vit")]
)
def test_an_architecture_without_a_causal_lm_is_refused(copy, kind, found):
    (copy / "config.json").write_text(json.dumps({"model_type": kind}))

    with pytest.raises(EventuneError, match=f"expected a causal LM such as Llama or Qwen, found {found}"):
        load(copy)


def test_an_architecture_that_transformers_does_not_know_is_refused(copy):
    change(copy / "config.json", model_type="no-such-model")

    with pytest.raises(EventuneError, match=r"config\.json: expected a model_type .*, found 'no-such-model'"):
        load(copy)


def test_a_configuration_with_a_wrong_value_says_which(copy):
    change(copy / "config.json", hidden_size="large")

    with pytest.raises(EventuneError, match=r"config\.json: Field 'hidden_size' expected int"):
        load(copy)


def test_code_that_comes_with_a_model_is_not_run(copy):
    change(copy / "config.json", model_type="own", auto_map={"AutoConfig": "own.OwnConfig"})
    (copy / "own.py").write_text("raise SystemExit('was run')")

    with pytest.raises(EventuneError, match=r"config\.json: .* found 'own'; the folder wants its own code to be run"):
        load(copy)


def test_damaged_weights_are_refused(copy):
    path = copy / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])

    with pytest.raises(EventuneError, match="copy: the model could not be loaded"):
        load(copy)


def test_the_length_of_a_model_without_a_table_of_positions_is_what_it_says(copy):
    from transformers import BloomConfig, BloomForCausalLM

    config = BloomConfig(vocab_size=300, hidden_size=8, n_layer=1, n_head=2)
    BloomForCausalLM(config).save_pretrained(copy)
    assert load(copy).max_length == 2048

    change(copy / "config.json", seq_length=512)
    assert load(copy).max_length == 512
