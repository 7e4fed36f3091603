"""From a published ChatGLM2 folder to a run that answers, with the settings of older scripts."""

import io
import json
import shutil
from contextlib import redirect_stderr

import pytest
import torch
from safetensors.torch import load_file, save_file

from eventune.backbones.causal_lm import load_causal_lm
from eventune.backbones.chatglm.conversion import convert
from eventune.backbones.resolve import resolve
from eventune.cli import main
from eventune.generation.conversation import Conversation, Message
from eventune.generation.encoding import IGNORED, ConversationEncoder

SIZES = {
    "hidden_size": 32,
    "num_attention_heads": 4,
    "multi_query_group_num": 2,
    "kv_channels": 8,
    "num_layers": 2,
    "ffn_hidden_size": 48,
    "padded_vocab_size": 720,
}


def published_weights():
    torch.manual_seed(0)
    hidden, rows, words = 32, 32 + 2 * 16, SIZES["padded_vocab_size"]

    def random(*shape):
        return torch.randn(*shape) * 0.1

    weights = {
        "transformer.embedding.word_embeddings.weight": random(words, hidden),
        "transformer.encoder.final_layernorm.weight": torch.ones(hidden),
        "transformer.output_layer.weight": random(words, hidden),
        "transformer.rotary_pos_emb.inv_freq": torch.ones(2),
    }
    for layer in range(SIZES["num_layers"]):
        block = f"transformer.encoder.layers.{layer}."
        weights |= {
            f"{block}input_layernorm.weight": torch.ones(hidden),
            f"{block}post_attention_layernorm.weight": torch.ones(hidden),
            f"{block}self_attention.query_key_value.weight": random(rows, hidden),
            f"{block}self_attention.query_key_value.bias": random(rows),
            f"{block}self_attention.dense.weight": random(hidden, 32),
            f"{block}mlp.dense_h_to_4h.weight": random(96, hidden),
            f"{block}mlp.dense_4h_to_h.weight": random(hidden, 48),
        }
    return weights


@pytest.fixture(scope="module")
def base(reference_folder, tmp_path_factory):
    """A random ChatGLM2 with the tiny tokenizer, converted."""
    reference = reference_folder / "chatglm2"
    if not (reference / "tokenizer_tiny" / "tokenizer.model").is_file():
        pytest.skip(f"needs ChatGLM2's layout in {reference}; set EVENTUNE_REFERENCE to the folder above")
    published = tmp_path_factory.mktemp("chatglm2") / "published"
    published.mkdir()
    config = json.loads((reference / "chatglm2_tiny" / "config.json").read_text(encoding="utf-8"))
    (published / "config.json").write_text(json.dumps(config | SIZES), encoding="utf-8")
    save_file(published_weights(), published / "model.safetensors")
    shutil.copy(reference / "tokenizer_tiny" / "tokenizer.model", published)
    convert(published, published.parent / "base")
    return published.parent / "base"


