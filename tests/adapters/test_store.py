import errno
import json

import pytest
import torch
from peft import PeftModel
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from eventune.adapters.arguments import AdapterArguments
from eventune.adapters.attaching import attach
from eventune.adapters.store import ADAPTER_CONFIG, ADAPTER_WEIGHTS, FULL_WEIGHTS, load_into, load_trained, save_trained
from eventune.backbones.load import load_encoder
from eventune.backbones.resolve import resolve
from eventune.errors import EventuneError
from eventune.extraction.model import JointExtractor


@pytest.fixture
def fresh(tiny_encoder):
    """Makes the base with heads anew, as a later process does: the heads are random and differ each time."""

    def make(max_span_length=4):
        return JointExtractor(load_encoder(resolve(str(tiny_encoder))).model, max_span_length=max_span_length)

    return make


@pytest.fixture
def ready(fresh):
    """Makes a model that is ready to be trained."""

    def make(method="lora", lora_r=2):
        arguments = AdapterArguments(method=method, lora_r=lora_r)
        return attach(fresh(), arguments, base_name="tiny/encoder")

    return make


@pytest.fixture
def trained(ready):
    """Makes a model whose trainable weights have moved."""

    def make(method="lora", lora_r=2):
        torch.manual_seed(1)
        model = ready(method, lora_r)
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.requires_grad:
                    parameter.add_(torch.randn_like(parameter) * 0.1)
        return model.eval()

    return make


def outputs(model):
    generator = torch.Generator().manual_seed(0)
    pieces = torch.randint(5, 60, (2, 16), generator=generator)
    words = torch.arange(16).expand(2, -1)
    roles = torch.tensor([[[1, 1], [2, 3]]] * 2)
    ones = torch.ones_like(pieces)
    with torch.inference_mode():
        return model(pieces, ones, ones, roles, words, words, torch.zeros_like(pieces))


def equal(first, second):
    return torch.equal(first.spans, second.spans) and torch.equal(first.null, second.null)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_saved_model_gives_exactly_the_same_outputs_when_it_is_loaded(trained, fresh, tmp_path, method):
    model = trained(method)
    save_trained(model, tmp_path)

    untrained = fresh().eval()
    assert not equal(outputs(model), outputs(untrained))
    assert equal(outputs(model), outputs(load_into(untrained, tmp_path).eval()))


@pytest.mark.parametrize("method", ["lora", "full"])
def test_training_goes_on_from_what_was_saved(trained, ready, tmp_path, method):
    model = trained(method)
    save_trained(model, tmp_path)
    other = ready(method).eval()

    load_trained(other, tmp_path)

    assert equal(outputs(model), outputs(other))
    trainable = [parameter.requires_grad for parameter in model.parameters()]
    assert [parameter.requires_grad for parameter in other.parameters()] == trainable


def test_plain_peft_reads_what_was_saved(trained, fresh, tmp_path):
    model = trained()
    save_trained(model, tmp_path)

    assert equal(outputs(model), outputs(PeftModel.from_pretrained(fresh(), tmp_path).eval()))


def test_nothing_of_the_frozen_base_is_in_the_file(trained, tmp_path):
    save_trained(trained(), tmp_path)

    names = load_file(tmp_path / ADAPTER_WEIGHTS)
    assert names
    assert not [name for name in names if "lora_" not in name and ".marks." not in name and ".scorer." not in name]
    assert {path.name for path in tmp_path.iterdir()} == {ADAPTER_WEIGHTS, ADAPTER_CONFIG}


def test_a_full_model_s_file_holds_all_weights_once(trained, tmp_path):
    model = trained("full")
    save_trained(model, tmp_path)

    assert load_file(tmp_path / FULL_WEIGHTS).keys() == model.state_dict().keys()
    assert {path.name for path in tmp_path.iterdir()} == {FULL_WEIGHTS}


def test_the_configuration_names_the_base_and_the_heads(trained, tmp_path):
    save_trained(trained(), tmp_path)

    config = json.loads((tmp_path / ADAPTER_CONFIG).read_text())
    assert config["base_model_name_or_path"] == "tiny/encoder"
    assert sorted(config["modules_to_save"]) == ["marks", "scorer"]
    assert config["r"] == 2


