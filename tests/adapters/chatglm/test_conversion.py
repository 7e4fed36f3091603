import json

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import GlmForCausalLM

from eventune.adapters.chatglm.conversion import convert_lora
from eventune.adapters.store import load_into
from eventune.backbones.chatglm.conversion import convert
from eventune.errors import EventuneError
from tests.adapters.chatglm.models import Published, tiny_glm


def converted(source, name, **options):
    folder = source.parent / name
    folder.mkdir()
    return convert_lora(source, folder, **options), folder


def logits(model, ids):
    with torch.inference_mode():
        return model(ids).logits


def config_of(folder):
    return json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))


def edit(folder, **changes):
    path = folder / "adapter_config.json"
    path.write_text(json.dumps({**config_of(folder), **changes}), encoding="utf-8")


def same_weights(one, other):
    first, second = (load_file(folder / "adapter_model.safetensors") for folder in (one, other))
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_a_published_adapter_gives_the_published_logits(reference_folder, tmp_path) -> None:
    reference = reference_folder / "chatglm2"
    if not (reference / "lora_io.safetensors").is_file():
        pytest.skip(f"needs ChatGLM2's outputs in {reference}; set EVENTUNE_REFERENCE to the folder above")
    convert(reference / "chatglm2_tiny", tmp_path / "base")
    (tmp_path / "split").mkdir()
    convert_lora(reference / "adapter_fused", tmp_path / "split", base=str(tmp_path / "base"))
    base = GlmForCausalLM.from_pretrained(tmp_path / "base", dtype="float32")
    found = logits(load_into(base, tmp_path / "split").eval(), load_file(reference / "io.safetensors")["A.input_ids"])
    expected = load_file(reference / "lora_io.safetensors")["A.logits"]
    if torch.backends.cpu.get_cpu_capability() == "AVX2":
        assert torch.equal(found, expected)
    # The expected ones were computed with AVX2; kernels for other instructions sum in another order.
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-5)


def test_both_models_compute_the_same_with_it(adapted, ids) -> None:
    source, published = adapted(lora_dropout=0.1, target_modules=["query_key_value", "dense"])
    result, folder = converted(source, "native")
    torch.testing.assert_close(logits(load_into(tiny_glm(), folder).eval(), ids), logits(published, ids))
    config = config_of(folder)
    assert set(config["target_modules"]) == {"q_proj", "k_proj", "v_proj", "o_proj"}
    assert (config["r"], config["lora_alpha"], config["lora_dropout"]) == (4, 8, 0.1)
    assert (result.rank, result.new_rank) == (4, 4)
    assert "rows: 64 of queries, 32 of keys and of values, taken from the adapter's shapes" in result.notices[0]


def test_there_and_back_is_bit_equal(adapted) -> None:
    source, _ = adapted(target_modules=["query_key_value", "dense"], modules_to_save=["output_layer"])
    _, native = converted(source, "native")
    _, published = converted(native, "published", back=True)
    _, again = converted(published, "again")
    assert same_weights(source, published)
    assert same_weights(native, again)
    assert set(config_of(published)["target_modules"]) == {"query_key_value", "dense"}
    assert config_of(published)["modules_to_save"] == ["output_layer"]


@pytest.mark.parametrize("use_rslora", [False, True])
def test_parts_with_matrices_of_their_own_become_one_of_a_higher_rank(adapted, ids, use_rslora) -> None:
    source, native = adapted(published=False, use_rslora=use_rslora)
    result, folder = converted(source, "published", back=True)
    found = PeftModel.from_pretrained(Published(tiny_glm()), folder).eval()
    torch.testing.assert_close(logits(found, ids), logits(native, ids))
    assert (result.rank, result.new_rank) == (4, 12)
    stacked, own = (load_file(one / "adapter_model.safetensors") for one in (folder, source))
    block = "base_model.model.model.layers.0.self_attn."
    parts = [own[f"{block}{part}.lora_A.weight"] for part in ("q_proj", "k_proj", "v_proj")]
    fused = "base_model.model.transformer.encoder.layers.0.self_attention.query_key_value"
    assert torch.equal(stacked[f"{fused}.lora_A.weight"], torch.cat(parts))
    assert result.notices[0].startswith("rank grew from 4 to 12, because q_proj, k_proj, v_proj have A's of their own")
    assert config_of(folder)["lora_alpha"] == pytest.approx(8 * (3**0.5 if use_rslora else 3))


