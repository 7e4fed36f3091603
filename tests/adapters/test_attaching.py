import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from eventune.adapters.anatomy import Anatomy, anatomy_of
from eventune.adapters.arguments import AdapterArguments
from eventune.adapters.attaching import attach
from eventune.adapters.guard import examine, plain_name
from eventune.adapters.store import ADAPTER_WEIGHTS, save_trained
from eventune.backbones.load import load_encoder
from eventune.backbones.resolve import resolve
from eventune.errors import EventuneError
from eventune.extraction.model import JointExtractor

HEADS = ("marks", "scorer")
RANK = 3
# A pair A, B of rank r costs r * (inputs + outputs): 4 square layers, one up and one down, in each of 2 blocks.
LORA_PARAMETERS = 2 * RANK * (4 * (32 + 32) + 2 * (32 + 64))


@pytest.fixture
def model(tiny_encoder):
    torch.manual_seed(0)
    return JointExtractor(load_encoder(resolve(str(tiny_encoder))).model, max_span_length=4)


def attached(model, heads=HEADS, **arguments):
    return attach(
        model, AdapterArguments(lora_r=RANK, **arguments), anatomy=Anatomy(("encoder",), heads), base_name="tiny"
    )


def counts_of(adapted, heads=HEADS):
    return examine(adapted, anatomy=Anatomy(("encoder",), heads)).require()


def size(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("method", ["lora", "full"])
def test_heads_are_trained_whatever_the_method(model, method):
    adapted = attached(model, method=method)

    trained = {plain_name(name) for name, parameter in adapted.named_parameters() if parameter.requires_grad}
    for head in HEADS:
        for name, _ in model.get_submodule(head).named_parameters():
            plain = plain_name(f"{head}.{name}".replace("original_module.", "").replace("modules_to_save.default.", ""))
            assert plain in trained


def test_lora_freezes_the_base_and_trains_as_many_parameters_as_its_formula_says(model):
    head_parameters = size(model.marks) + size(model.scorer)
    base_parameters = size(model.encoder)
    adapted = attached(model)

    for name, parameter in adapted.named_parameters():
        in_base = plain_name(name).startswith("encoder.") and "lora_" not in name
        assert not (in_base and parameter.requires_grad), name
    counts = counts_of(adapted)
    assert counts.heads == head_parameters
    assert counts.trainable == head_parameters + LORA_PARAMETERS
    assert counts.total == base_parameters + head_parameters + LORA_PARAMETERS


def test_full_trains_everything(model):
    counts = counts_of(attached(model, method="full"))

    assert counts.total == counts.trainable == size(model)


def test_fewer_targets_cost_fewer_parameters(model):
    head_parameters = size(model.marks) + size(model.scorer)
    adapted = attached(model, lora_target_modules=["query", "value"])

    assert counts_of(adapted).trainable - head_parameters == 2 * 2 * RANK * (32 + 32)


def test_no_adapter_is_put_on_a_head_though_its_layers_are_linear(model):
    adapted = attached(model, lora_target_modules="all-linear")

    assert not [name for name, _ in adapted.named_parameters() if "lora_" in name and "scorer" in name]


def test_a_new_module_inside_the_base_is_trained_in_full_and_gets_no_adapter(model):
    new = "encoder.encoder.layer.1.output.dense"
    adapted = attached(model, heads=(*HEADS, new))

    counts = counts_of(adapted, (*HEADS, new))
    lora = [name for name, _ in adapted.named_parameters() if "lora_A" in name]
    assert not [name for name in lora if new in name]
    assert len(lora) == 11
    assert counts.heads == size(model.marks) / 2 + size(model.scorer) / 2 + 32 * 64 + 32


def test_only_the_modules_that_were_asked_for_get_an_adapter_despite_folded_layer_numbers(model):
    adapted = attached(model, lora_target_modules=r"encoder\.layer\.(0\.attention\.self\.query|1\.intermediate\.dense)")

    found = {plain_name(name).partition(".lora_A")[0] for name, _ in adapted.named_parameters() if "lora_A" in name}
    assert found == {"encoder.encoder.layer.0.attention.self.query", "encoder.encoder.layer.1.intermediate.dense"}


def test_an_adapter_changes_nothing_before_it_is_trained(model):
    pieces = torch.randint(5, 60, (2, 16))
    words = torch.arange(16).expand(2, -1)
    roles = torch.tensor([[[1, 1], [2, 3]]] * 2)
    inputs = (pieces, torch.ones_like(pieces), torch.zeros_like(pieces), roles, words, words, torch.zeros_like(pieces))
    model.eval()
    with torch.inference_mode():
        before = model(*inputs)
        after = attached(model).eval()(*inputs)

    assert torch.equal(before.spans, after.spans)
    assert torch.equal(before.null, after.null)


def test_a_target_that_matches_nothing_is_an_error(model):
    with pytest.raises(EventuneError, match="did you mean 'query'"):
        attached(model, lora_target_modules=["querry"])


def test_a_head_that_peft_would_confuse_with_a_module_of_the_base_is_refused(model):
    model.query = nn.Linear(2, 2)

    with pytest.raises(EventuneError, match=r"'query' cannot be told from the module 'encoder\.encoder\.layer\.0"):
        attached(model, heads=(*HEADS, "query"))


def test_heads_with_odd_names_are_trained_counted_and_saved(tmp_path):
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.Sequential(nn.ModuleList([nn.Linear(2, 2)]))
            self.default_1 = nn.Linear(2, 3)
            self.original = nn.ModuleDict({"default_weight": nn.Linear(3, 1), "lora": nn.Linear(3, 1)})

    plain = Odd()
    heads = anatomy_of(plain, backbones=("encoder",)).heads
    adapted = attached(plain, heads=heads)
    counts = counts_of(adapted, heads)
    save_trained(adapted, tmp_path)

    assert heads == ("default_1", "original.default_weight", "original.lora")
    assert counts.heads == 9 + 4 + 4
    assert counts.trainable == counts.heads + RANK * 4
    assert sum(tensor.numel() for tensor in load_file(tmp_path / ADAPTER_WEIGHTS).values()) == counts.trainable
