"""Which models are loaded for those that can answer."""

import pytest

from eventune.adapters import AdapterArguments, attach, save_trained
from eventune.backbones.causal_lm import load_causal_lm
from eventune.backbones.placement import Placement
from eventune.backbones.resolve import resolve
from eventune.chat import models
from eventune.chat.models import ChatModels
from eventune.generation.generating import GenerationSettings


@pytest.fixture
def run(tiny_llm, tmp_path):
    """Makes a run of a method, as far as chats read it."""

    def make(method):
        folder = tmp_path / method
        folder.mkdir()
        arguments = AdapterArguments(method=method, **({"pre_seq_len": 4} if method == "prefix" else {}))
        save_trained(attach(load_causal_lm(resolve(str(tiny_llm))).model, arguments), folder)
        return folder

    return make


@pytest.fixture
def loads(monkeypatch):
    """How often the base was loaded."""
    loads = []
    monkeypatch.setattr(models, "load_causal_lm", lambda *of, **how: loads.append(of) or load_causal_lm(*of, **how))
    return loads


@pytest.mark.parametrize(
    ("methods", "first", "later"),
    [
        ((), 1, 1),
        (("lora",), 1, 1),
        (("full",), 1, 2),
        (("prefix",), 1, 2),
        (("prefix", "full"), 2, 3),
        (("lora", "prefix"), 2, 2),
    ],
)
def test_the_base_is_loaded_beside_runs_with_one_of_their_own_only_when_it_is_asked(
    tiny_llm, run, loads, methods, first, later
):
    chat_models = ChatModels(resolve(str(tiny_llm)), {name: run(name) for name in methods}, Placement.of("cpu"))
    session = chat_models.session(GenerationSettings(max_new_tokens=2))
    assert session.names == ("base", *methods)
    for name in methods:
        session.switch(name)
        list(session.ask("hi"))
    assert len(loads) == first
    session.switch("base")
    list(session.ask("hi"))
    list(session.ask("hi"))
    assert len(loads) == later
