import json

import pytest
import torch
from safetensors.torch import load_file, save_file

CONFIG = {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "target_modules": ["query_key_value"], "task_type": "CAUSAL_LM"}
LAYER = "base_model.model.transformer.encoder.layers.0.self_attention.query_key_value"


@pytest.fixture
def adapter(tmp_path):
    folder = tmp_path / "published"
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    weights = {f"{LAYER}.lora_A.weight": torch.randn(2, 8), f"{LAYER}.lora_B.weight": torch.randn(16, 2)}
    save_file(weights, folder / "adapter_model.safetensors")
    return folder


@pytest.fixture
def base(tmp_path):
    folder = tmp_path / "base"
    folder.mkdir()
    config = {
        "model_type": "glm",
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 2,
        "hidden_size": 8,
        "num_hidden_layers": 1,
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def test_an_adapter_goes_there_and_back(run, adapter, base, tmp_path) -> None:
    shown = run("convert", "chatglm2-adapter", adapter, tmp_path / "native", "--base", base)
    assert (shown.code, shown.err) == (0, "")
    # A long path is broken where the terminal ends.
    assert "native:lora,80parameters" in "".join(shown.out.split())
    shown = run("convert", "chatglm2-adapter", tmp_path / "native", tmp_path / "back", "--back", "--json")
    result = json.loads(shown.out)
    assert (result["method"], result["rank_before"], result["rank"], result["parameters"]) == ("lora", 2, 2, 48)
    assert "base_model_name_or_path is still" in result["notices"][0]
    before, after = (load_file(folder / "adapter_model.safetensors") for folder in (adapter, tmp_path / "back"))
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_rank_that_grows_is_told(run, adapter, tmp_path) -> None:
    run("convert", "chatglm2-adapter", adapter, tmp_path / "native")
    path = tmp_path / "native" / "adapter_model.safetensors"
    save_file({name: torch.randn_like(tensor) for name, tensor in load_file(path).items()}, path)
    shown = run("convert", "chatglm2-adapter", tmp_path / "native", tmp_path / "back", "--back")
    assert "rank grew from 2 to 6, because q_proj, k_proj, v_proj have A's of their own" in shown.err


def test_a_p_tuning_checkpoint_needs_its_base(run, refused, base, tmp_path) -> None:
    checkpoint, out = tmp_path / "checkpoint-10", tmp_path / "out"
    checkpoint.mkdir()
    torch.save({"transformer.prefix_encoder.embedding.weight": torch.randn(3, 8)}, checkpoint / "pytorch_model.bin")
    assert "a prefix does not tell heads from layers" in refused("convert", "chatglm2-adapter", checkpoint, out)
    assert "leave --back out" in refused("convert", "chatglm2-adapter", checkpoint, out, "--back")
    shown = run("convert", "chatglm2-adapter", checkpoint, out, "--base", base, "--json")
    assert (json.loads(shown.out)["method"], json.loads(shown.out)["positions"]) == ("prefix", 3)
    assert load_file(out / "adapter_model.safetensors")["prompt_embeddings"].shape == (3, 8)


def test_wrong_input_is_one_clear_error_and_leaves_nothing(refused, adapter, tmp_path) -> None:
    out = tmp_path / "out"
    assert "no such file or folder" in refused("convert", "chatglm2-adapter", tmp_path / "absent", out)
    assert "found neither" in refused("convert", "chatglm2-adapter", tmp_path, out)
    assert "exists already" in refused("convert", "chatglm2-adapter", adapter, tmp_path)
    assert "leave --back out" in refused("convert", "chatglm2-adapter", adapter, out, "--back")
    assert not out.exists()
