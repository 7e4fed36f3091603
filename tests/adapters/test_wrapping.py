import pytest
import torch
from torch import nn
from torch.nn.parallel import DataParallel, DistributedDataParallel

from eventune.adapters.arguments import AdapterArguments
from eventune.adapters.attaching import attach
from eventune.adapters.store import load_into, save_trained
from eventune.adapters.wrapping import unwrap, unwrap_with_wrapper

from .test_methods import Tagger, learn, outputs_of


@pytest.fixture
def process_group(tmp_path):
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/rendezvous", rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


WRAPPERS = {
    "DataParallel": DataParallel,
    "compile": lambda model: torch.compile(model, backend="eager", dynamic=True),
    "DistributedDataParallel": lambda model: DistributedDataParallel(model, find_unused_parameters=True),
    "both": lambda model: torch.compile(DataParallel(model), backend="eager"),
}


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS.keys())
@pytest.mark.parametrize("method", ["lora", "prefix", "freeze"])
def test_a_wrapped_model_gets_its_adapter_inside_and_is_wrapped_again(wrap, method, process_group, tmp_path):
    wrapped = wrap(Tagger())

    ready = attach(wrapped, AdapterArguments(method=method, lora_r=2))

    assert type(ready) is type(wrapped)
    assert type(unwrap(ready)).__name__ in {"PeftModel", "Tagger"}
    losses = learn(ready)
    assert losses[-1] < losses[0]
    saved = save_trained(ready, tmp_path)
    assert "module." not in "".join(open_names(saved.path))
    trained = outputs_of(unwrap(ready).requires_grad_(False))
    assert torch.equal(outputs_of(load_into(Tagger(), tmp_path)), trained)


def open_names(path):
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return list(file.keys())


def test_wrapping_again_keeps_the_settings(process_group):
    model = nn.Linear(2, 2)
    ddp = DistributedDataParallel(model, find_unused_parameters=True, broadcast_buffers=False)
    inner, wrap = unwrap_with_wrapper(ddp)

    again = wrap(nn.Linear(2, 2))

    assert inner is model
    assert again.find_unused_parameters
    assert not again.broadcast_buffers


def test_a_plain_model_is_left_as_it_is():
    model = nn.Linear(2, 2)
    inner, wrap = unwrap_with_wrapper(model)

    assert inner is model
    assert wrap(model) is model
