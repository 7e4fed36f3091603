import copy
import dataclasses

import pytest
import torch
from peft import PeftConfig, PeftModel
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import AutoModel, AutoModelForCausalLM

from eventune.adapters.anatomy import anatomy_of
from eventune.adapters.arguments import AdapterArguments
from eventune.adapters.attaching import attach, enable_gradient_checkpointing
from eventune.adapters.configuration import KINDS
from eventune.adapters.guard import examine, plain_name, require_gradients
from eventune.adapters.methods import METHODS, Method, is_adapter, method_named
from eventune.adapters.prefix import PREFIX
from eventune.adapters.quantisation import quantise
from eventune.adapters.store import (
    ADAPTER_WEIGHTS,
    load_into,
    load_trained,
    save_checkpoint,
    save_trained,
    trained_weights,
)
from eventune.errors import EventuneError

from .architectures import tiny_config, tiny_model

IDS = torch.randint(3, 90, (2, 8), generator=torch.Generator().manual_seed(0))
PADDED = torch.tensor([[1] * 8, [1] * 5 + [0] * 3])


class Tagger(nn.Module):
    """A user's own module around an encoder."""

    def __init__(self, architecture="bert", dtype=torch.float32):
        super().__init__()
        torch.manual_seed(0)
        # Large weights, so that attention prefers some positions to others.
        config = tiny_config(
            architecture, initializer_range=0.5, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
        )
        options = {"add_pooling_layer": False} if architecture == "bert" else {}
        self.encoder = AutoModel.from_config(config, **options).to(dtype)
        self.tags = nn.Linear(32, 3, dtype=dtype)

    def forward(self, input_ids, attention_mask=None):
        return self.tags(self.encoder(input_ids, attention_mask=attention_mask).last_hidden_state)


class Decoder(nn.Module):
    def __new__(cls, architecture="llama"):
        torch.manual_seed(0)
        return AutoModelForCausalLM.from_config(tiny_config(architecture, initializer_range=0.5))


def loss_of(model):
    return model(IDS, PADDED).square().mean()


def outputs_of(model):
    with torch.inference_mode():
        found = model.eval()(IDS, PADDED)
    return getattr(found, "logits", found)


def learn(model, steps=3):
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    losses = []
    for _ in range(steps):
        optimiser.zero_grad()
        loss = loss_of(model.train())
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


def trained_names(model):
    return {plain_name(name) for name, parameter in model.named_parameters() if parameter.requires_grad}


