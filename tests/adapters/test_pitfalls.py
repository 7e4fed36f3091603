"""What users of LoRA run into, each with what happens without our handling. Threads: docs/adapters.md."""

import warnings

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file
from torch import nn
from torch.nn.parallel import DataParallel
from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification, BertModel

from eventune.adapters.anatomy import anatomy_of
from eventune.adapters.arguments import AdapterArguments
from eventune.adapters.attaching import attach, enable_gradient_checkpointing
from eventune.adapters.guard import examine, plain_name, require_gradients
from eventune.adapters.methods import METHODS
from eventune.adapters.store import ADAPTER_WEIGHTS, load_into, save_trained
from eventune.errors import EventuneError

from .architectures import tiny_config, tiny_model
from .test_methods import IDS, PADDED, Tagger, learn, loss_of, outputs_of


class Bert(nn.Module):
    """The notes' model, as it is written there."""

    def __init__(self, config=None):
        super().__init__()
        torch.manual_seed(0)
        self.bert = BertModel(config or tiny_config("bert"), add_pooling_layer=False)
        self.dropout = nn.Dropout(0.5)
        self.linear_1 = nn.Linear(self.bert.config.hidden_size, 1)
        self.linear_2 = nn.Linear(self.bert.config.hidden_size, 1)

    def forward(self, input_ids, attention_mask):
        hidden = self.dropout(self.bert(input_ids, attention_mask=attention_mask).last_hidden_state)
        return torch.cat([self.linear_1(hidden), self.linear_2(hidden)], dim=-1)


NOTES = {"r": 16, "lora_alpha": 16, "target_modules": ["query", "value"], "lora_dropout": 0.1, "bias": "none"}


def messages(report):
    return " / ".join(finding.message for finding in report.errors)


def test_the_notes_model_has_frozen_heads_and_the_guard_names_them():
    model = get_peft_model(DataParallel(Bert()), LoraConfig(**NOTES))
    assert not [n for n, p in model.named_parameters() if p.requires_grad and "linear" in n]

    report = examine(model)

    assert "4 new parameters are random and frozen, in linear_1, linear_2" in messages(report)
    assert "the adapter is around DataParallel: its file would have 'module.' in all names" in messages(report)
    with pytest.raises(EventuneError, match="2 things are wrong with what is trained"):
        report.require()


def test_the_notes_model_with_the_default_settings_is_trained_whole_and_saved_small(tmp_path):
    # The size that the notes had: bert-base.
    with torch.device("meta"):
        config = BertModel.config_class()
    ready = attach(DataParallel(Bert(config)), AdapterArguments())

    report = examine(ready)
    assert report.require().heads == 2 * 769
    assert report.heads == {"linear_1": 769, "linear_2": 769}
    saved = save_trained(ready, tmp_path)
    with torch.device("meta"):
        full_bytes = 4 * sum(p.numel() for p in Bert(config).parameters())
    assert saved.bytes < 0.02 * full_bytes
    notes = attach(Bert(config), AdapterArguments(lora_target_modules="attention-qv", lora_r=16, lora_alpha=16))
    assert save_trained(notes, tmp_path).bytes < 0.006 * full_bytes


def test_a_head_without_the_usual_name_stays_frozen_in_peft_whatever_the_task_type():
    for task_type in (None, "TOKEN_CLS", "SEQ_CLS"):
        model = Tagger()
        if task_type:
            model.config = model.encoder.config
        peft = get_peft_model(model, LoraConfig(target_modules=["query", "value"], task_type=task_type))
        assert not peft.base_model.model.tags.weight.requires_grad
        assert "random and frozen, in tags" in messages(examine(peft))
    assert "tags.weight" in {
        plain_name(n) for n, p in attach(Tagger(), AdapterArguments()).named_parameters() if p.requires_grad
    }


@pytest.mark.parametrize("task_type", ["TOKEN_CLS", "SEQ_CLS", "CAUSAL_LM", "FEATURE_EXTRACTION"])
def test_a_task_type_on_a_module_of_one_s_own_is_an_error(task_type):
    model = Tagger()
    model.config = model.encoder.config
    model.prepare_inputs_for_generation = None
    peft = get_peft_model(model, LoraConfig(target_modules=["query"], task_type=task_type))

    with pytest.raises((TypeError, AttributeError)):
        peft(IDS, attention_mask=PADDED)
    assert f"task_type {task_type}: PEFT's forward for it expects a model of transformers" in messages(examine(peft))