@pytest.mark.parametrize("targets", [["q_proj", "v_proj"], ["v_proj"], ["k_proj"]])
def test_parts_without_an_adapter_change_nothing(adapted, ids, base_folder, targets) -> None:
    source, native = adapted(published=False, target_modules=targets)
    result, folder = converted(source, "published", back=True, base=str(base_folder))
    found = PeftModel.from_pretrained(Published(tiny_glm()), folder).eval()
    torch.testing.assert_close(logits(found, ids), logits(native, ids))
    assert result.new_rank == 4 * len(targets)


def test_queries_alone_need_the_base(adapted, base_folder) -> None:
    source, _ = adapted(published=False, target_modules=["q_proj"])
    with pytest.raises(EventuneError, match="queries alone, which do not tell the number of key heads\ngive --base"):
        converted(source, "refused", back=True)
    assert converted(source, "published", back=True, base=str(base_folder))[0].new_rank == 4


def test_ranks_and_scales_that_differ_by_layer_and_part_stay(adapted, ids) -> None:
    patterns = {"rank_pattern": {"q_proj": 2, "layers.0.self_attn.k_proj": 3}, "alpha_pattern": {"v_proj": 5}}
    source, native = adapted(published=False, **patterns)
    _, folder = converted(source, "published", back=True)
    found = PeftModel.from_pretrained(Published(tiny_glm()), folder).eval()
    torch.testing.assert_close(logits(found, ids), logits(native, ids))
    _, again = converted(folder, "again")
    torch.testing.assert_close(logits(load_into(tiny_glm(), again).eval(), ids), logits(native, ids))


def test_some_layers_alone_and_expressions_are_taken_over(adapted, ids) -> None:
    source, published = adapted(layers_to_transform=[1])
    _, folder = converted(source, "native")
    assert config_of(folder)["layers_to_transform"] == [1]
    torch.testing.assert_close(logits(load_into(tiny_glm(), folder).eval(), ids), logits(published, ids))
    source, published = adapted("expression", target_modules=r".*layers\.0\.self_attention\.query_key_value")
    _, folder = converted(source, "native of it")
    torch.testing.assert_close(logits(load_into(tiny_glm(), folder).eval(), ids), logits(published, ids))
    assert not any(".1." in name for name in load_file(folder / "adapter_model.safetensors"))


def test_dora_s_magnitudes_go_with_their_rows(adapted, ids) -> None:
    source, published = adapted(use_dora=True)
    _, native = converted(source, "native")
    torch.testing.assert_close(logits(load_into(tiny_glm(), native).eval(), ids), logits(published, ids))
    _, back = converted(native, "published", back=True)
    assert same_weights(source, back)


def test_dora_on_some_parts_is_refused_on_the_way_back(adapted) -> None:
    source, _ = adapted(published=False, use_dora=True, target_modules=["q_proj", "v_proj"])
    with pytest.raises(EventuneError, match="magnitudes of q_proj, k_proj, v_proj, found those of q_proj, v_proj"):
        converted(source, "refused", back=True)


@pytest.mark.parametrize("bias", ["lora_only", "all"])
def test_trained_biases_are_split_and_joined(adapted, ids, bias, base_folder) -> None:
    source, published = adapted(bias=bias)
    _, native = converted(source, "native", base=str(base_folder))
    torch.testing.assert_close(logits(load_into(tiny_glm(), native).eval(), ids), logits(published, ids))
    _, back = converted(native, "published", back=True)
    assert same_weights(source, back)
    assert config_of(native)["bias"] == bias


def test_embeddings_and_output_layer_are_saved_whole(adapted, ids) -> None:
    source, published = adapted(modules_to_save=["word_embeddings", "output_layer"])
    _, native = converted(source, "native")
    torch.testing.assert_close(logits(load_into(tiny_glm(), native).eval(), ids), logits(published, ids))
    assert set(config_of(native)["modules_to_save"]) == {"embed_tokens", "lm_head"}


def test_weights_of_torch_are_read_without_running_code(adapted) -> None:
    source, _ = adapted()
    path = source / "adapter_model.safetensors"
    torch.save(load_file(path), source / "adapter_model.bin")
    _, expected = converted(source, "of safetensors")
    path.unlink()
    _, found = converted(source, "of torch")
    assert same_weights(expected, found)


