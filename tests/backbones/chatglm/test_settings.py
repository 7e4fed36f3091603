import json

import pytest
from transformers import GlmConfig

from eventune.backbones.chatglm.settings import native_settings, published_settings
from eventune.errors import EventuneError


@pytest.fixture
def settings(tiny_chatglm2):
    return json.loads((tiny_chatglm2 / "config.json").read_text(encoding="utf-8"))


def test_every_setting_that_differs_from_glms_defaults_is_stated(settings) -> None:
    found = native_settings(settings, source="config.json")

    assert (found["rms_norm_eps"], found["eos_token_id"], found["pad_token_id"]) == (1e-5, 2, 0)
    assert found["rope_parameters"] == {"rope_type": "default", "rope_theta": 10_000.0, "partial_rotary_factor": 0.5}
    assert found["max_position_embeddings"] == settings["seq_length"]


def test_settings_come_back_as_they_were(settings) -> None:
    native = native_settings(settings, source="config.json")
    back = published_settings(GlmConfig(**native))

    assert native_settings(back, source="config.json") == native
    assert {name: settings[name] for name in settings if name not in {"auto_map", "torch_dtype"}} == back


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rmsnorm", False),
        ("post_layer_norm", False),
        ("add_bias_linear", True),
        ("apply_residual_connection_post_layernorm", True),
        ("fp32_residual_connection", True),
        ("multi_query_attention", False),
        ("tie_word_embeddings", True),
        ("quantization_bit", 4),
        ("hidden_dropout", 0.1),
        ("pre_seq_len", 128),
        ("rope_ratio", 50),
        ("vocab_size", 100),
        ("hidden_size", "4096"),
        ("num_layers", 0),
        ("layernorm_epsilon", None),
        ("use_cache", "yes"),
        ("attention_dropout", "none"),
        ("rope_ratio", "1"),
        ("eos_token_id", "</s>"),
        ("sliding_window", 4096),
    ],
)
def test_what_glm_does_not_compute_is_refused_by_name(settings, name, value) -> None:
    with pytest.raises(EventuneError, match=f"config.json: {name}: "):
        native_settings({**settings, name: value}, source="config.json")


def test_all_wrong_settings_are_named_at_once(settings) -> None:
    del settings["kv_channels"]
    with pytest.raises(
        EventuneError,
        match=r"num_layer: an unknown.*did you mean.*kv_channels: expected an integer.*found nothing.*rmsnorm: ",
    ):
        native_settings({**settings, "num_layer": 2, "rmsnorm": False}, source="config.json")


def test_switches_that_are_silent_mean_what_they_mean_to_the_published_code(settings) -> None:
    del settings["add_qkv_bias"]
    assert native_settings(settings, source="config.json")["attention_bias"] is False
    del settings["multi_query_attention"]
    with pytest.raises(EventuneError, match="multi_query_attention: expected true, found False"):
        native_settings(settings, source="config.json")


def test_quantised_checkpoints_are_told_what_to_do(settings) -> None:
    with pytest.raises(EventuneError, match="dequantise it first"):
        native_settings({**settings, "quantization_bit": 4}, source="config.json")


def test_the_first_chatglm_is_told_from_its_successors() -> None:
    with pytest.raises(EventuneError, match="the first ChatGLM-6B"):
        native_settings({"model_type": "chatglm", "position_encoding_2d": True}, source="config.json")


def test_glm_4s_ratio_scales_the_base_of_the_positions(settings) -> None:
    eos = [151329, 151336, 151338]
    glm4 = {**settings, "padded_vocab_size": 151_552, "rope_ratio": 500, "eos_token_id": eos, "pad_token_id": 151329}
    native = native_settings(glm4, source="config.json")

    assert native["rope_parameters"]["rope_theta"] == 5_000_000.0
    assert native["eos_token_id"] == eos
    assert published_settings(GlmConfig(**native))["rope_ratio"] == 500


def test_a_glm_that_chatglm2_does_not_compute_does_not_go_back(settings) -> None:
    native = native_settings(settings, source="config.json")
    with pytest.raises(EventuneError, match="hidden_act: expected 'silu', found 'gelu'"):
        published_settings(GlmConfig(**{**native, "hidden_act": "gelu"}))