@pytest.mark.parametrize("name", METHODS)
def test_a_row_says_what_its_method_adds_and_leaves_behind(name, tmp_path):
    before = {plain_name(name) for name, _ in Tagger().named_parameters()}
    ready = attach(Tagger(), AdapterArguments(method=name, lora_r=2, use_dora=True))
    added = trained_names(ready) - before

    assert all(not set(METHODS[name].parts).isdisjoint(parameter.split(".")) for parameter in added)
    assert not any(is_adapter(parameter) for parameter in before)
    assert bool(added) == bool(METHODS[name].parts)
    save_trained(ready, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(METHODS[name].files)
    if METHODS[name].peft_type:
        assert PeftConfig.from_pretrained(tmp_path).peft_type == METHODS[name].peft_type
    assert isinstance(ready, PeftModel) or not (METHODS[name].merges or METHODS[name].shares_base)


def test_a_method_without_a_function_that_attaches_it_cannot_be_entered():
    with pytest.raises(TypeError, match="implementation"):
        Method(summary="what attach forgets")


def test_options_are_settings():
    names = {field.name for field in dataclasses.fields(AdapterArguments)}
    for method in METHODS.values():
        assert {*method.options, method.rank} <= names


def test_the_configuration_of_every_method_of_peft_s_is_checked():
    assert {method.peft_type for method in METHODS.values() if method.peft_type} == KINDS.keys()


def test_a_run_of_an_unknown_method_is_refused():
    with pytest.raises(EventuneError, match=r"extractor\.json: method: expected lora or .*, found 'lorra'\ndid you"):
        method_named("lorra", "extractor.json")


SETTINGS = {
    "lora": {},
    "rslora": {"use_rslora": True},
    "dora": {"use_dora": True},
    "gaussian": {"init_lora_weights": "gaussian"},
    "orthogonal": {"init_lora_weights": "orthogonal"},
    "patterns": {"rank_pattern": {"query": 2, "layer.1": 6}, "alpha_pattern": {"value": 3}},
    "embedding": {"modules_to_save": ["word_embeddings"]},
    "tokens": {"trainable_token_indices": [7, 5]},
    "4 bits": {"quantization_bit": 4},
    "8 bits": {"quantization_bit": 8},
    "ia3": {"method": "ia3"},
    "vera": {"method": "vera", "vera_r": 8},
    "vera 4 bits": {"method": "vera", "vera_r": 8, "quantization_bit": 4},
    "vera 8 bits": {"method": "vera", "vera_r": 8, "quantization_bit": 8},
    "prefix": {"method": "prefix", "pre_seq_len": 5},
    "prefix projected": {"method": "prefix", "pre_seq_len": 5, "prefix_projection": True},
    "freeze": {"method": "freeze", "freeze_trainable_layers": 1},
    "bitfit": {"method": "bitfit"},
    "full": {"method": "full"},
    "PiSSA": {"init_lora_weights": "pissa"},
}
EXACT = {name: settings for name, settings in SETTINGS.items() if name != "PiSSA"}


@pytest.mark.parametrize("settings", EXACT.values(), ids=EXACT.keys())
def test_every_method_learns_with_its_heads_and_is_reloaded_exactly(settings, tmp_path):
    model = Tagger()
    untouched = copy.deepcopy(model)
    arguments = AdapterArguments(lora_r=4, **settings)

    ready = attach(model, arguments)
    examine(ready).require()
    require_gradients(ready, lambda: loss_of(ready.train()), heads=("tags",))
    losses = learn(ready)
    saved = save_trained(ready, tmp_path)
    trained = outputs_of(ready.requires_grad_(False))

    assert losses[-1] < losses[0]
    assert {"tags.weight", "tags.bias"} <= {plain_name(name) for name in trained_weights(ready)} or settings
    with torch.no_grad():
        untouched.tags.weight.zero_()
    reloaded = load_into(untouched, tmp_path)
    assert torch.equal(outputs_of(reloaded), trained)
    # The tiny model's adapters are no small part of it; all but `full` leave most of it out even so.
    assert saved.parameters < 0.6 * sum(p.numel() for p in Tagger().parameters()) or arguments.method == "full"


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS.keys())
def test_training_goes_on_from_a_checkpoint_as_if_it_had_not_stopped(settings, tmp_path):
    arguments = AdapterArguments(lora_r=4, **settings)
    ready = attach(Tagger(), arguments)
    learn(ready)
    outputs_of(ready)
    save_checkpoint(ready, tmp_path)
    expected = learn(ready)

    other = attach(Tagger(), arguments)
    load_trained(other, tmp_path)

    assert trained_names(other) == trained_names(ready)
    assert learn(other) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", ["pissa", "pissa_niter_4", "olora"])
@pytest.mark.parametrize("use_rslora", [False, True])
def test_initialisations_that_change_the_base_are_saved_for_the_base_as_it_was(kind, use_rslora, tmp_path):
    model = Tagger()
    untouched, before = copy.deepcopy(model), outputs_of(model)
    arguments = AdapterArguments(
        lora_r=4, init_lora_weights=kind, use_rslora=use_rslora, rank_pattern={"query": 2}, alpha_pattern={"value": 8}
    )

    ready = attach(model, arguments)
    torch.testing.assert_close(outputs_of(ready), before, rtol=1e-4, atol=1e-4)
    learn(ready)
    save_trained(ready, tmp_path)

    reloaded = load_into(untouched, tmp_path)
    torch.testing.assert_close(outputs_of(reloaded), outputs_of(ready), rtol=1e-4, atol=1e-4)
    # Plain PEFT takes it for what it is: an ordinary adapter.
    torch.testing.assert_close(outputs_of(PeftModel.from_pretrained(Tagger(), tmp_path)), outputs_of(reloaded))


