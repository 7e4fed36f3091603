import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import DynamicCache

from eventune.adapters.chatglm.prefix import convert_prefix, prefix_file
from eventune.adapters.store import load_into
from eventune.errors import EventuneError
from tests.adapters.chatglm.models import tiny_glm

POSITIONS, LAYERS, HEADS, SIZE = 5, 2, 2, 16
ENCODER = "transformer.prefix_encoder."


def published_logits(flat, ids):
    """Compute as the published code does: a cache of keys as they are, and a text that begins at position 0."""
    model = tiny_glm()
    prefix = flat.view(1, POSITIONS, LAYERS * 2, HEADS, SIZE).expand(len(ids), -1, -1, -1, -1)
    cache = DynamicCache()
    for index, pair in enumerate(prefix.permute(2, 0, 3, 1, 4).split(2)):
        cache.update(pair[0].contiguous(), pair[1].contiguous(), index)
    positions = torch.arange(ids.shape[1])[None]
    return model(ids, past_key_values=cache, position_ids=positions).logits


@pytest.fixture
def embedding():
    torch.manual_seed(3)
    return torch.randn(POSITIONS, LAYERS * 2 * HEADS * SIZE)


@pytest.fixture
def checkpoint(tmp_path, embedding):
    (tmp_path / "checkpoint-3000").mkdir()
    path = tmp_path / "checkpoint-3000" / "pytorch_model.bin"
    torch.save({f"{ENCODER}embedding.weight": embedding}, path)
    return path


@pytest.fixture
def target(tmp_path):
    (tmp_path / "adapter").mkdir()
    return tmp_path / "adapter"


def test_project_and_peft_compute_what_the_published_code_does(checkpoint, embedding, base_folder, target, ids) -> None:
    result = convert_prefix(checkpoint, target, base=base_folder)
    assert (result.positions, result.had_projection) == (POSITIONS, False)
    with torch.inference_mode():
        expected = published_logits(embedding, ids)
        own = load_into(tiny_glm(), target).eval()(ids).logits
        peft = PeftModel.from_pretrained(tiny_glm(), target).eval()(input_ids=ids).logits
        without = tiny_glm()(ids).logits
    torch.testing.assert_close(own, expected)
    torch.testing.assert_close(peft, expected)
    assert not torch.allclose(without, expected, atol=1e-3)


def test_a_projection_is_computed_once(tmp_path, base_folder, target, ids) -> None:
    torch.manual_seed(4)
    width = HEADS * SIZE
    encoder = nn.ModuleDict(
        {
            "embedding": nn.Embedding(POSITIONS, width),
            "trans": nn.Sequential(nn.Linear(width, 64), nn.Tanh(), nn.Linear(64, LAYERS * 2 * width)),
        }
    )
    path = tmp_path / "model.safetensors"
    save_file({f"{ENCODER}{name}": tensor for name, tensor in encoder.state_dict().items()}, path)
    assert convert_prefix(path, target, base=base_folder).had_projection
    with torch.inference_mode():
        flat = encoder["trans"](encoder["embedding"](torch.arange(POSITIONS)))
        found = load_into(tiny_glm(), target).eval()(ids).logits
        torch.testing.assert_close(found, published_logits(flat, ids))
    assert list(load_file(target / "adapter_model.safetensors")) == ["prompt_embeddings"]


def test_values_are_taken_over_bit_by_bit(checkpoint, embedding, base_folder, target) -> None:
    convert_prefix(checkpoint, target, base=base_folder)
    found = load_file(target / "adapter_model.safetensors")["prompt_embeddings"].view(POSITIONS, LAYERS, 2, -1)
    expected = embedding.view(POSITIONS, LAYERS, 2, -1)
    assert torch.equal(found[:, :, 1], expected[:, :, 1])
    torch.testing.assert_close(found[:, :, 0].norm(dim=-1), expected[:, :, 0].norm(dim=-1))


def test_files_that_hold_no_such_prefix_are_refused(checkpoint, base_folder, target, tmp_path) -> None:
    torch.save({"transformer.other": torch.ones(2)}, checkpoint)
    with pytest.raises(EventuneError, match="found no tensor of a prefix_encoder"):
        convert_prefix(checkpoint, target, base=base_folder)
    torch.save({f"{ENCODER}embedding.weight": torch.ones(5, 12)}, checkpoint)
    with pytest.raises(EventuneError, match="expected keys and values of 2 layers · 2 heads · 16, found 12"):
        convert_prefix(checkpoint, target, base=base_folder)
    (tmp_path / "config.json").write_text('{"model_type": "chatglm"}', encoding="utf-8")
    with pytest.raises(EventuneError, match="eventune convert chatglm2"):
        convert_prefix(checkpoint, target, base=tmp_path)


def test_a_checkpoint_is_found_by_its_folder(checkpoint, tmp_path) -> None:
    assert prefix_file(checkpoint.parent) == prefix_file(checkpoint) == checkpoint
    assert prefix_file(tmp_path) is None
