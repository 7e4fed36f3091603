import pickle

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn
from torch.nn.parallel import DataParallel

from eventune.adapters.checkpoints import read_state, save_adapter_of
from eventune.adapters.store import ADAPTER_WEIGHTS, load_into
from eventune.errors import EventuneError

from .test_methods import IDS, PADDED, outputs_of
from .test_pitfalls import NOTES, Bert


@pytest.fixture
def notes(tmp_path):
    """What the notes save after an epoch: the whole state, of a model wrapped before PEFT wrapped it."""
    model = get_peft_model(DataParallel(Bert()), LoraConfig(**NOTES))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name or "linear_" in name:
                parameter.normal_(std=0.2)
    path = tmp_path / "static_dict3_0.4053.pkl"
    torch.save(model.state_dict(), path)
    return model, path


def test_adapter_and_heads_come_out_of_the_notes_checkpoint(notes, tmp_path):
    model, path = notes
    folder = tmp_path / "adapter"
    folder.mkdir()

    saved = save_adapter_of(read_state(path), folder, lora_alpha=16, base_name="bert-base-uncased")

    fresh = Bert()
    for head in (fresh.linear_1, fresh.linear_2):
        nn.init.normal_(head.weight)
    reloaded = load_into(fresh, folder)
    with torch.inference_mode():
        expected = model.eval()(IDS, PADDED)
    assert torch.equal(outputs_of(reloaded), expected)
    assert saved.parameters == 4 * 16 * 64 + 2 * 33
    assert saved.bytes < path.stat().st_size / 3
    assert torch.equal(outputs_of(PeftModel.from_pretrained(Bert(), folder)), expected)


def test_a_state_with_saved_modules_dora_and_several_ranks_is_read_too(tmp_path):
    config = LoraConfig(
        r=4, lora_alpha=8, rank_pattern={"value": 2}, use_dora=True, target_modules=["query", "value"],
        modules_to_save=["linear_1", "linear_2"],
    )  # fmt: skip
    model = get_peft_model(Bert(), config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.normal_(std=0.2)
    torch.save({"epoch": 3, "state_dict": model.state_dict()}, tmp_path / "model.pt")
    folder = tmp_path / "adapter"
    folder.mkdir()

    save_adapter_of(read_state(tmp_path / "model.pt"), folder, lora_alpha=8)

    assert torch.equal(outputs_of(load_into(Bert(), folder)), outputs_of(model))


def test_a_file_that_runs_code_is_not_read(tmp_path):
    class Attack:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps({"weight": Attack()}))
    with pytest.raises(EventuneError, match="expected weights alone"):
        read_state(path)
    torch.save(Bert(), path)
    with pytest.raises(EventuneError, match="a whole model that was saved cannot be read without running its code"):
        read_state(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"\x80\x04", b"PK\x03\x04", b"not a checkpoint", b"\x00" * 1000])
def test_a_damaged_file_is_one_clear_error(content, tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(content)

    with pytest.raises(EventuneError, match=r"model\.pkl: expected weights alone"):
        read_state(path)


def test_what_is_no_state_is_refused(tmp_path):
    torch.save([torch.ones(2)], tmp_path / "list.pt")
    with pytest.raises(EventuneError, match="expected tensors by name, found list"):
        read_state(tmp_path / "list.pt")
    with pytest.raises(EventuneError, match="no such file"):
        read_state(tmp_path / "absent.pt")


def test_a_state_without_an_adapter_has_nothing_to_extract(tmp_path):
    with pytest.raises(EventuneError, match="expected a LoRA adapter among 41 tensors, found none"):
        save_adapter_of(Bert().state_dict(), tmp_path, lora_alpha=16)


def test_heads_can_be_named(notes, tmp_path):
    folder = tmp_path / "adapter"
    folder.mkdir()
    state = read_state(notes[1])

    save_adapter_of(state, folder, lora_alpha=16, heads=("linear_2",))
    from safetensors.torch import load_file

    assert not [name for name in load_file(folder / ADAPTER_WEIGHTS) if "linear_1" in name]
    with pytest.raises(EventuneError, match="heads: 'linear_3' is none of the state's modules"):
        save_adapter_of(state, folder, lora_alpha=16, heads=("linear_3",))


def test_an_adapter_of_another_name_is_read_and_two_are_refused(tmp_path):
    model = get_peft_model(Bert(), LoraConfig(r=2, target_modules=["query"]), adapter_name="news")
    folder = tmp_path / "adapter"
    folder.mkdir()

    save_adapter_of(model.state_dict(), folder, lora_alpha=8)
    assert torch.equal(outputs_of(load_into(Bert(), folder)), outputs_of(model))
    model.add_adapter("medical", LoraConfig(r=2, target_modules=["query"]))
    with pytest.raises(EventuneError, match="expected one adapter, found medical, news"):
        save_adapter_of(model.state_dict(), folder, lora_alpha=8)


def test_half_an_adapter_is_refused(notes, tmp_path):
    half = "layer.0.attention.self.query.lora_B"
    state = {name: tensor for name, tensor in read_state(notes[1]).items() if half not in name}

    with pytest.raises(EventuneError, match="expected both A and B of its adapter, found lora_A"):
        save_adapter_of(state, tmp_path, lora_alpha=16)