@pytest.fixture(scope="module")
def trained(base, tmp_path_factory):
    """A run by the settings of an older script, as JSON, and what was said meanwhile."""
    folder = tmp_path_factory.mktemp("run")
    rows = [{"content": f"类型#裤 颜色#{name}", "summary": f"{name}的裤子"} for name in "红黄蓝白黑绿灰紫"]
    (folder / "train.json").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    settings = {
        "do_train": True,
        "train_file": str(folder / "train.json"),
        "prompt_column": "content",
        "response_column": "summary",
        "overwrite_cache": True,
        "model_name_or_path": str(base),
        "output_dir": str(folder / "run"),
        "overwrite_output_dir": True,
        "max_source_length": 64,
        "max_target_length": 32,
        "per_device_train_batch_size": 4,
        "max_steps": 12,
        "logging_steps": 3,
        "learning_rate": 0.03,
        "lora_r": 4,
        "target_modules": ["query_key_value"],
        "tie_lora_a": True,
        "model_parallel_mode": True,
    }
    (folder / "arguments.json").write_text(json.dumps(settings), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, redirect_stderr(io.StringIO()) as said:
        patch.setenv("EVENTUNE_CACHE", str(folder / "cache"))
        assert main(["sft", str(folder / "arguments.json")]) == 0
    (folder / "said.txt").write_text(said.getvalue(), encoding="utf-8")
    return folder / "run"


def test_lora_on_the_published_name_learns_and_saves_an_adapter_alone(trained) -> None:
    lines = (trained / "history.jsonl").read_text(encoding="utf-8").splitlines()
    losses = [entry["loss"] for entry in map(json.loads, lines) if "loss" in entry]
    assert losses[-1] < losses[0]
    weights = load_file(trained / "adapter_model.safetensors")
    assert not (trained / "model.safetensors").exists()
    assert {name.split(".")[-3] for name in weights} == {"q_proj", "k_proj", "v_proj"}
    block = "base_model.model.model.layers.0.self_attn."
    assert torch.equal(weights[f"{block}q_proj.lora_A.weight"], weights[f"{block}k_proj.lora_A.weight"])


def test_what_was_translated_is_told_once(trained, base) -> None:
    notices = (trained.parent / "said.txt").read_text(encoding="utf-8")
    assert notices.count("lora_target_modules: in transformers' Glm query_key_value is q_proj, k_proj, v_proj") == 1
    assert "target_modules is now lora_target_modules" in notices


def test_the_run_answers(trained, capsys) -> None:
    assert main(["chat", str(trained), "--once", "类型#裤 颜色#红", "--max_new_tokens", "4", "--json"]) == 0
    assert list(json.loads(capsys.readouterr().out)["answers"]) == ["run"]


def test_the_adapter_goes_back_to_the_published_layer_with_its_rank(trained, base, tmp_path) -> None:
    command = ["convert", "chatglm2-adapter", str(trained), str(tmp_path / "back"), "--back", "--base", str(base)]
    assert main(command) == 0
    config = json.loads((tmp_path / "back" / "adapter_config.json").read_text(encoding="utf-8"))
    assert (config["r"], config["lora_alpha"]) == (4, 8)
    assert "query_key_value" in config["target_modules"]


def test_a_checkpoint_of_the_published_script_is_told_how_to_be_converted(base, tmp_path, capsys) -> None:
    torch.save({"transformer.prefix_encoder.embedding.weight": torch.zeros(2, 64)}, tmp_path / "pytorch_model.bin")
    (tmp_path / "rows.json").write_text('{"content": "a", "summary": "b"}\n', encoding="utf-8")
    words = ["--model_name_or_path", base, "--ptuning_checkpoint", tmp_path, "--test_file", tmp_path / "rows.json"]
    words += ["--prompt_column", "content", "--response_column", "summary", "--output_dir", tmp_path / "run"]
    assert main(["sft", *map(str, words)]) == 2
    assert f"eventune convert chatglm2-adapter {tmp_path} NEW --base {base}" in capsys.readouterr().err


def test_turns_are_numbered_behind_one_beginning_and_labels_end_with_the_end_token(base) -> None:
    tokenizer = load_causal_lm(resolve(str(base))).tokenizer
    encoder = ConversationEncoder(tokenizer, max_source_length=200, max_target_length=50)
    asked = (Message("user", "你好"), Message("assistant", "好的"), Message("user", "再见"))
    prompt = encoder.prompt(Conversation(asked))
    beginning = tokenizer.convert_tokens_to_ids(["[gMASK]", "sop"])
    assert prompt[:2] == beginning
    assert not set(beginning) & set(prompt[2:])
    text = tokenizer.decode(prompt[2:])
    assert text == "[Round 1]\n\n问：你好\n\n答：好的\n\n[Round 2]\n\n问：再见\n\n答："
    example = encoder.example(Conversation((*asked, Message("assistant", "再见", is_trained=True))))
    learned = [label for label in example.labels if label != IGNORED]
    assert learned[-1] == 2 == tokenizer.eos_token_id
    assert example.input_ids[: len(prompt)] == prompt
