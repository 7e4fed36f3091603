import pytest

from eventune.corpora.offsets import Offsets
from eventune.errors import InvalidValueError
from eventune.events import Argument, Mention, Span
from eventune.events.segmentation import segment, segment_characters

TEXT = "Heparin-induced 病 😀 shock"


@pytest.fixture
def offsets():
    return Offsets(TEXT, segment(TEXT)[0])


def test_span_on_token_boundaries_needs_no_characters(offsets):
    assert offsets.argument("drug", [(0, 7)], "x") == Argument("drug", Span(0, 1))


def test_span_inside_a_token_keeps_its_characters(offsets):
    assert offsets.mention([(2, 7)], "x", id="T1") == Mention(Span(0, 1), "T1", characters=(Span(2, 7),))


def test_pieces_keep_their_order(offsets):
    mention = offsets.mention([(20, 25), (0, 7)], "x")
    assert mention.span == Span(0, 6)
    assert mention.fragments == (Span(5, 6), Span(0, 1))


@pytest.mark.parametrize(
    ("piece", "message"),
    [
        ((3, 3), "non-empty span"),
        ((5, 2), "non-empty span"),
        ((-1, 2), "non-empty span"),
        ((0, 99), "25 characters"),
        ((0, True), "non-empty span"),
        ((0.0, 1), "non-empty span"),
        ("ab", "non-empty span"),
        ((15, 16), "a token in it"),
    ],
)
def test_wrong_piece_is_refused(offsets, piece, message):
    with pytest.raises(InvalidValueError, match=f"where: .*{message}"):
        offsets.argument("role", [piece], "where")


def test_characters_as_tokens():
    tokens, sentences = segment_characters("他说：好。\n走")
    assert len(tokens) == 6
    assert sentences == (Span(0, 5), Span(5, 6))
