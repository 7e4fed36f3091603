import pytest

from eventune.backbones.chatglm.sentencepiece import Piece, PieceType, read_pieces
from eventune.errors import EventuneError


def test_pieces_are_read_with_score_and_type(tmp_path, sentencepiece_model) -> None:
    path = tmp_path / "tokenizer.model"
    path.write_bytes(sentencepiece_model(["▁", "▁你好"]))
    pieces = read_pieces(path)

    assert pieces[:2] == [Piece("<unk>", 0.0, PieceType.UNKNOWN), Piece("<s>", -1.0, PieceType.CONTROL)]
    assert pieces[13] == Piece("<0x0A>", -13.0, PieceType.BYTE)
    assert pieces[-1] == Piece("▁你好", -260.0, PieceType.NORMAL)
    assert len(pieces) == 261


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"model_type": 1}, "a unigram, word or character model"),
        ({"character_map": b"\x01"}, "a normaliser that changes characters"),
        ({"dummy_prefix": 0}, "no space put before a text"),
        ({"removes_spaces": 1}, "repeated spaces removed"),
        ({"escapes_spaces": 0}, "spaces that are not written as ▁"),
    ],
)
def test_models_that_would_give_other_ids_are_refused(tmp_path, sentencepiece_model, change, found) -> None:
    path = tmp_path / "tokenizer.model"
    path.write_bytes(sentencepiece_model(["▁"], **change))
    with pytest.raises(EventuneError, match=found):
        read_pieces(path)


def test_damaged_files_are_refused(tmp_path, sentencepiece_model) -> None:
    path = tmp_path / "tokenizer.model"
    whole = sentencepiece_model(["▁"])
    for content in (b"", whole[:-5], whole[:1001], b"<!DOCTYPE html>", b"\xff" * 20):
        path.write_bytes(content)
        with pytest.raises(EventuneError, match="expected a SentencePiece model, found"):
            read_pieces(path)
