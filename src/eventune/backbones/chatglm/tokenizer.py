"""ChatGLM2's tokenizer as a fast one of the tokenizers library, and the chat template of its rounds."""

from __future__ import annotations

from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, processors
from transformers import PreTrainedTokenizerFast

from eventune.backbones.chatglm.sentencepiece import Piece, PieceType, read_pieces
from eventune.errors import EventuneError

SPECIALS = ("[MASK]", "[gMASK]", "[sMASK]", "sop", "eop")
"""What the published code puts behind the pieces."""
ROLES = ("<|system|>", "<|user|>", "<|assistant|>", "<|observation|>")
"""What ChatGLM3's puts behind these."""
MODEL_MAX_LENGTH = 32_768
CHAT_TEMPLATE = (
    "{% set turn = namespace(number=0) %}"
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ message['content'] + '\\n\\n' }}"
    "{% elif message['role'] == 'user' %}{% set turn.number = turn.number + 1 %}"
    "{% if turn.number > 1 %}{{ '\\n\\n' }}{% endif %}"
    "{{ '[Round ' ~ turn.number ~ ']\\n\\n问：' + message['content'] + '\\n\\n' }}"
    "{% if not loop.last or add_generation_prompt %}{{ '答：' }}{% endif %}"
    "{% elif message['role'] == 'assistant' %}{{ message['content'] }}"
    "{% else %}{{ raise_exception('expected system, user or assistant, found ' + message['role']) }}{% endif %}"
    "{% endfor %}"
)
"""Rounds of question and answer, numbered from 1; a system message, which the model was not trained with, stands before
them as plain text. The tokens `[gMASK] sop` are no text: the tokenizer puts them before each text, so what this renders
has to be tokenised with special tokens; `apply_chat_template(…, tokenize=True)` leaves them out."""


def build_tokenizer(
    path: Path, *, roles: bool = False, model_max_length: int = MODEL_MAX_LENGTH
) -> PreTrainedTokenizerFast:
    """Build the fast tokenizer that gives the published tokenizer's ids.

    Texts are framed as `[gMASK] sop A`, pairs as `[gMASK] sop A B </s>`; padding is on the left; special tokens that
    are spelled in a text are not read as such.

    Args:
        path: The SentencePiece file, `tokenizer.model`.
        roles: Whether ChatGLM3's tokens of roles follow; its chat template is not this one, so none is set then.
        model_max_length: The most tokens that the model reads.

    Returns:
        The tokenizer, with the chat template of ChatGLM2.

    Raises:
        EventuneError: If the file is no SentencePiece model of this kind.
    """
    pieces = read_pieces(path)
    _require_layout(pieces, path)
    vocabulary = {piece.text: number for number, piece in enumerate(pieces)}
    specials = (*SPECIALS, *ROLES) if roles else SPECIALS
    ids = {name: len(pieces) + number for number, name in enumerate(specials)}
    model = models.BPE(vocabulary, _merges(pieces), unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens(
        [AddedToken(text, normalized=False, special=True) for text in ("<unk>", "<s>", "</s>", *specials)]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[gMASK] sop $A",
        pair="[gMASK] sop $A $B:0 </s>:0",
        special_tokens=[("[gMASK]", ids["[gMASK]"]), ("sop", ids["sop"]), ("</s>", 2)],
    )
    # No add_bos_token and no bos_token: with them transformers would put its own frame in place of this one.
    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        unk_token="<unk>",
        pad_token="<unk>",
        eos_token="</s>",
        padding_side="left",
        split_special_tokens=True,
        model_max_length=model_max_length,
        clean_up_tokenization_spaces=False,
    )
    if not roles:
        fast.chat_template = CHAT_TEMPLATE
    return fast


def is_tiktoken(path: Path) -> bool:
    """Tell whether a `tokenizer.model` has GLM-4's form: lines of a piece in base64 and its rank."""
    with path.open("rb") as file:
        first = file.readline(4096).split()
    return len(first) == 2 and first[1].isdigit()


def _require_layout(pieces: list[Piece], path: Path) -> None:
    expected = (
        ("<unk>", PieceType.UNKNOWN),
        ("<s>", PieceType.CONTROL),
        ("</s>", PieceType.CONTROL),
        *((f"<0x{number:02X}>", PieceType.BYTE) for number in range(256)),
    )
    for number, (text, kind) in enumerate(expected):
        found = pieces[number] if number < len(pieces) else None
        if found is None or (found.text, found.type) != (text, kind):
            raise EventuneError(
                f"{path}: expected the piece {text} at {number}, found {found.text if found else 'no piece'!r}",
                "give the tokenizer.model of ChatGLM2-6B or ChatGLM3-6B",
            )


def _merges(pieces: list[Piece]) -> list[tuple[str, str]]:
    """Return all pairs of pieces that make a piece, in the order in which SentencePiece merges them."""
    normal = {piece.text: number for number, piece in enumerate(pieces) if piece.type is PieceType.NORMAL}
    merges = []
    for text, number in normal.items():
        for cut in range(1, len(text)):
            left, right = normal.get(text[:cut]), normal.get(text[cut:])
            if left is not None and right is not None:
                merges.append((-pieces[number].score, left, right))
    return [(pieces[left].text, pieces[right].text) for _, left, right in sorted(merges)]