def test_the_base_gives_name_and_rows_and_is_checked(adapted, base_folder) -> None:
    source, _ = adapted()
    result, folder = converted(source, "native", base=str(base_folder))
    assert result.notices == ()
    named, _ = converted(source, "named", base="org/name")
    assert named.notices[-1] == "--base org/name: no folder of that name here, so that it is taken as a name alone"
    assert config_of(folder)["base_model_name_or_path"] == str(base_folder)
    config = json.loads((base_folder / "config.json").read_text(encoding="utf-8"))
    (base_folder / "config.json").write_text(json.dumps({**config, "num_key_value_heads": 4}), encoding="utf-8")
    with pytest.raises(EventuneError, match=r"lora_B\.weight: expected 64 \+ 2 · 64 rows, found 128"):
        converted(source, "refused", base=str(base_folder))
    (base_folder / "config.json").write_text(json.dumps({**config, "model_type": "llama"}), encoding="utf-8")
    with pytest.raises(EventuneError, match=r"model_type chatglm or glm\), found 'llama'"):
        converted(source, "refused too", base=str(base_folder))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"peft_type": "IA3"}, "expected peft_type LORA, found 'IA3'"),
        (
            {"use_qalora": True},
            "use_qalora: expected a field that eventune or PEFT's usual adapters have",
        ),
        ({"fan_in_fan_out": True}, "fan_in_fan_out is True"),
        ({"init_lora_weights": "pissa"}, "'pissa' makes it an adapter of a changed base"),
        ({"r": 8}, r"query_key_value: expected an adapter of rank 8, as adapter_config.json says, found 4"),
        ({"target_modules": ["query_key_valu"]}, "target_modules: 'query_key_valu' is no module .*\ndid you mean"),
        ({"modules_to_save": ["word_embeding"]}, "modules_to_save: 'word_embeding' is no module"),
        ({"modules_to_save": ["output_layer"]}, "modules_to_save: 'output_layer' is not in the adapter's file"),
    ],
)
def test_what_cannot_be_converted_is_named(adapted, changes, message) -> None:
    source, _ = adapted()
    edit(source, **changes)
    with pytest.raises(EventuneError, match=message):
        converted(source, "refused")


def test_the_wrong_direction_is_said(adapted) -> None:
    source, _ = adapted()
    with pytest.raises(EventuneError, match="leave --back out"):
        converted(source, "refused", back=True)
    source, _ = adapted("native", published=False)
    with pytest.raises(EventuneError, match="give --back"):
        converted(source, "refused too")


def test_the_fused_layer_is_split_where_it_is_saved_whole(adapted, ids, base_folder) -> None:
    source, published = adapted(target_modules=["dense"], modules_to_save=["query_key_value"])
    with pytest.raises(EventuneError, match="saved in full, which does not tell its rows"):
        converted(source, "refused")
    _, native = converted(source, "native", base=str(base_folder))
    torch.testing.assert_close(logits(load_into(tiny_glm(), native).eval(), ids), logits(published, ids))
    _, back = converted(native, "published", back=True)
    assert same_weights(source, back)
    assert config_of(back)["modules_to_save"] == ["query_key_value"]


def test_parts_that_are_not_all_saved_whole_are_refused(adapted) -> None:
    source, _ = adapted(published=False, target_modules=["o_proj"], modules_to_save=["q_proj"])
    with pytest.raises(EventuneError, match=r"q_proj\.\w+ is saved in full, .*k_proj\.\w+ is not"):
        converted(source, "refused", back=True)


def test_norms_are_saved_by_names_that_no_other_ends_in(adapted, ids) -> None:
    source, native = adapted(published=False, modules_to_save=["model.norm", "input_layernorm"])
    _, published = converted(source, "published", back=True)
    assert config_of(published)["modules_to_save"] == ["transformer.encoder.final_layernorm", "input_layernorm"]
    _, again = converted(published, "again")
    assert config_of(again)["modules_to_save"] == ["model.norm", "input_layernorm"]
    torch.testing.assert_close(logits(load_into(tiny_glm(), again).eval(), ids), logits(native, ids))
