import json

import pytest
from transformers import BertForTokenClassification, LlamaForCausalLM

from eventune.backbones.skeleton import TASKS, load_skeleton
from eventune.errors import EventuneError

OWN = """
import torch
from torch import nn
from transformers import BertConfig, BertModel


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.bert = BertModel(BertConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2))
        self.tags = nn.Linear(32, 3)


class Computing(Tagger):
    def __init__(self):
        super().__init__()
        self.scale = float(self.tags.weight.sum())


class Demanding(nn.Module):
    def __init__(self, size):
        super().__init__()


def make():
    return Tagger()


number = 3


def count():
    return 3
"""


@pytest.fixture
def own_module(tmp_path, monkeypatch):
    """A module in the working directory, under a name that no other test uses."""
    name = f"own_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(OWN, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return name


def write_config(folder, **values):
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(values), encoding="utf-8")
    return folder


def devices(model):
    return {parameter.device.type for parameter in model.parameters()}


def test_a_configuration_alone_is_enough(tmp_path):
    config = {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        "hidden_size": 8192,
        "num_hidden_layers": 80,
    }
    folder = write_config(tmp_path / "big", **config)

    for name in (str(folder), str(folder / "config.json")):
        skeleton = load_skeleton(name)
        assert isinstance(skeleton.model, LlamaForCausalLM)
        assert devices(skeleton.model) == {"meta"}
        assert skeleton.new_modules is None


def test_what_the_checkpoint_lacks_is_read_off_its_names(tiny_encoder):
    skeleton = load_skeleton(str(tiny_encoder), task="token-classification")

    assert isinstance(skeleton.model, BertForTokenClassification)
    assert skeleton.new_modules == ("classifier",)
    assert devices(skeleton.model) == {"meta"}
    assert load_skeleton(str(tiny_encoder)).new_modules == ("pooler.dense",)


@pytest.mark.parametrize("task", sorted(TASKS.keys() - {"seq2seq-lm"}))
def test_every_task_has_a_model(task, tiny_encoder):
    assert load_skeleton(str(tiny_encoder), task=task).model is not None


def test_a_task_that_the_architecture_has_no_model_for_is_refused(tiny_encoder):
    with pytest.raises(EventuneError, match=r"no AutoModelForSeq2SeqLM can be built"):
        load_skeleton(str(tiny_encoder), task="seq2seq-lm")


@pytest.mark.parametrize("name", ["Tagger", "Computing", "make"])
def test_a_class_or_function_of_the_user_s_own_is_built(name, own_module):
    model = load_skeleton(f"{own_module}:{name}").model

    assert devices(model) == {"cpu" if name == "Computing" else "meta"}
    assert model.tags.out_features == 3


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Tager", r"has no class or function 'Tager'\ndid you mean 'Tagger'"),
        ("number", "has no class or function 'number'"),
        ("count", "expected an nn.Module, found int"),
        ("Demanding", r"it cannot be made without arguments: TypeError"),
    ],
)
def test_what_is_no_model_of_the_user_s_own_is_refused(name, message, own_module):
    with pytest.raises(EventuneError, match=message):
        load_skeleton(f"{own_module}:{name}")


def test_a_module_that_is_not_there_is_refused():
    with pytest.raises(EventuneError, match="the module 'no_such_module' cannot be imported"):
        load_skeleton("no_such_module:Model")


def test_an_architecture_that_needs_its_own_code_is_refused_without_a_question(tmp_path):
    auto_map = {"AutoModel": "modeling_baichuan.BaichuanForCausalLM"}
    folder = write_config(tmp_path / "baichuan", model_type="baichuan", auto_map=auto_map)

    with pytest.raises(EventuneError, match="found 'baichuan'; the folder wants its own code to be run, which"):
        load_skeleton(str(folder))


def test_a_misspelt_architecture_gets_a_hint(tmp_path):
    with pytest.raises(EventuneError, match=r"found 'brt'\ndid you mean 'bert'"):
        load_skeleton(str(write_config(tmp_path / "m", model_type="brt")))


@pytest.mark.parametrize("content", ["{", "[]", '{"model_type": 3}', ""])
def test_a_damaged_configuration_is_one_clear_error(content, tmp_path):
    (tmp_path / "config.json").write_text(content, encoding="utf-8")

    with pytest.raises(EventuneError, match=r"config\.json: expected"):
        load_skeleton(str(tmp_path))


def test_a_configuration_that_cannot_be_is_one_clear_error(tmp_path):
    folder = write_config(tmp_path / "m", model_type="bert", hidden_size=10, num_attention_heads=3)

    with pytest.raises(EventuneError, match="multiple"):
        load_skeleton(str(folder))


def test_names_that_lead_nowhere_say_what_was_tried(tmp_path):
    with pytest.raises(EventuneError, match="tried the folder minilmm: does not exist; the hub model minilmm"):
        load_skeleton("minilmm")
    with pytest.raises(EventuneError, match=r"found no config\.json in it"):
        load_skeleton(str(tmp_path))


@pytest.mark.parametrize("text", ["class Tagger(", "raise SystemExit(3)", "1 / 0"])
def test_a_module_that_cannot_be_run_is_one_clear_error(text, tmp_path, monkeypatch):
    name = f"broken_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(EventuneError, match=r"cannot be imported: (SyntaxError|SystemExit|ZeroDivisionError)"):
        load_skeleton(f"{name}:Tagger")


def test_what_the_user_s_module_prints_stays_off_stdout(own_module, tmp_path, capsys):
    text = f"print('hello')\nfrom {own_module} import Tagger"
    (tmp_path / f"loud_{own_module}.py").write_text(text, encoding="utf-8")

    load_skeleton(f"loud_{own_module}:Tagger")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "hello\n"