def test_saving_asks_no_hub_about_the_base(trained, tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("the hub was asked")

    monkeypatch.setattr("peft.utils.save_and_load.check_file_exists_on_hf_hub", refuse)

    save_trained(trained(), tmp_path)


@pytest.mark.parametrize(("method", "name"), [("lora", ADAPTER_WEIGHTS), ("full", FULL_WEIGHTS)])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_truncated_file_is_refused(trained, fresh, tmp_path, method, name, share):
    save_trained(trained(method), tmp_path)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(len(content) * share)])

    with pytest.raises(EventuneError, match=f"{name}: expected a complete safetensors file"):
        load_into(fresh(), tmp_path)


def test_a_truncated_configuration_is_refused(trained, fresh, tmp_path):
    save_trained(trained(), tmp_path)
    content = (tmp_path / ADAPTER_CONFIG).read_text()
    (tmp_path / ADAPTER_CONFIG).write_text(content[: len(content) // 2])

    with pytest.raises(EventuneError, match=f"{ADAPTER_CONFIG}: expected JSON"):
        load_into(fresh(), tmp_path)


@pytest.mark.parametrize("content", ["{}", '{"peft_type": "NOTHING"}'])
def test_a_configuration_that_is_no_adapter_s_is_refused(trained, fresh, tmp_path, content):
    save_trained(trained(), tmp_path)
    (tmp_path / ADAPTER_CONFIG).write_text(content)

    with pytest.raises(EventuneError, match=str(tmp_path)):
        load_into(fresh(), tmp_path)


def test_a_folder_without_weights_is_refused(fresh, tmp_path):
    with pytest.raises(EventuneError, match=f"{FULL_WEIGHTS}: no such file"):
        load_into(fresh(), tmp_path)


def test_weights_of_another_rank_are_refused(trained, ready, fresh, tmp_path):
    save_trained(trained(lora_r=4), tmp_path)

    with pytest.raises(EventuneError, match=r"expected this model's \d+ weights, found others"):
        load_trained(ready(lora_r=2), tmp_path)

    config = json.loads((tmp_path / ADAPTER_CONFIG).read_text())
    (tmp_path / ADAPTER_CONFIG).write_text(json.dumps(config | {"r": 2}))
    with pytest.raises(EventuneError, match=r"expected this model's \d+ weights, found others"):
        load_into(fresh(), tmp_path)


def test_heads_of_another_shape_are_refused(trained, fresh, tmp_path):
    save_trained(trained(), tmp_path)

    with pytest.raises(EventuneError, match="found others"):
        load_into(fresh(max_span_length=5), tmp_path)


@pytest.mark.parametrize("lost", ["marks", "lora_A"])
def test_a_file_that_lacks_a_weight_is_refused_instead_of_leaving_it_random(trained, fresh, tmp_path, lost):
    save_trained(trained(), tmp_path)
    weights = load_file(tmp_path / ADAPTER_WEIGHTS)
    del weights[next(name for name in weights if lost in name)]
    save_file(weights, tmp_path / ADAPTER_WEIGHTS)

    with pytest.raises(EventuneError, match=rf"found others, e\.g\. .*{lost}"):
        load_into(fresh(), tmp_path)


def test_weights_that_are_not_finite_are_not_saved(trained, tmp_path):
    model = trained()
    with torch.no_grad():
        next(p for p in model.parameters() if p.requires_grad).fill_(float("inf"))

    with pytest.raises(EventuneError, match="not finite"):
        save_trained(model, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_trained_parameter_that_the_file_would_not_hold_is_an_error(trained, tmp_path):
    model = trained()
    model.base_model.model.encoder.embeddings.LayerNorm.weight.requires_grad_(True)

    with pytest.raises(EventuneError, match=r"1 trained parameters would not be saved, e\.g\. encoder\.embeddings"):
        save_trained(model, tmp_path)


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), SafetensorError("No space left")])
@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_full_disk_is_one_clear_error(trained, tmp_path, monkeypatch, error, method):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr("eventune.adapters.weight_files.save_file", fail)

    with pytest.raises(EventuneError, match=r"cannot be written: .*No space left.*\nfree some space"):
        save_trained(trained(method), tmp_path)
