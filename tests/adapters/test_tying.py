import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file
from torch import nn
from transformers import AutoModelForCausalLM, LlamaConfig

from eventune.adapters import (
    AdapterArguments,
    attach,
    enable_gradient_checkpointing,
    examine,
    load_into,
    load_trained,
    require_gradients,
    save_trained,
)
from eventune.adapters.fused import fuse_training
from eventune.adapters.tying import tie_lora_a
from eventune.errors import EventuneError

SIZES = (8, 4, 4)


class Apart(nn.Module):
    """Queries, keys and values by layers of their own."""

    def __init__(self):
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(8, size) for size in SIZES)

    def forward(self, x):
        return torch.cat([self.q_proj(x), self.k_proj(x), self.v_proj(x)], dim=-1)


class Fused(nn.Module):
    """The same by one layer."""

    def __init__(self, apart):
        super().__init__()
        self.query_key_value = nn.Linear(8, sum(SIZES))
        parts = (apart.q_proj, apart.k_proj, apart.v_proj)
        self.query_key_value.weight.data = torch.cat([part.weight.data for part in parts])
        self.query_key_value.bias.data = torch.cat([part.bias.data for part in parts])

    def forward(self, x):
        return self.query_key_value(x)


def trained(model, steps=20):
    """Take steps of Adam towards outputs that need all three."""
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.05, weight_decay=0.1)
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(32, 8, generator=generator, dtype=torch.float64)
    target = torch.randn(32, sum(SIZES), generator=generator, dtype=torch.float64)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x).tanh(), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("merged", [False, True])
def test_tied_parts_train_as_a_fused_layer_does(merged) -> None:
    torch.manual_seed(0)
    base = Apart()
    fused = get_peft_model(Fused(base), LoraConfig(r=3, lora_alpha=6, target_modules=["query_key_value"])).double()
    apart = get_peft_model(base, LoraConfig(r=3, lora_alpha=6, target_modules=["q_proj", "k_proj", "v_proj"])).double()
    assert tie_lora_a(apart) == 1
    one, several = fused.base_model.model.query_key_value, apart.base_model.model
    several.q_proj.lora_A["default"].weight.data.copy_(one.lora_A["default"].weight.data)
    if merged:
        assert (fuse_training(fused), fuse_training(apart)) == (1, 3)
    losses = trained(apart)
    torch.testing.assert_close(losses, trained(fused), rtol=1e-9, atol=0)
    assert losses[-1] < losses[0]
    torch.testing.assert_close(several.v_proj.lora_A["default"].weight, one.lora_A["default"].weight)
    b = torch.cat([getattr(several, part).lora_B["default"].weight for part in ("q_proj", "k_proj", "v_proj")])
    torch.testing.assert_close(b, one.lora_B["default"].weight)


@pytest.fixture
def llama():
    config = LlamaConfig(
        vocab_size=32,
        hidden_size=32,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=32,
    )

    def make():
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return AutoModelForCausalLM.from_config(config)

    return make


ARGUMENTS = AdapterArguments(lora_r=2, lora_target_modules=["q_proj", "k_proj", "v_proj"], tie_lora_a=True)
IDS = torch.arange(1, 21).reshape(2, 10)


@pytest.mark.parametrize("checkpointing", [False, True])
def test_a_tied_adapter_is_one_parameter_a_block_and_is_saved_by_every_name(llama, tmp_path, checkpointing) -> None:
    base = llama()
    if checkpointing:
        enable_gradient_checkpointing(base)
    model = attach(base, ARGUMENTS)
    trainable = [p for p in model.parameters() if p.requires_grad]
    assert len(trainable) == 2 * (1 + 3)
    assert examine(model).require().trainable == 2 * (2 * 32 + 2 * 32 + 2 * 2 * 16)
    require_gradients(model, lambda: model(input_ids=IDS, labels=IDS).loss)
    optimizer = torch.optim.AdamW(trainable, lr=0.01)
    for _ in range(3):
        model.train()(input_ids=IDS, labels=IDS).loss.backward()
        optimizer.step()
    save_trained(model, tmp_path)
    weights = load_file(tmp_path / "adapter_model.safetensors")
    block = "base_model.model.model.layers.1.self_attn."
    assert torch.equal(weights[f"{block}q_proj.lora_A.weight"], weights[f"{block}v_proj.lora_A.weight"])
    assert len(weights) == 2 * 3 * 2
    with torch.inference_mode():
        expected = model.eval()(input_ids=IDS).logits
        assert torch.equal(load_into(llama(), tmp_path).eval()(input_ids=IDS).logits, expected)
        again = attach(llama(), ARGUMENTS)
        load_trained(again, tmp_path)
        assert torch.equal(again.eval()(input_ids=IDS).logits, expected)


def test_an_adapter_with_several_matrices_is_not_gone_on_with_as_one(llama, tmp_path) -> None:
    plain = AdapterArguments(lora_r=2, lora_target_modules=["q_proj", "k_proj", "v_proj"])
    save_trained(attach(llama(), plain), tmp_path)
    with pytest.raises(EventuneError, match=r"k_proj\.lora_A\.weight and .*q_proj\.lora_A\.weight to be equal"):
        load_trained(attach(llama(), ARGUMENTS), tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"lora_target_modules": ["q_proj", "v_proj"]},
            r"one shape on q_proj, k_proj, v_proj of .*, found q_proj",
        ),
        ({"rank_pattern": {"k_proj": 4}}, r"k_proj \(4, 32\)"),
        ({"lora_target_modules": ["o_proj"]}, "no block of the model has adapters on q_proj, k_proj, v_proj"),
        ({"lora_dropout": 0.1}, "lora_dropout: expected 0.0 with tie_lora_a, found 0.1"),
        ({"use_dora": True}, "use_dora: expected False with tie_lora_a"),
        ({"method": "full"}, "tie_lora_a: expected false with method: full, found true"),
        ({"init_lora_weights": "pissa"}, "init_lora_weights: expected default or gaussian with tie_lora_a"),
    ],
)
def test_what_would_not_train_as_a_fused_layer_is_refused(llama, changes, message) -> None:
    values = {"lora_r": 2, "lora_target_modules": ["q_proj", "k_proj", "v_proj"], "tie_lora_a": True, **changes}
    with pytest.raises(EventuneError, match=message):
        attach(llama(), AdapterArguments(**values))
