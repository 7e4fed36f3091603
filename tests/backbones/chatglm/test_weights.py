from transformers import GlmConfig, GlmForCausalLM

from eventune.backbones.chatglm.weights import Layout
from eventune.backbones.tensor_files import Rows


def test_all_tensors_of_glm_are_made_and_in_their_shapes(tiny_glm) -> None:
    config = GlmConfig.from_pretrained(tiny_glm)
    state = GlmForCausalLM(config).state_dict()

    assert Layout.of(config, to_native=False).expected == {name: tuple(value.shape) for name, value in state.items()}
    assert Layout.of(config, to_native=True).made.keys() == state.keys()


def test_the_fused_projection_is_cut_into_heads_and_groups(tiny_glm) -> None:
    config = GlmConfig.from_pretrained(tiny_glm)
    fused = "transformer.encoder.layers.1.self_attention.query_key_value.weight"
    layout = Layout.of(config, to_native=True)

    assert layout.expected[fused] == (64, 32)
    assert [layout.made[f"model.layers.1.self_attn.{name}_proj.weight"] for name in "qkv"] == [
        (Rows(fused, 0, 32),),
        (Rows(fused, 32, 48),),
        (Rows(fused, 48, 64),),
    ]