def test_a_causal_task_type_on_an_encoder_is_an_error():
    model = tiny_model("bert")
    model.prepare_inputs_for_generation = None
    peft = get_peft_model(model, LoraConfig(target_modules=["query"], task_type="CAUSAL_LM"))

    assert "task_type CAUSAL_LM, but BertModel is no language model" in messages(examine(peft))


def test_a_typing_error_in_modules_to_save_is_silent_in_peft_and_an_error_here():
    config = LoraConfig(target_modules=["query"], modules_to_save=["tgas"])
    peft = get_peft_model(Tagger(), config)

    assert "modules_to_save: 'tgas' matches no module" in messages(examine(peft))
    with pytest.raises(
        EventuneError, match=r"modules_to_save: 'tgas' matches no module with parameters\ndid you mean 'tags'"
    ):
        attach(Tagger(), AdapterArguments(modules_to_save=["tgas"]))


def test_one_wrong_target_among_right_ones_is_silent_in_peft_and_an_error_here():
    peft = get_peft_model(Tagger(), LoraConfig(target_modules=["query", "valeu"], modules_to_save=["tags"]))

    assert "target_modules: 'valeu' matches no module" in messages(examine(peft))
    with pytest.raises(EventuneError, match="did you mean 'value'"):
        attach(Tagger(), AdapterArguments(lora_target_modules=["query", "valeu"]))


def test_all_linear_in_peft_adapts_the_random_head_which_reloads_as_another(tmp_path):
    peft = get_peft_model(Tagger(), LoraConfig(r=2, target_modules="all-linear"))
    assert "the new module 'tags' is random and frozen under an adapter" in messages(examine(peft))
    peft.save_pretrained(tmp_path)

    def fresh():
        model = Tagger()
        nn.init.normal_(model.tags.weight)
        return model

    assert not torch.allclose(outputs_of(PeftModel.from_pretrained(fresh(), tmp_path)), outputs_of(peft))

    ready = attach(Tagger(), AdapterArguments(lora_target_modules="all-linear", lora_r=2))
    learn(ready)
    save_trained(ready, tmp_path)
    assert torch.equal(outputs_of(load_into(fresh(), tmp_path)), outputs_of(ready.requires_grad_(False)))


def test_transformers_own_classifier_is_a_head_and_a_language_model_s_is_not():
    classifier = AutoModelForTokenClassification.from_config(tiny_config("bert"))
    assert anatomy_of(classifier).heads == ("classifier",)
    assert anatomy_of(tiny_model("llama")).heads == ()
    assert anatomy_of(tiny_model("t5")).heads == ()

    ready = attach(classifier, AdapterArguments(lora_target_modules="all-linear", lora_r=2))
    assert not [name for name, _ in ready.named_parameters() if "classifier" in name and "lora" in name]
    assert examine(ready).require().heads == 32 * 2 + 2


def test_targets_of_another_architecture_are_refused_with_those_of_this_one():
    with pytest.raises(EventuneError, match=r"'q_proj' matches none of the base's 12 linear layers"):
        attach(Tagger(), AdapterArguments(lora_target_modules=["q_proj", "v_proj"]))
    with pytest.raises(EventuneError, match="their names end in: dense, key, query, value"):
        attach(Tagger(), AdapterArguments(lora_target_modules=["zzz"]))


