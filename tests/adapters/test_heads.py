import pytest
import torch
from torch import nn

from eventune.adapters.heads import find_heads
from eventune.errors import EventuneError


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.brain = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
        self.zebra = nn.Linear(2, 2)
        self.silent = nn.ReLU()
        self.x7 = nn.Sequential(nn.Embedding(2, 2))


def test_heads_are_what_the_checkpoint_lacks_whatever_they_are_called():
    assert find_heads(Model(), backbone="brain", new_in_backbone=()) == ("zebra", "x7")


def test_a_module_inside_the_base_that_its_checkpoint_lacks_is_a_head_too():
    assert find_heads(Model(), backbone="brain", new_in_backbone=("1",)) == ("zebra", "x7", "brain.1")


def test_a_new_module_inside_another_one_is_not_named_twice():
    found = find_heads(Model(), backbone="brain", new_in_backbone=("pool", "pool.dense", "pool.norm", "pooled"))

    assert found == ("zebra", "x7", "brain.pool", "brain.pooled")


def test_a_parameter_outside_of_any_module_is_refused():
    model = Model()
    model.temperature = nn.Parameter(torch.ones(1))

    with pytest.raises(EventuneError, match="'temperature' is not inside a module"):
        find_heads(model, backbone="brain", new_in_backbone=())


def test_a_buffer_is_no_head():
    model = Model()
    model.register_buffer("steps", torch.zeros(1))

    assert find_heads(model, backbone="brain", new_in_backbone=()) == ("zebra", "x7")


def test_a_container_that_cannot_be_called_is_named_by_its_members():
    model = Model()
    model.many = nn.ModuleList([nn.Linear(2, 2), nn.ModuleDict({"a": nn.Linear(2, 2)})])

    found = find_heads(model, backbone="brain", new_in_backbone=())

    assert found == ("zebra", "x7", "many.0", "many.1.a")
