import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn

from eventune.adapters.fused import fuse_training


class Perceptron(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.Linear(6, 10)
        self.down = nn.Linear(10, 4, bias=False)

    def forward(self, x):
        return self.down(torch.tanh(self.up(x)))


def adapted(*, dropout=0.0, use_dora=False, seed=0):
    torch.manual_seed(seed)
    config = LoraConfig(r=3, lora_alpha=6, lora_dropout=dropout, use_dora=use_dora, target_modules=["up", "down"])
    model = get_peft_model(Perceptron(), config)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter)
    return model


def gradients(model, x):
    model.zero_grad()
    x = x.clone().requires_grad_(True)
    model(x).square().sum().backward()
    return {"x": x.grad, **{name: p.grad for name, p in model.named_parameters() if p.requires_grad}}


def test_outputs_and_gradients_in_training_are_peft_s():
    # In double precision: merging changes the order of the sums, hence the last bits.
    x = torch.randn(2, 5, 6, dtype=torch.float64)
    plain, fused = adapted().double(), adapted().double()
    assert fuse_training(fused) == 2
    torch.testing.assert_close(fused(x), plain(x))
    expected, found = gradients(plain, x), gradients(fused, x)
    assert expected.keys() == found.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, msg=name)


def test_gradients_agree_with_finite_differences():
    model = adapted().double()
    fuse_training(model)
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]

    def output(x, *_):
        return model(x)

    assert torch.autograd.gradcheck(output, (torch.randn(3, 6, dtype=torch.float64, requires_grad=True), *parameters))


def test_frozen_weights_get_no_gradient():
    model = adapted()
    fuse_training(model)
    model(torch.randn(2, 6)).sum().backward()
    assert all(p.grad is None for name, p in model.named_parameters() if "base_layer" in name)


def test_evaluation_gives_peft_s_very_bits():
    x = torch.randn(7, 6)
    plain, fused = adapted().eval(), adapted().eval()
    fuse_training(fused)
    assert torch.equal(fused(x), plain(x))


@pytest.mark.parametrize("options", [{"dropout": 0.1}, {"use_dora": True}])
def test_layers_with_dropout_or_a_variant_stay_as_they_are(options):
    assert fuse_training(adapted(**options)) == 0


def test_a_disabled_adapter_leaves_the_base_alone():
    torch.manual_seed(0)
    base = Perceptron()
    model = adapted()
    fuse_training(model)
    x = torch.randn(2, 6)
    with model.disable_adapter():
        torch.testing.assert_close(model(x), base(x))


def test_autocast_takes_peft_s_path():
    x = torch.randn(2, 6)
    plain, fused = adapted(), adapted()
    fuse_training(fused)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(fused(x), plain(x))