def test_a_wrapper_inside_peft_gives_names_that_fit_nothing(tmp_path):
    config = LoraConfig(r=2, target_modules=["query"], modules_to_save=["tags"])
    get_peft_model(DataParallel(Tagger()), config).save_pretrained(tmp_path)
    assert all("model.module." in name for name in load_file(tmp_path / ADAPTER_WEIGHTS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(KeyError):
            PeftModel.from_pretrained(Tagger(), tmp_path)

    save_trained(attach(DataParallel(Tagger()), AdapterArguments(lora_r=2)), tmp_path)
    assert not any(".module." in name for name in load_file(tmp_path / ADAPTER_WEIGHTS))
    PeftModel.from_pretrained(Tagger(), tmp_path)


def test_an_adapter_is_saved_and_not_the_whole_model(tmp_path):
    ready = attach(Tagger(), AdapterArguments(lora_r=2))
    saved = save_trained(ready, tmp_path)

    trainable = sum(p.numel() for p in ready.parameters() if p.requires_grad)
    assert saved.parameters == trainable
    assert 4 * trainable <= saved.bytes == (tmp_path / ADAPTER_WEIGHTS).stat().st_size < 4 * trainable + 8000


def test_an_empty_adapter_is_not_read(tmp_path):
    from safetensors.torch import save_file

    save_trained(attach(Tagger(), AdapterArguments(lora_r=2)), tmp_path)
    save_file({}, tmp_path / ADAPTER_WEIGHTS, metadata={"format": "pt"})

    with pytest.raises(EventuneError, match="expected trained weights, found an empty file"):
        load_into(Tagger(), tmp_path)


def test_a_replaced_state_dict_cannot_empty_the_file(tmp_path):
    ready = attach(Tagger(), AdapterArguments(lora_r=2))
    # What many training scripts copied from one another did before saving.
    ready.state_dict = (lambda self, *_, **__: {}).__get__(ready, type(ready))

    with pytest.raises(EventuneError, match="trained parameters would not be saved"):
        save_trained(ready, tmp_path)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if method.freezes_base])
def test_a_half_precision_base_with_float32_adapters_trains_and_evaluates(dtype, method, tmp_path):
    ready = attach(Tagger(dtype=dtype), AdapterArguments(method=method, lora_r=2))

    report = examine(ready)
    report.require()
    assert report.trainable_types.keys() == {"float32"}
    losses = learn(ready)
    assert losses[-1] < losses[0]
    save_trained(ready, tmp_path)
    trained = outputs_of(ready.requires_grad_(False))
    assert torch.equal(outputs_of(load_into(Tagger(dtype=dtype), tmp_path)), trained)


def test_half_and_float_meet_without_our_autocast():
    model = Tagger(dtype=torch.bfloat16)
    peft = get_peft_model(model, LoraConfig(r=2, target_modules=["query"], modules_to_save=["tags"]))
    peft.base_model.model.tags.float()

    with pytest.raises(RuntimeError, match=r"dtype|Half|Float|BFloat16"):
        peft(IDS, PADDED)
    assert "nothing brings them together" in messages(examine(peft))


def test_trainable_float16_parameters_are_refused():
    model = Tagger(dtype=torch.float16)
    config = LoraConfig(r=2, target_modules=["query"], modules_to_save=["tags"])
    peft = get_peft_model(model, config, autocast_adapter_dtype=False)

    assert "trainable parameters are in float16" in messages(examine(peft))


def test_a_loss_that_is_nan_in_float16_stops_the_run_before_its_first_step():
    ready = attach(Tagger(dtype=torch.float16), AdapterArguments(lora_r=2))

    with pytest.raises(EventuneError, match=r"the loss of the first batch is (inf|nan)"):
        require_gradients(ready, lambda: (ready(IDS, PADDED).half() * 60000.0).square().mean())


@pytest.mark.parametrize("use_reentrant", [True, False])
def test_gradients_reach_adapters_under_checkpointing(use_reentrant):
    def gradients(checkpointing, ready_made):
        model = Tagger()
        if checkpointing:
            model.encoder.gradient_checkpointing_enable({"use_reentrant": use_reentrant})
            # Transformers asks for them itself here, but not on every way to checkpointing.
            model.encoder.disable_input_require_grads()
        ready = ready_made(model)
        require_gradients(ready, lambda: loss_of(ready.train()))
        loss_of(ready.train()).backward()
        return {name: p.grad for name, p in ready.named_parameters() if p.requires_grad}

    def ours(model):
        torch.manual_seed(1)
        return attach(model, AdapterArguments(lora_r=2))

    def theirs(model):
        return get_peft_model(model, LoraConfig(r=2, target_modules=["query"], modules_to_save=["tags"]))

    expected, found = gradients(False, ours), gradients(True, ours)
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient)
    if use_reentrant:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises((RuntimeError, EventuneError)):
                gradients(True, theirs)


def test_checkpointing_without_gradients_of_the_inputs_is_reported():
    model = Tagger()
    model.encoder.gradient_checkpointing_enable({"use_reentrant": True})
    model.encoder.disable_input_require_grads()
    peft = get_peft_model(model, LoraConfig(r=2, target_modules=["query"], modules_to_save=["tags"]))

    assert "the embeddings' output needs no gradient" in examine(peft).warnings[0].message
    other = Tagger()
    enable_gradient_checkpointing(other)
    assert examine(attach(other, AdapterArguments(lora_r=2))).warnings == ()


