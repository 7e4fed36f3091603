"""Several runs on one base, some of which cannot be loaded."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from eventune.adapters.methods import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from eventune.adapters.sharing import SharedBase
from eventune.errors import EventuneError

from .test_bank import alone, save_one
from .test_methods import Tagger, outputs_of


@pytest.fixture
def runs(tmp_path):
    """Folders of runs; the last two are damaged and have more targets than the others."""
    folders = {
        "first": save_one(Tagger(), tmp_path / "first", 1, lora_r=3),
        "second": save_one(Tagger(), tmp_path / "second", 2, lora_r=2, lora_target_modules="attention-qv"),
        "incomplete": save_one(Tagger(), tmp_path / "incomplete", 3, lora_r=2),
        "unsuitable": save_one(Tagger(), tmp_path / "unsuitable", 4, lora_r=2),
    }
    weights = load_file(folders["incomplete"] / ADAPTER_WEIGHTS)
    del weights[next(name for name in weights if "lora_A" in name)]
    save_file(weights, folders["incomplete"] / ADAPTER_WEIGHTS)
    path = folders["unsuitable"] / ADAPTER_CONFIG
    config = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(config | {"target_modules": ["query", "key", "output.LayerNorm"]}), encoding="utf-8")
    return folders


def around(encoder):
    model = Tagger()
    model.encoder = encoder
    return model


@pytest.mark.parametrize("damaged", ["incomplete", "unsuitable"])
@pytest.mark.parametrize("before", [(), ("first",)])
def test_a_run_that_cannot_be_loaded_leaves_nothing_on_the_base(runs, before, damaged):
    encoder = Tagger().encoder
    base = SharedBase(encoder)
    loaded = {name: base.load(around(encoder), runs[name]).eval() for name in before}

    with pytest.raises(EventuneError):
        base.load(around(encoder), runs[damaged])

    loaded["second"] = base.load(around(encoder), runs["second"]).eval()
    for name, model in loaded.items():
        with base.use(model):
            assert torch.equal(outputs_of(model), alone(runs[name]))
