import pytest
from transformers import LlamaConfig, LlamaForCausalLM

from eventune.adapters import AdapterArguments, attach
from eventune.adapters.chatglm.targets import targets_notice
from eventune.adapters.targets import find_targets
from eventune.errors import EventuneError
from tests.adapters.chatglm.models import tiny_glm


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("query_key_value", ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]),
        (["query_key_value"], ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]),
        (["dense", "dense_4h_to_h"], ["self_attn.o_proj", "mlp.down_proj"]),
        (["dense_h_to_4h", "o_proj"], ["self_attn.o_proj", "mlp.gate_up_proj"]),
    ],
)
def test_published_names_stand_for_native_layers(wanted, expected) -> None:
    found = find_targets(tiny_glm(), wanted)
    assert sorted(found) == sorted(f"model.layers.{layer}.{name}" for layer in (0, 1) for name in expected)


def test_an_adapter_on_published_names_trains_native_layers() -> None:
    model = attach(tiny_glm(), AdapterArguments(lora_r=2, lora_target_modules=["query_key_value"]))
    trained = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    assert len(trained) == 2 * 3 * 2
    assert all("_proj.lora_" in name for name in trained)


def test_other_models_names_are_not_translated() -> None:
    config = LlamaConfig(vocab_size=8, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2)
    with pytest.raises(EventuneError, match="'query_key_value' matches none"):
        find_targets(LlamaForCausalLM(config), ["query_key_value"])


def test_a_notice_says_what_was_translated_where_it_was() -> None:
    assert targets_notice(["query_key_value", "dense", "o_proj"], "glm") == (
        "lora_target_modules: in transformers' Glm query_key_value is q_proj, k_proj, v_proj; dense is o_proj"
    )
    assert targets_notice("query_key_value", "llama") == targets_notice("auto", "glm") == ""
