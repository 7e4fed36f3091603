import json

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn
from torch.nn.parallel import DataParallel


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 64), nn.Linear(64, 64))
        self.head = nn.Linear(64, 2)

    def forward(self, x):
        return self.head(self.body(x))


@pytest.fixture
def checkpoint(tmp_path):
    torch.manual_seed(0)
    model = get_peft_model(DataParallel(Tagger()), LoraConfig(r=2, lora_alpha=4, target_modules=["0", "1"]))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    torch.save(model.state_dict(), tmp_path / "static_dict3_0.4053.pkl")
    return model, tmp_path / "static_dict3_0.4053.pkl"


def test_the_adapter_of_a_whole_state_is_written_for_peft(run, checkpoint, tmp_path):
    model, path = checkpoint
    shown = run("convert", "adapter", path, tmp_path / "adapter", "--lora_alpha", 4, "--base_model", "mine")

    assert shown.code == 0
    assert "642 parameters in 0.00 MB" in " ".join(shown.out.split())
    config = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text(encoding="utf-8"))
    assert (config["r"], config["lora_alpha"], config["base_model_name_or_path"]) == (2, 4, "mine")
    assert config["modules_to_save"] == ["head"]
    plain = Tagger()
    base = model.get_base_model().module
    for name in ("0", "1"):
        plain.body.get_submodule(name).load_state_dict(base.body.get_submodule(name).base_layer.state_dict())
    x = torch.randn(3, 64)
    with torch.inference_mode():
        found = PeftModel.from_pretrained(plain, tmp_path / "adapter").eval()(x)
        torch.testing.assert_close(found, model.eval()(x))


def test_json_is_one_object(run, checkpoint, tmp_path):
    shown = run("convert", "adapter", checkpoint[1], tmp_path / "out", "--lora_alpha", 4, "--heads", "head", "--json")
    result = json.loads(shown.out)

    assert result["parameters"] == 2 * 2 * 128 + 130
    assert result["saved_bytes"] < result["checkpoint_bytes"]


def test_wrong_input_is_one_clear_error_and_leaves_nothing(refused, checkpoint, tmp_path):
    path, out = checkpoint[1], tmp_path / "out"
    (tmp_path / "text.pkl").write_text("hello", encoding="utf-8")
    assert "no such file" in refused("convert", "adapter", tmp_path / "absent.pkl", out, "--lora_alpha", 4)
    assert "expected weights alone" in refused("convert", "adapter", tmp_path / "text.pkl", out, "--lora_alpha", 4)
    assert "lora_alpha: expected an integer >= 1" in refused("convert", "adapter", path, out, "--lora_alpha", 0)
    assert "'hed' is none" in refused("convert", "adapter", path, out, "--lora_alpha", 4, "--heads", "hed")
    assert "exists already" in refused("convert", "adapter", path, tmp_path, "--lora_alpha", 4)
    assert not out.exists()
