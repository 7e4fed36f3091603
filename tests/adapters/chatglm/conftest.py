"""A published checkpoint, and adapters on models of both kinds."""

import pytest
import torch
from peft import LoraConfig, get_peft_model

from tests.adapters.chatglm.models import Published, tiny_glm


@pytest.fixture
def ids():
    return torch.arange(1, 25).reshape(2, 12)


@pytest.fixture
def base_folder(tmp_path):
    """The native base's folder."""
    tiny_glm().save_pretrained(tmp_path / "base")
    return tmp_path / "base"


@pytest.fixture
def adapted(tmp_path):
    """A function that saves a random adapter and gives its folder and the model in evaluation."""

    def make(name="adapter", *, published=True, seed=1, **settings):
        targets = ["query_key_value"] if published else ["q_proj", "k_proj", "v_proj"]
        settings = {"r": 4, "lora_alpha": 8, "target_modules": targets, **settings}
        base = Published(tiny_glm()) if published else tiny_glm()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            model = get_peft_model(base, LoraConfig(**settings)).eval()
            for parameter in model.parameters():
                if parameter.requires_grad:
                    torch.nn.init.normal_(parameter, std=0.2)
        model.save_pretrained(tmp_path / name)
        return tmp_path / name, model

    return make
