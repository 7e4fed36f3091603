"""Where a training starts from another's adapter; see also tests/runs/test_starting.py."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, LlamaConfig

from eventune.adapters import AdapterArguments, attach, load_into, save_trained
from eventune.adapters.anatomy import anatomy_of
from eventune.adapters.starting import start_from
from eventune.adapters.store import trained_weights
from eventune.errors import EventuneError

IDS = torch.arange(12).view(2, 6)


def base(hidden_size=16):
    torch.manual_seed(0)
    sizes = {"hidden_size": hidden_size, "intermediate_size": 24, "vocab_size": 32}
    return AutoModelForCausalLM.from_config(
        LlamaConfig(**sizes, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=2)
    ).eval()


def logits(model):
    with torch.inference_mode():
        return model.eval()(input_ids=IDS).logits


def saved(folder, *, config=None, **settings):
    """Save an adapter whose every weight is random, with changes to its configuration."""
    model = attach(base(), AdapterArguments(**settings))
    generator = torch.Generator().manual_seed(1)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = 0.3 * torch.randn(parameter.shape, generator=generator)
    save_trained(model, folder)
    path = folder / "adapter_config.json"
    own = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**own, **(config or {})}), encoding="utf-8")
    return folder


def started(folder, *, hidden_size=16, **settings):
    plain = base(hidden_size)
    anatomy = anatomy_of(plain)
    model = attach(plain, AdapterArguments(**settings), anatomy=anatomy)
    start_from(model, folder, anatomy=anatomy)
    return model


ANCHORED = {"alpha_pattern": {r"^model\.layers\.0\.self_attn\.q_proj": 40}}


@pytest.mark.parametrize(
    ("source", "own"),
    [
        ({}, {"lora_r": 16}),
        ({"config": ANCHORED}, {"lora_r": 16, "lora_alpha": 3}),
        ({"use_rslora": True, "alpha_pattern": {"q_proj": 5}}, {"lora_r": 9}),
        ({"rank_pattern": {"mlp.up_proj": 12}}, {"rank_pattern": {"up_proj": 13}}),
        ({"use_dora": True}, {"use_dora": True, "lora_r": 12}),
        ({"tie_lora_a": True, "lora_target_modules": "attention"}, {"lora_target_modules": "attention", "lora_r": 9}),
    ],
)
def test_the_model_is_that_of_the_run_whatever_its_rank_and_scale(source, own, tmp_path):
    folder = saved(tmp_path / "run", **source)
    torch.testing.assert_close(logits(started(folder, **own)), logits(load_into(base(), folder)), atol=1e-4, rtol=1e-4)


def test_at_a_lower_rank_it_is_the_closest_of_that_rank(tmp_path):
    folder = saved(tmp_path / "run")
    whole, closest = (changes(started(folder, lora_r=rank)) for rank in (8, 3))

    for name, change in whole.items():
        u, sizes, v = torch.linalg.svd(change)
        torch.testing.assert_close(closest[name], u[:, :3] * sizes[:3] @ v[:3], atol=1e-4, rtol=1e-4)


def changes(model):
    """Return what the adapter adds to each of the base's weights."""
    own = {name: tensor for name, tensor in trained_weights(model).items() if "lora_A" in name}
    layers = {name: model.get_submodule(name.partition(".lora_A")[0]) for name in own}
    return {name: layer.get_delta_weight("default").detach() for name, layer in layers.items()}


@pytest.mark.parametrize(
    ("source", "own", "told"),
    [
        ({"init_lora_weights": "olora"}, {}, "init_lora_weights: expected default, found olora"),
        (
            {"init_lora_weights": "olora"},
            {"init_lora_weights": "olora", "lora_alpha": 32},
            "lora_alpha: expected 32, found 16",
        ),
        ({}, {"tie_lora_a": True, "lora_target_modules": "attention", "lora_r": 16}, "expected weights that fit"),
        (
            {"lora_target_modules": "attention"},
            {"tie_lora_a": True, "lora_target_modules": "attention", "lora_r": 16},
            "trained without it",
        ),
        (
            {"trainable_token_indices": [1, 2]},
            {"trainable_token_indices": [5, 6]},
            r"trainable_token_indices: expected",
        ),
        ({}, {"hidden_size": 32, "lora_r": 16}, r"expected \(16, 24\), found \(8, 24\)"),
    ],
)
def test_an_adapter_that_would_say_something_else_is_refused(source, own, told, tmp_path):
    kind = source.pop("init_lora_weights", None)
    config = {"init_lora_weights": kind} if kind else {}
    folder = saved(tmp_path / "run", config=config, **source)
    with pytest.raises(EventuneError, match=told):
        started(folder, **own)


def test_a_file_whose_factors_differ_in_rank_is_refused(tmp_path):
    folder = saved(tmp_path / "run")
    path = folder / "adapter_model.safetensors"
    cut = {name: tensor[:, :4].clone() if "lora_B" in name else tensor for name, tensor in load_file(path).items()}
    save_file(cut, path, {"format": "pt"})
    with pytest.raises(EventuneError, match="expected weights that fit"):
        started(folder, lora_r=16)


def test_weights_of_another_type_are_scaled_in_the_model_s(tmp_path):
    folder = saved(tmp_path / "run")
    path = folder / "adapter_model.safetensors"
    save_file({name: tensor.bfloat16() for name, tensor in load_file(path).items()}, path, {"format": "pt"})
    model = started(folder, lora_r=24, lora_alpha=32)
    found = {name: tensor for name, tensor in trained_weights(model).items() if "lora_B" in name}
    of_file = load_file(path)
    assert all(torch.equal(tensor[:, :8], of_file[name].float() * 1.5) for name, tensor in found.items())
