"""The tokenizer of a packed E5 as a fast one of the tokenizers library, whose offsets are those of the raw text."""

from __future__ import annotations

import re
from unicodedata import normalize

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from eventune.backbones.e5s1.layout import Vocabulary

_MASK = "<mask>"
_NO_SPACE_BEFORE = (
    r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"  # scripts without spaces between words
    r"\x{3000}-\x{303F}"  # punctuation of the first three
    r",.;:!?%)\]}"
)
"""What stands behind no space in the texts that the encoder was trained on."""


def build_tokenizer(vocabulary: Vocabulary, *, model_max_length: int) -> PreTrainedTokenizerFast:
    """Build a tokenizer for words as well as for texts.

    A word that comes by itself has the mark `▁` before it only where a running text has a space: else a Chinese
    document of single characters would have twice as many subword tokens, in an order that no text has.

    Args:
        vocabulary: Its vocabulary.
        model_max_length: Most subword tokens that the encoder takes.

    Returns:
        The tokenizer.
    """
    pieces = vocabulary.pieces
    scored = list(zip(pieces, vocabulary.scores, strict=True))
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=vocabulary.unk, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([*_replacements(vocabulary.changes), normalizers.NFKC()])
    marks = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    no_mark = pre_tokenizers.Split(Regex(f"^▁(?=[{_NO_SPACE_BEFORE}])"), "removed")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), marks, no_mark])
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    first, last = pieces[vocabulary.bos], pieces[vocabulary.eos]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}",
        pair=f"{first} $A {last} {last} $B {last}",
        special_tokens=[(first, vocabulary.bos), (last, vocabulary.eos)],
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        model_max_length=model_max_length,
        bos_token=first,
        cls_token=first,
        eos_token=last,
        sep_token=last,
        pad_token=pieces[vocabulary.pad],
        unk_token=pieces[vocabulary.unk],
        mask_token=AddedToken(_MASK, lstrip=True, special=True),
    )


def _replacements(changes: dict[str, str]) -> list[normalizers.Replace]:
    """Return what the changes do beyond NFKC: control characters vanish, and some others become spaces.

    NFKC itself does the rest, and joins a letter with the marks behind it, which changes of single characters cannot.
    """
    characters: dict[str, list[str]] = {}
    for character, changed in changes.items():
        if normalize("NFKC", character) != changed:
            characters.setdefault(changed, []).append(re.escape(character))
    return [normalizers.Replace(Regex(f"[{''.join(found)}]"), changed) for changed, found in characters.items()]
