"""Words in subword tokens, each word by itself."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any

from eventune.errors import EventuneError, InvalidValueError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MAX_SUBWORDS_A_WORD = 16
"""A longer word (an address, a hash) is read by its first and last subword tokens, so that it stays one word."""
_REMEMBERED_WORDS = 65536

Subwords = tuple[int, ...]
"""Ids of a word's subword tokens."""


class SubwordTokenizer:
    """Splits words into subword tokens; needs the `tokenizers` library alone.

    Attributes:
        cls_token_id: Stands before the input.
        sep_token_id: Stands behind the prompt and behind the text.
        unk_token_id: Stands for words that the tokenizer drops, or None.
        pad_token_id: Fills up a batch.
        mask_token_id: Stands for what is hidden in training, or None.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        *,
        cls_token_id: int,
        sep_token_id: int,
        unk_token_id: int | None = None,
        pad_token_id: int = 0,
        mask_token_id: int | None = None,
    ) -> None:
        self.cls_token_id, self.sep_token_id, self.unk_token_id = cls_token_id, sep_token_id, unk_token_id
        self.pad_token_id, self.mask_token_id = pad_token_id, mask_token_id
        self._tokenizer = tokenizer
        self.subwords = lru_cache(maxsize=_REMEMBERED_WORDS)(self._subwords)

    @classmethod
    def of(cls, tokenizer: Any) -> SubwordTokenizer:
        """Make one of a fast tokenizer of transformers.

        Raises:
            EventuneError: If it is none, or has no cls and sep tokens.
        """
        first, last = tokenizer.cls_token_id, tokenizer.sep_token_id
        if first is None or last is None or not tokenizer.is_fast:
            raise EventuneError(
                f"{type(tokenizer).__name__}: expected a fast tokenizer with cls and sep tokens",
                "choose an encoder such as bert-base-uncased, roberta-base or minilm",
            )
        return cls(
            tokenizer.backend_tokenizer,
            cls_token_id=int(first),
            sep_token_id=int(last),
            unk_token_id=tokenizer.unk_token_id,
            pad_token_id=int(tokenizer.pad_token_id or 0),
            mask_token_id=tokenizer.mask_token_id,
        )

    def mask_for(self, word_dropout: float) -> int | None:
        """Return the token that `word_dropout` puts in the place of others.

        Raises:
            InvalidValueError: If there is none although some are to be masked.
        """
        if word_dropout and self.mask_token_id is None:
            raise InvalidValueError(
                "word_dropout",
                "0 with a tokenizer that has no mask token",
                str(word_dropout),
                "choose an encoder that was pretrained with one, or leave word_dropout out",
            )
        return self.mask_token_id

    def all_subwords(self, words: Iterable[str]) -> list[int]:
        """Return the ids of the subword tokens of several words."""
        return list(chain.from_iterable(self.subwords(word) for word in words))

    def _subwords(self, word: str) -> Subwords:
        # What others who share the tokenizer asked of it: a word is neither cut nor padded.
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        ids = self._tokenizer.encode([word], is_pretokenized=True, add_special_tokens=False).ids
        if len(ids) > MAX_SUBWORDS_A_WORD:
            ids = ids[: MAX_SUBWORDS_A_WORD // 2] + ids[-MAX_SUBWORDS_A_WORD // 2 :]
        return tuple(ids) or (self.sep_token_id if self.unk_token_id is None else self.unk_token_id,)
