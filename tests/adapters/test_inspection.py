import re

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import AutoModelForTokenClassification, BertConfig

from eventune.adapters.arguments import AdapterArguments
from eventune.adapters.attaching import attach
from eventune.adapters.guard import examine
from eventune.adapters.inspection import inspect_model, shortest
from eventune.adapters.methods import METHODS
from eventune.adapters.store import save_trained
from eventune.errors import EventuneError

from .architectures import ALL, tiny_config, tiny_model
from .test_architectures import WithHead
from .test_pitfalls import Bert


def trained(model):
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("architecture", ALL)
def test_the_suggestion_makes_plain_peft_train_what_attach_trains(architecture):
    inspection = inspect_model(WithHead(tiny_model(architecture)))

    config = LoraConfig(
        r=2,
        target_modules=inspection.target_modules,
        modules_to_save=inspection.modules_to_save,
        init_lora_weights=False,
    )
    peft = get_peft_model(WithHead(tiny_model(architecture)), config)

    assert trained(peft) == trained(attach(WithHead(tiny_model(architecture)), AdapterArguments(lora_r=2)))
    assert examine(peft).errors == ()


@pytest.mark.parametrize("choice", ["auto", "attention-qv", "attention", "mlp", "all-linear"])
@pytest.mark.parametrize("architecture", ["bert", "gpt2", "llama", "t5", "deberta", "phi3"])
@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if method.has_targets])
def test_costs_are_those_of_the_attached_adapter(architecture, choice, method, tmp_path):
    inspection = inspect_model(WithHead(tiny_model(architecture)))
    cost = next(cost for cost in inspection.costs if (cost.method, cost.targets) == (method, choice))
    rank = {METHODS[method].rank: cost.r} if cost.r else {}

    model = attach(
        WithHead(tiny_model(architecture)), AdapterArguments(method=method, lora_target_modules=choice, **rank)
    )

    assert cost.trainable_parameters == examine(model).counts.trainable
    assert cost.saved_bytes == 4 * save_trained(model, tmp_path).parameters
    assert cost.optimizer_bytes == 8 * cost.trainable_parameters


def test_costs_of_experts_are_those_of_the_attached_adapter():
    inspection = inspect_model(tiny_model("mixtral"))
    cost = next(cost for cost in inspection.costs if (cost.targets, cost.r) == ("auto + experts", 4))
    arguments = AdapterArguments(lora_r=4, lora_target_parameters=["experts.gate_up_proj", "experts.down_proj"])

    assert cost.trainable_parameters == examine(attach(tiny_model("mixtral"), arguments)).counts.trainable
    assert inspection.experts == [
        "model.layers.{0-1}.mlp.experts.gate_up_proj",
        "model.layers.{0-1}.mlp.experts.down_proj",
    ]


def test_the_meta_device_is_enough_for_the_notes_model():
    with torch.device("meta"):
        inspection = inspect_model(Bert(BertConfig()))

    assert inspection.parameters == 108_891_648 + 2 * 769
    assert inspection.heads == {"linear_1": 769, "linear_2": 769}
    assert inspection.modules_to_save == ["linear_1", "linear_2"]
    assert inspection.target_modules == ["query", "key", "value", "dense"]
    notes = next(cost for cost in inspection.costs if (cost.targets, cost.r) == ("attention-qv", 16))
    assert notes.trainable_parameters == 589_824 + 2 * 769


def test_layers_are_folded_and_fused_projections_named():
    inspection = inspect_model(tiny_model("phi3"))

    assert "model.layers.{0-1}.self_attn.qkv_proj" in inspection.attention
    assert inspection.mlp == ["model.layers.{0-1}.mlp.gate_up_proj", "model.layers.{0-1}.mlp.down_proj"]
    assert inspection.fused.keys() == {"model.layers.{0-1}.self_attn.qkv_proj", "model.layers.{0-1}.mlp.gate_up_proj"}
    patterns = {pattern.pattern: pattern for pattern in inspection.patterns}
    qkv = patterns["model.layers.{0-1}.self_attn.qkv_proj"]
    assert (qkv.count, qkv.shapes, qkv.kind, qkv.type) == (2, {"weight": [64, 32]}, "qkv", "Linear")
    assert sum(pattern.parameters for pattern in inspection.patterns) == inspection.parameters


def test_tied_embeddings_and_state_spaces_are_noted():
    tied = inspect_model(tiny_model("llama", tie_word_embeddings=True))
    assert any("embeddings are tied" in note for note in tied.notes)
    assert not inspect_model(tiny_model("llama", tie_word_embeddings=False)).notes
    assert any("read by kernels" in note for note in inspect_model(tiny_model("mamba")).notes)


def test_a_model_without_linear_layers_is_refused():
    with pytest.raises(EventuneError, match="no linear layer in its base that an adapter fits on"):
        inspect_model(nn.Sequential(nn.Embedding(3, 2)))


def test_ends_of_names_match_the_chosen_modules_only():
    names = ["a.layer.0.output.dense", "a.layer.1.output.dense", "a.pooler.dense", "a.layer.0.q", "a.layer.1.q"]

    assert shortest(names[:2], names) == ["output.dense"]
    assert shortest([*names[:2], *names[3:]], names) == ["output.dense", "q"]
    pattern = shortest(names[1:2], names)
    assert [name for name in names if re.fullmatch(pattern, name)] == names[1:2]


def test_the_snippet_runs_and_trains_the_heads():
    model = AutoModelForTokenClassification.from_config(tiny_config("bert"))
    variables = {"model": model}

    exec(inspect_model(model).snippet(r=2), variables)

    assert examine(variables["model"]).require().heads == 66
