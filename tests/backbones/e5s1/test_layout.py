import pytest
import torch

from eventune.backbones.e5s1.layout import PackedEncoder
from eventune.backbones.tensor_files import Rows


def test_sizes_and_vocabulary_are_read(packed):
    encoder = PackedEncoder(packed.file)

    assert (encoder.sizes.hidden, encoder.sizes.layers, encoder.sizes.positions) == (32, 2, 24)
    assert encoder.vocabulary.pieces[11:15] == ["中", "国", "中国", "▁中国"]
    assert encoder.vocabulary.scores[3] == -3.0
    assert encoder.vocabulary.changes["½"] == "1⁄2"
    assert encoder.vocabulary.changes["\x01"] == ""


def test_rows_in_the_middle_of_a_packed_tensor_are_its_rows(packed):
    rows = PackedEncoder(packed.file).read(Rows("emb.word", 7, 11))

    assert torch.equal(rows, packed.weights["embeddings.word_embeddings.weight"][7:11])


def test_rows_of_tensors_that_are_not_packed_are_read_as_they_are(packed):
    encoder = PackedEncoder(packed.file)

    positions = packed.weights["embeddings.position_embeddings.weight"]
    assert torch.equal(encoder.read(Rows("emb.pos", 3, 5)), positions[3:5])
    assert torch.equal(encoder.read(Rows("l1.fi.b", 0, 64)), packed.weights["encoder.layer.1.intermediate.dense.bias"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"magic": b"GGUF"}, "expected the form E5S1, version 1"),
        ({"version": 2}, "expected the form E5S1, version 1"),
        ({"block": 64}, "expected blocks of 32 numbers, found 64"),
        ({"without": ["l1.fo.w"]}, "expected l1.fo.w of 32 × 64, found None"),
    ],
)
def test_another_form_is_refused(write, changes, message):
    with pytest.raises(ValueError, match=message):
        PackedEncoder(write(**changes).file)


@pytest.mark.parametrize("size", [3, 100, 400])
def test_a_file_that_was_cut_off_is_refused(packed, size):
    packed.file.write_bytes(packed.file.read_bytes()[:size])

    with pytest.raises(ValueError, match="cut off"):
        PackedEncoder(packed.file)
