import torch
from torch import nn

from eventune.adapters.anatomy import anatomy_of


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.brain = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
        self.zebra = nn.Linear(2, 2)
        self.silent = nn.ReLU()
        self.x7 = nn.Sequential(nn.Embedding(2, 2))


def heads_of(model, new=()):
    return anatomy_of(model, backbones=("brain",), new_modules=[f"brain.{name}" for name in new]).heads


def test_heads_are_what_the_checkpoint_lacks_whatever_they_are_called():
    assert heads_of(Model(), ()) == ("zebra", "x7")


def test_a_module_inside_the_base_that_its_checkpoint_lacks_is_a_head_too():
    assert heads_of(Model(), ("1",)) == ("zebra", "x7", "brain.1")


def test_a_new_module_inside_another_one_is_not_named_twice():
    model = Model()
    model.brain.pool = nn.Sequential()
    model.brain.pool.dense = nn.Linear(2, 2)
    model.brain.pooled = nn.Linear(2, 2)

    found = heads_of(model, ("pool", "pool.dense", "pooled"))

    assert found == ("zebra", "x7", "brain.pool", "brain.pooled")


def test_a_parameter_outside_of_any_module_is_named_apart():
    model = Model()
    model.temperature = nn.Parameter(torch.ones(1))

    assert heads_of(model) == ("zebra", "x7")
    assert anatomy_of(model, backbones=("brain",)).loose == ("temperature",)


def test_a_buffer_is_no_head():
    model = Model()
    model.register_buffer("steps", torch.zeros(1))

    assert heads_of(model, ()) == ("zebra", "x7")


def test_a_container_that_cannot_be_called_is_named_by_its_members():
    model = Model()
    model.many = nn.ModuleList([nn.Linear(2, 2), nn.ModuleDict({"a": nn.Linear(2, 2)})])

    found = heads_of(model, ())

    assert found == ("zebra", "x7", "many.0", "many.1.a")