def test_ranks_follow_the_pattern():
    ready = attach(Tagger(), AdapterArguments(lora_r=4, rank_pattern={"query": 2, "layer.1.output": 7}))

    ranks = {plain_name(n).partition(".lora_A")[0]: len(p) for n, p in ready.named_parameters() if "lora_A" in n}
    assert ranks["encoder.encoder.layer.0.attention.self.query"] == 2
    assert ranks["encoder.encoder.layer.1.output.dense"] == 7
    assert ranks["encoder.encoder.layer.0.output.dense"] == 4
    assert ranks["encoder.encoder.layer.1.attention.output.dense"] == 4


@pytest.mark.parametrize("setting", ["rank_pattern", "alpha_pattern"])
def test_a_pattern_that_matches_nothing_is_refused(setting):
    with pytest.raises(
        EventuneError, match=rf"{setting}: 'querry' matches none of the 12 targets\ndid you mean 'query'"
    ):
        attach(Tagger(), AdapterArguments(**{setting: {"querry": 2}}))


def test_freeze_trains_the_last_blocks_and_the_heads_alone():
    ready = attach(Tagger(), AdapterArguments(method="freeze", freeze_trainable_layers=1))

    assert {name.split(".")[0] for name in trained_names(ready)} == {"encoder", "tags"}
    assert {name.split(".")[3] for name in trained_names(ready) if name.startswith("encoder.")} == {"1"}


def test_bitfit_trains_biases_and_heads_alone():
    ready = attach(Tagger(), AdapterArguments(method="bitfit"))

    assert {name.rpartition(".")[2] for name in trained_names(ready) if name.startswith("encoder.")} == {"bias"}
    assert "tags.weight" in trained_names(ready)


def test_bitfit_on_a_base_without_biases_is_refused():
    with pytest.raises(EventuneError, match="bitfit trains biases, and the base has none"):
        attach(Decoder(), AdapterArguments(method="bitfit"))


def test_ia3_scales_keys_values_and_the_feed_forward_input():
    ready = attach(Tagger(), AdapterArguments(method="ia3"))

    scaled = {
        name.partition(".ia3_l")[0].rpartition("layer.0.")[2] for name in trained_names(ready) if "layer.0." in name
    }
    assert scaled == {"attention.self.key", "attention.self.value", "output.dense"}


def test_plain_peft_loads_vera_s_file_and_gives_the_same_bits(tmp_path):
    ready = attach(Tagger(), AdapterArguments(method="vera", vera_r=8))
    learn(ready)
    save_trained(ready, tmp_path)

    reloaded = outputs_of(load_into(Tagger(), tmp_path))

    assert torch.equal(outputs_of(PeftModel.from_pretrained(Tagger(), tmp_path)), reloaded)
    assert torch.equal(reloaded, outputs_of(ready.requires_grad_(False)))


def test_vera_trains_scales_alone_and_starts_as_the_base():
    ready = attach(Tagger(), AdapterArguments(method="vera", vera_r=8))

    scales = {name.split(".")[-2] for name in trained_names(ready) if name.startswith("encoder.")}
    assert scales == {"vera_lambda_b", "vera_lambda_d"}
    assert torch.equal(outputs_of(ready), outputs_of(Tagger()))
    shared = ready.base_model.vera_A["default"].clone()
    learn(ready)
    assert torch.equal(ready.base_model.vera_A["default"], shared)


