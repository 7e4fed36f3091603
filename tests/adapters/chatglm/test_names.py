import pytest
from transformers import GlmForCausalLM

from eventune.adapters.chatglm.names import translated, translated_leaves
from eventune.errors import EventuneError
from tests.adapters.chatglm.models import tiny_glm


def test_every_native_module_with_weights_has_a_published_one() -> None:
    model: GlmForCausalLM = tiny_glm()
    for name, module in model.named_modules():
        if next(module.parameters(recurse=False), None) is not None:
            (published,) = translated(name, back=True)
            assert name in translated(published, back=False)


def test_a_module_of_another_model_is_named() -> None:
    with pytest.raises(EventuneError, match=r"'transformer\.layers\.0\.attention\.query_key_value' is no"):
        translated("transformer.layers.0.attention.query_key_value", back=False)
    with pytest.raises(EventuneError, match="target_modules: 'wq' is no module of GlmForCausalLM\nknown: q_proj"):
        translated_leaves(["wq"], back=True, setting="target_modules")


def test_leaves_are_translated_once_each() -> None:
    leaves = ["q_proj", "k_proj", "v_proj", "o_proj"]
    assert translated_leaves(leaves, back=True, setting="x") == ["query_key_value", "dense"]
    assert translated_leaves(["query_key_value", "dense"], back=False, setting="x") == leaves
