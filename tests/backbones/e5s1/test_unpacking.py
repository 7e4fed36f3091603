import hashlib

import pytest
import torch
from safetensors.torch import load_file

from eventune.backbones.e5s1.unpacking import unpacked
from eventune.backbones.load import load_encoder
from eventune.backbones.resolve import resolve
from eventune.errors import EventuneError


def test_the_weights_are_those_that_were_packed(packed):
    weights = load_file(unpacked(packed.file, packed.sha256) / "model.safetensors")

    assert weights.keys() == packed.weights.keys()
    for name, weight in packed.weights.items():
        assert torch.equal(weights[name], weight), name


def test_what_was_unpacked_is_an_encoder_like_any_other(packed):
    encoder = load_encoder(resolve(str(unpacked(packed.file, packed.sha256))))

    assert encoder.new_modules == ()
    assert encoder.max_length == encoder.tokenizer.model_max_length == 24
    assert encoder.model.config.layer_norm_eps == 1e-12
    tokenizer = encoder.tokenizer
    ids = (tokenizer.cls_token_id, tokenizer.pad_token_id, tokenizer.sep_token_id, tokenizer.unk_token_id)
    assert ids == (0, 1, 2, 3)
    assert tokenizer.mask_token_id == 15
    with torch.inference_mode():
        states = encoder.model(torch.tensor([tokenizer("ab 中国")["input_ids"]])).last_hidden_state
    assert states.shape == (1, 4, 32)


def test_a_model_is_unpacked_once(packed):
    weights = unpacked(packed.file, packed.sha256) / "model.safetensors"
    before = weights.stat().st_ino

    unpacked(packed.file, packed.sha256)

    assert weights.stat().st_ino == before


def test_another_file_is_not_read(packed, cache):
    content = bytearray(packed.file.read_bytes())
    content[-1] ^= 1
    packed.file.write_bytes(content)

    with pytest.raises(EventuneError, match=r"expected a file with sha256.*found.*\ninstall its package anew"):
        unpacked(packed.file, packed.sha256)
    assert not cache.exists()


def test_a_missing_file_is_an_error_that_says_what_to_do(tmp_path):
    with pytest.raises(EventuneError, match=r"cannot be read: No such file.*\ninstall its package anew"):
        unpacked(tmp_path / "none.bin", "0" * 64)


def test_a_file_that_ends_before_its_last_tensor_leaves_no_folder(packed, cache):
    content = packed.file.read_bytes()[:-4]
    packed.file.write_bytes(content)

    with pytest.raises(EventuneError, match="could not be unpacked"):
        unpacked(packed.file, hashlib.sha256(content).hexdigest())
    assert list(cache.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_named(packed, cache):
    cache.write_text("a file where the folder should be")

    with pytest.raises(EventuneError, match=r"expected a folder to keep .* in, .*\n.*EVENTUNE_CACHE"):
        unpacked(packed.file, packed.sha256)
