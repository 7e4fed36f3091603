import pytest
import torch
from torch import nn

from eventune.training.averaging import WeightAverage


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    model.bias.requires_grad_(False)
    return model


def walk(model, average, steps):
    for _ in range(steps):
        with torch.no_grad():
            model.weight += torch.randn_like(model.weight)
        average.update()


def test_the_average_follows_its_definition(model):
    average = WeightAverage(model, 0.3)
    expected = model.weight.detach().clone()
    for step in range(5):
        with torch.no_grad():
            model.weight += 1.0
        average.update()
        decay = min(0.3, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * model.weight.detach()
    torch.testing.assert_close(average.weights["weight"], expected)


def test_the_average_stands_in_the_model_only_inside_the_block(model):
    average = WeightAverage(model, 0.9)
    walk(model, average, 3)
    last = model.weight.detach().clone()
    with average.applied():
        assert torch.equal(model.weight, average.weights["weight"])
        assert not torch.equal(model.weight, last)
    assert torch.equal(model.weight, last)
    average.apply()
    assert torch.equal(model.weight, average.weights["weight"])


def test_frozen_weights_are_not_followed(model):
    assert set(WeightAverage(model, 0.9).weights) == {"weight"}


def test_a_restored_average_goes_on_as_the_first_would(model):
    first = WeightAverage(model, 0.9)
    walk(model, first, 4)
    second = WeightAverage(model, 0.9)
    second.restore({name: tensor.clone() for name, tensor in first.state().items()})
    walk(model, first, 1)
    second.update()
    assert torch.equal(first.weights["weight"], second.weights["weight"])