def test_checkpointing_of_what_cannot_is_refused():
    with pytest.raises(EventuneError, match="the base cannot recompute its activations"):
        enable_gradient_checkpointing(nn.Sequential(nn.ModuleList([nn.Linear(2, 2)])))


def test_a_user_s_model_of_torch_s_own_layers_keeps_its_adapter_in_evaluation(tmp_path):
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.embed = nn.Embedding(99, 16)
            layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, dropout=0.0)
            self.encoder = nn.TransformerEncoder(layer, 2)
            self.head = nn.Linear(16, 2)

        def forward(self, ids, mask=None):
            return self.head(self.encoder(self.embed(ids)))

    ready = attach(Own(), AdapterArguments(lora_r=2))
    examine(ready).require()
    require_gradients(ready, lambda: loss_of(ready.train()))
    learn(ready)
    save_trained(ready, tmp_path)

    with torch.no_grad():
        slow = ready.train()(IDS)
    torch.testing.assert_close(outputs_of(ready), slow)
    assert torch.equal(outputs_of(load_into(Own(), tmp_path)), outputs_of(ready.requires_grad_(False)))
    assert {name for name in load_file(tmp_path / ADAPTER_WEIGHTS) if "lora" not in name} == {
        f"base_model.model.{name}" for name in ("embed.weight", "head.weight", "head.bias")
    }


def test_a_replica_on_another_device_runs_with_its_own_prefix_and_types():
    ready = attach(Tagger(dtype=torch.bfloat16), AdapterArguments(method="prefix"))
    expected = outputs_of(ready)
    # What DataParallel makes of a model for each device: no parameters, attributes in their place.
    replica = ready._replicate_for_data_parallel()
    replica._is_replica = True
    for name, child in ready._modules.items():
        replica._modules[name] = child
    replica._former_parameters = {}

    assert torch.equal(outputs_of(replica), expected)


@pytest.mark.parametrize("task_type", ["SEQ_CLS", "TOKEN_CLS"])
def test_a_classifier_of_transformers_with_its_task_type_is_no_false_alarm(task_type):
    model = AutoModelForTokenClassification.from_config(tiny_config("bert"))
    peft = get_peft_model(model, LoraConfig(target_modules=["query"], task_type=task_type))

    assert examine(peft).errors == ()


def test_a_half_precision_language_model_with_lora_alone_is_no_false_alarm():
    model = tiny_model("llama").to(torch.bfloat16)
    peft = get_peft_model(model, LoraConfig(target_modules=["q_proj"], task_type="CAUSAL_LM"))

    assert examine(peft).errors == ()
    assert torch.isfinite(peft(input_ids=IDS, labels=IDS).loss)


def test_a_head_with_a_batch_norm_is_as_it_was_after_the_check():
    model = Tagger()
    model.tags = nn.Sequential(nn.Linear(32, 3), nn.BatchNorm1d(8))
    ready = attach(model, AdapterArguments(lora_r=2))
    before = {name: buffer.clone() for name, buffer in ready.named_buffers()}

    require_gradients(ready, lambda: loss_of(ready.train()))

    assert all(torch.equal(buffer, before[name]) for name, buffer in ready.named_buffers())


def test_a_guessed_base_is_said_to_be_guessed():
    model = nn.Sequential(nn.Sequential(nn.ModuleList([nn.Linear(2, 2)])), nn.Linear(2, 2))

    assert "nothing in Sequential is of transformers" in examine(model).warnings[0].message
    assert examine(Tagger()).warnings == ()


def test_heads_of_any_name_that_no_weight_of_the_base_ends_in_are_taken():
    for architecture, heads in (("distilbert", {"pre_classifier", "classifier"}), ("bert", {"classifier"})):
        model = AutoModelForSequenceClassification.from_config(tiny_config(architecture))
        assert heads <= set(examine(attach(model, AdapterArguments(lora_r=2))).heads)
    for name in ("out", "query"):
        model = Tagger()
        model.add_module(name, nn.Linear(32, 3))
        with pytest.raises(EventuneError, match=f"the head '{name}' cannot be told from the module"):
            attach(model, AdapterArguments(lora_r=2))