def test_only_the_rows_of_the_named_tokens_are_trained():
    ready = attach(Tagger(), AdapterArguments(trainable_token_indices=[5, 7]))
    before = ready.get_base_model().encoder.get_input_embeddings()(torch.arange(10)).detach().clone()
    optimiser = torch.optim.SGD([p for p in ready.parameters() if p.requires_grad], lr=1.0)
    ready.train()(torch.arange(10)[None]).square().mean().backward()
    optimiser.step()

    after = ready.get_base_model().encoder.get_input_embeddings()(torch.arange(10))
    assert (after != before).any(dim=1).nonzero().flatten().tolist() == [5, 7]


def test_a_token_beyond_the_embedding_is_refused():
    with pytest.raises(EventuneError, match=r"expected ids < 99, found 99\nenlarge the embedding first"):
        attach(Tagger(), AdapterArguments(trainable_token_indices=[99]))


def test_a_trained_embedding_that_is_tied_stays_tied(tmp_path):
    def make():
        torch.manual_seed(0)
        return AutoModelForCausalLM.from_config(tiny_config("llama", tie_word_embeddings=True, initializer_range=0.5))

    ready = attach(make(), AdapterArguments(modules_to_save=["embed_tokens"]))
    optimiser = torch.optim.SGD([p for p in ready.parameters() if p.requires_grad], lr=0.5)
    ready(input_ids=IDS, labels=IDS).loss.backward()
    optimiser.step()
    model = ready.get_base_model()
    assert torch.equal(model.get_input_embeddings().weight, model.get_output_embeddings().weight)
    save_trained(ready, tmp_path)
    trained = outputs_of(ready.requires_grad_(False))

    assert torch.equal(outputs_of(load_into(make(), tmp_path)), trained)
    merged = ready.merge_and_unload()
    torch.testing.assert_close(outputs_of(merged), trained, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("architecture", ["bert", "roberta", "modernbert", "electra"])
def test_a_prefix_takes_part_in_an_encoder_s_attention(architecture):
    model = Tagger(architecture)
    before = outputs_of(model)

    ready = attach(model, AdapterArguments(method="prefix", pre_seq_len=4))

    assert not torch.allclose(outputs_of(ready), before)
    # As if the learned positions were not there: their keys point away from every query.
    alone = outputs_of(ready)[1, :5]
    with torch.inference_mode():
        torch.testing.assert_close(ready(IDS[1:, :5])[0], alone, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("method", ["lora", "ia3", "prefix"])
def test_an_adapter_s_configuration_names_its_base(method, tmp_path):
    save_trained(attach(Decoder(), AdapterArguments(method=method), base_name="a/base"), tmp_path)

    assert PeftConfig.from_pretrained(tmp_path).base_model_name_or_path == "a/base"


PREFIXED = "cohere gemma gemma3_text glm gpt2 gpt_neox llama mistral olmo2 phi phi3 qwen2 qwen3"


@pytest.mark.parametrize("architecture", PREFIXED.split())
def test_a_decoder_s_prefix_is_what_peft_makes_of_the_same_file(architecture, tmp_path):
    ready = attach(Decoder(architecture), AdapterArguments(method="prefix", pre_seq_len=3, prefix_projection=True))
    save_trained(ready, tmp_path)

    peft = PeftModel.from_pretrained(Decoder(architecture), tmp_path)
    ids = IDS[:1]
    with torch.inference_mode():
        expected = peft.eval()(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
        found = ready.eval()(input_ids=ids).logits
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_generation_with_a_cache_sees_the_prefix_as_generation_without_does():
    ready = attach(Decoder(), AdapterArguments(method="prefix", pre_seq_len=3)).eval()
    options = {"max_new_tokens": 6, "do_sample": False, "pad_token_id": 0, "eos_token_id": None}
    padded = {"input_ids": IDS, "attention_mask": PADDED.flip(1)}

    assert torch.equal(ready.generate(**padded, **options), ready.generate(**padded, **options, use_cache=False))


def test_a_prefix_trains_under_gradient_checkpointing():
    def gradients(checkpointing):
        model = Tagger()
        if checkpointing:
            enable_gradient_checkpointing(model)
        ready = attach(model, AdapterArguments(method="prefix", pre_seq_len=4, prefix_projection=True))
        torch.manual_seed(1)
        nn.init.normal_(ready.get_submodule(PREFIX).embedding.weight)
        loss_of(ready.train()).backward()
        return {name: p.grad for name, p in ready.named_parameters() if p.requires_grad}

    expected = gradients(False)
    for name, gradient in gradients(True).items():
        torch.testing.assert_close(gradient, expected[name])


@pytest.mark.parametrize("architecture", ["deberta-v2", "t5", "mamba"])
def test_a_prefix_where_no_attention_can_take_it_is_refused(architecture):
    with pytest.raises(EventuneError, match="method: prefix"):
        attach(tiny_model(architecture), AdapterArguments(method="prefix"))


def test_experts_get_adapters_where_they_are_asked_for(tmp_path):
    def make():
        torch.manual_seed(0)
        return tiny_model("mixtral", initializer_range=0.5)

    ready = attach(make(), AdapterArguments(lora_r=2, lora_target_parameters=["experts.down_proj"]))
    names = trained_names(ready)
    assert any("experts" in name for name in names)
    ready(input_ids=IDS, labels=IDS).loss.backward()
    torch.optim.SGD([p for p in ready.parameters() if p.requires_grad], lr=0.5).step()
    save_trained(ready, tmp_path)
    trained = outputs_of(ready.requires_grad_(False))

    assert torch.equal(outputs_of(load_into(make(), tmp_path)), trained)


def test_experts_that_are_not_there_are_refused():
    with pytest.raises(
        EventuneError, match=r"'experts.up' matches none of the base's 4 stacks of experts\ndid you mean"
    ):
        attach(tiny_model("mixtral"), AdapterArguments(lora_target_parameters=["experts.up"]))
    with pytest.raises(EventuneError, match="the base has none"):
        attach(Tagger(), AdapterArguments(lora_target_parameters=["experts.up"]))


def test_heads_can_be_left_frozen_on_purpose_and_are_saved_all_the_same(tmp_path):
    model = Tagger()
    ready = attach(model, AdapterArguments(freeze_heads=True))

    with pytest.raises(EventuneError, match="2 new parameters are random and frozen, in tags"):
        examine(ready).require()
    assert examine(ready).require(allow_frozen_heads=True).heads == 32 * 3 + 3
    learn(ready)
    save_trained(ready, tmp_path)
    expected = outputs_of(ready.requires_grad_(False))
    fresh = Tagger()
    nn.init.normal_(fresh.tags.weight)
    assert torch.equal(outputs_of(load_into(fresh, tmp_path)), expected)


@pytest.mark.parametrize("bits", [4, 8])
def test_a_quantised_base_stays_as_it_is_and_only_the_adapter_is_saved(bits, tmp_path):
    ready = attach(Tagger(), AdapterArguments(lora_r=4, quantization_bit=bits))
    kinds = {type(m).__name__ for m in ready.modules()}
    assert {"Linear4bit" if bits == 4 else "Linear8bitLt"} <= kinds
    quantised = [p.clone() for p in ready.parameters() if p.dtype in {torch.uint8, torch.int8}]
    assert len(quantised) == 12
    learn(ready)

    after = [p for p in ready.parameters() if p.dtype in {torch.uint8, torch.int8}]
    assert all(torch.equal(a, b) for a, b in zip(after, quantised, strict=True))
    save_trained(ready, tmp_path)
    lora_and_head = 4 * (4 * 64 + 2 * 80) * 2 + 99
    assert abs((tmp_path / ADAPTER_WEIGHTS).stat().st_size / 4 - lora_and_head) < 2000


def test_wrong_settings_are_refused_before_anything_is_changed():
    model = Tagger()
    with pytest.raises(EventuneError, match="init_lora_weights: expected default"):
        attach(model, AdapterArguments(init_lora_weights="pisa"))
    assert not isinstance(model, PeftModel)
    assert anatomy_of(model).heads == ("tags",)


def test_heads_buffers_and_further_modules_are_saved_with_a_prefix(tmp_path):
    class Normed(Tagger):
        def __init__(self):
            super().__init__()
            self.tags = nn.Sequential(nn.Linear(32, 3), nn.BatchNorm1d(8))

    ready = attach(Normed(), AdapterArguments(method="prefix", modules_to_save=["LayerNorm"]))
    learn(ready)
    save_trained(ready, tmp_path)

    assert torch.equal(outputs_of(load_into(Normed(), tmp_path)), outputs_of(ready))


@pytest.mark.parametrize("method", ["prefix", "freeze", "bitfit"])
def test_a_file_that_lacks_a_head_is_refused(method, tmp_path):
    saved = save_trained(attach(Tagger(), AdapterArguments(method=method)), tmp_path)
    weights = load_file(saved.path)
    save_file({name: tensor for name, tensor in weights.items() if "tags.bias" not in name}, saved.path)

    with pytest.raises(EventuneError, match=r"found others, or not all: tags\.bias"):
        load_into(Tagger(), tmp_path)


@pytest.mark.parametrize("architecture", ["gpt_oss", "gemma2", "opt"])
def test_a_prefix_on_a_model_whose_attention_is_its_own_is_refused_and_leaves_it_as_it_was(architecture):
    model = tiny_model(architecture).eval()
    with torch.no_grad():
        before = model(input_ids=IDS).logits

    with pytest.raises(EventuneError, match="method: prefix does not suit"):
        attach(model, AdapterArguments(method="prefix"))

    with torch.no_grad():
        assert torch.equal(model(input_ids=IDS).logits, before)


def test_a_static_cache_sees_the_prefix_as_a_growing_one_does():
    ready = attach(Decoder(), AdapterArguments(method="prefix", pre_seq_len=3)).eval()
    options = {"max_new_tokens": 6, "do_sample": False, "pad_token_id": 0, "eos_token_id": None}

    growing = ready.generate(input_ids=IDS, **options)
    assert torch.equal(ready.generate(input_ids=IDS, cache_implementation="static", **options), growing)


def test_a_prefix_stays_with_its_own_model():
    config = tiny_config("bert", initializer_range=0.5)
    first, second = AutoModel.from_config(config).eval(), AutoModel.from_config(config).eval()
    before = second(IDS).last_hidden_state
    attach(first, AdapterArguments(method="prefix"))

    assert torch.equal(second(IDS).last_hidden_state, before)


@pytest.mark.parametrize("method", ["lora", "prefix"])
def test_a_second_adapter_on_the_same_model_is_refused(method, tmp_path):
    ready = attach(Tagger(), AdapterArguments(method=method, lora_r=2))
    save_trained(ready, tmp_path)

    with pytest.raises(EventuneError, match="has an adapter already"):
        attach(ready, AdapterArguments(lora_r=2))
    with pytest.raises(EventuneError, match="has an adapter already"):
        load_into(ready, tmp_path)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_heads_on_a_quantised_half_precision_base_are_float32(dtype):
    ready = attach(Tagger(dtype=dtype), AdapterArguments(lora_r=2, quantization_bit=4))

    report = examine(ready)
    report.require()
    assert report.trainable_types.keys() == {"float32"}
    assert report.counts.total == examine(attach(Tagger(), AdapterArguments(lora_r=2))).counts.total


def test_modules_that_are_trained_in_full_are_not_quantised():
    ready = attach(Tagger(), AdapterArguments(quantization_bit=4, modules_to_save=["layer.1.output.dense"]))

    losses = learn(ready)
    assert losses[-1] < losses[0]


def test_a_base_that_was_loaded_quantised_gets_layers_that_fit():
    model = Tagger()
    quantise(model.encoder, 4)
    ready = attach(model, AdapterArguments(lora_r=2))

    losses = learn(ready)
    assert losses[-1] < losses[0]


def test_a_base_in_8_bits_is_moved_with_its_scales():
    model = Tagger()
    quantise(model.encoder, 8)
    holders = [h for layer in model.modules() if type(layer).__name__ == "Linear8bitLt" for h in layer.holders()]
    scales = [scale for holder in holders if (scale := getattr(holder, "SCB", None)) is not None]
    moved = []

    # What `to("cuda")` calls for each tensor of a model.
    model._apply(lambda tensor: (moved.append(tensor.data_ptr()), tensor)[1])

    assert len(scales) == 12
    assert {scale.data_ptr() for scale in scales} <= set(moved)


def test_a_base_without_a_layer_that_can_be_quantised_is_refused():
    with pytest.raises(EventuneError, match="no linear layer in the base's blocks can be quantised"):
        attach(tiny_model("gpt2"), AdapterArguments(quantization_bit=4))


def test_all_linear_leaves_a_tied_output_layer_alone_and_naming_it_is_refused():
    def make():
        torch.manual_seed(0)
        return tiny_model("llama", tie_word_embeddings=True, initializer_range=0.5)

    ready = attach(make(), AdapterArguments(lora_target_modules="all-linear"))
    assert not [name for name, _ in ready.named_parameters() if "lm_head" in name and "lora" in name]
    with pytest.raises(EventuneError, match="'lm_head' is one weight with the input embedding"):
        attach(make(), AdapterArguments(lora_target_modules=["q_proj", "lm_head"]))


def test_a_head_that_is_tied_to_the_base_is_refused():
    class Tied(Tagger):
        def __init__(self):
            super().__init__()
            self.tags = nn.Linear(32, 99, bias=False)
            self.tags.weight = self.encoder.embeddings.word_embeddings.weight

    with pytest.raises(EventuneError, match="are one weight: PEFT would train copies of it apart"):
        attach(Tied(), AdapterArguments())


def test_parameters_outside_of_modules_are_trained_where_the_file_can_hold_them(tmp_path):
    class Scaled(Tagger):
        def __init__(self):
            super().__init__()
            self.temperature = nn.Parameter(torch.ones(1))

        def forward(self, input_ids, attention_mask=None):
            return super().forward(input_ids, attention_mask) * self.temperature

    with pytest.raises(EventuneError, match="'temperature' is not inside a module of its own"):
        attach(Scaled(), AdapterArguments())
    ready = attach(Scaled(), AdapterArguments(method="bitfit"))
    learn(ready)
    save_trained(ready, tmp_path)
    reloaded = load_into(Scaled(), tmp_path)
    assert reloaded.temperature.item() != 1.0
    assert torch.equal(outputs_of(reloaded), outputs_of(ready))


def test_two_bases_have_targets_of_their_own():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.reader = AutoModel.from_config(tiny_config("bert"), add_pooling_layer=False)
            self.writer = AutoModel.from_config(tiny_config("gpt2"))

    ready = attach(Two(), AdapterArguments(lora_target_modules=["query", "c_attn"]))

    assert {name.split(".")[0] for name in trained_names(ready)} == {"reader", "writer"}
    with pytest.raises(EventuneError, match="'zzz' matches none"):
        attach(Two(), AdapterArguments(lora_target_modules=["query", "zzz"]))


def test_the_fused_path_keeps_no_second_copy_of_the_base():
    kept = []
    ready = attach(Tagger(), AdapterArguments(lora_r=2)).train()
    own = {p.data_ptr() for p in ready.parameters()}
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        loss_of(ready)

    weights = {(48, 32), (32, 48)}
    assert not [tensor for tensor in kept if tuple(tensor.shape) in weights and tensor.data_ptr() not in own]
