import pytest
import torch
from torch import nn

from eventune.adapters.anatomy import Anatomy
from eventune.adapters.arguments import AdapterArguments
from eventune.adapters.attaching import attach
from eventune.adapters.guard import examine, require_gradients
from eventune.errors import EventuneError


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.base = nn.Sequential(nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)]))
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(4, 1)
        self.idle = nn.Linear(4, 1)

    def forward(self, x):
        for layer in self.base[0]:
            x = layer(x)
        return self.head(self.drop(x)).mean()


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Model()


INPUT = torch.ones(2, 4)


def require_trainable(model, *, heads):
    return examine(model, anatomy=Anatomy(("base",), heads)).require()


def test_a_head_that_is_frozen_is_refused(model):
    model.head.bias.requires_grad_(False)

    with pytest.raises(EventuneError, match="1 new parameters are random and frozen, in head"):
        require_trainable(model, heads=("head",))


def test_a_head_that_peft_froze_is_refused(model):
    adapted = attach(model, AdapterArguments(), anatomy=Anatomy(("base",), ("head",)))

    with pytest.raises(EventuneError, match="2 new parameters are random and frozen, in idle"):
        require_trainable(adapted, heads=("head", "idle"))


def test_a_model_without_anything_to_train_is_refused(model):
    with pytest.raises(EventuneError, match="no parameter is trainable"):
        require_trainable(model.requires_grad_(False), heads=("head",))


def test_a_head_s_name_that_matches_nothing_is_refused(model):
    with pytest.raises(EventuneError, match="modules_to_save: 'hea' matches no module with parameters"):
        require_trainable(model, heads=("head", "hea"))


def test_the_copy_that_peft_keeps_of_a_head_is_not_counted(model):
    adapted = attach(model, AdapterArguments(lora_r=2), anatomy=Anatomy(("base",), ("head", "idle")))

    counts = require_trainable(adapted, heads=("head", "idle"))

    assert (counts.total, counts.trainable, counts.heads) == (40 + 10 + 32, 10 + 32, 10)


def test_a_trainable_module_without_part_in_the_loss_is_refused(model):
    with pytest.raises(EventuneError, match=r"2 trainable parameters have no part in the loss, e\.g\. idle\.weight"):
        require_gradients(model, lambda: model(INPUT))


def test_a_head_that_is_cut_off_from_the_loss_is_refused(model):
    model.idle.requires_grad_(False)

    with pytest.raises(EventuneError, match=r"no part in the loss, e\.g\. head\.weight"):
        require_gradients(model, lambda: model.base[0][1](model.base[0][0](INPUT)).mean() + model(INPUT).detach())


def test_a_loss_that_is_not_finite_is_refused(model):
    with pytest.raises(EventuneError, match="the loss of the first batch is nan"):
        require_gradients(model, lambda: model(INPUT) * float("nan"))


def test_a_gradient_that_is_not_finite_is_refused(model):
    model.idle.requires_grad_(False)
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias.zero_()

    # The square root's value at 0 is finite, its slope is not.
    with pytest.raises(EventuneError, match=r"the gradient of .* is not finite"):
        require_gradients(model, lambda: model(INPUT).abs().sqrt())


def test_the_check_leaves_weights_gradients_and_random_state_as_they_were(model):
    model.idle.requires_grad_(False)
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    state = torch.get_rng_state()

    require_gradients(model, lambda: model.train()(INPUT))

    assert torch.equal(torch.get_rng_state(), state)
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(tensor, weights[name]) for name, tensor in model.state_dict().items())


def test_the_check_asks_no_gpu_for_its_state_that_the_model_is_not_on(model, monkeypatch):
    model.idle.requires_grad_(False)
    asked = []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device: asked.append(device) or torch.get_rng_state())
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, device: None)

    require_gradients(model, lambda: model(INPUT))

    assert asked == []


def test_a_bias_that_a_softmax_cancels_out_is_no_dead_head():
    layer = nn.Linear(2, 1)
    nn.init.zeros_(layer.weight)
    inputs = torch.tensor([[1.0, 0.0], [0.0, 1.0]])

    def loss():
        return nn.functional.cross_entropy(layer(inputs).T, torch.tensor([0]))

    loss().backward()
    assert not layer.bias.grad.any()
    layer.zero_grad()

    require_gradients(layer, loss, heads=("",))
    require_gradients(nn.Sequential(layer), loss, heads=("0",))
