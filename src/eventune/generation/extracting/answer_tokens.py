"""How texts are written in tokens, piece by piece, so that training and decoding see the same tokens."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from eventune.events import Document

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_GUARD = "\n"
"""Stands before a piece while it is tokenised: some tokenizers put a space before whatever comes first."""


_ESCAPED = re.compile(r'["\\\x00-\x1f]')
"""What JSON cannot have in a string as it is."""


class AnswerTokenizer:
    """Tokenises pieces of a response, each by itself.

    A span that is tokenised word by word is a run of the document's own tokens wherever it begins, and pieces of JSON
    around it do not melt into it.

    Attributes:
        tokenizer: The tokenizer.
        eos: The token that ends a response.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self.tokenizer = tokenizer
        self.eos = int(tokenizer.eos_token_id)
        self._special = {*map(int, tokenizer.all_special_ids), self.eos}
        self._guard = self._ids(_GUARD)
        self._judged: dict[tuple[int, ...], bool] = {}
        self._plain: frozenset[int] | None = None
        self._known: dict[str, tuple[int, ...]] = {}

    def piece(self, text: str) -> tuple[int, ...]:
        """Return the tokens of a text that stands inside another."""
        if text not in self._known:
            guarded = self._ids(_GUARD + text)
            keeps = guarded[: len(self._guard)] == self._guard and len(guarded) > len(self._guard)
            self._known[text] = guarded[len(self._guard) :] if keeps else self._ids(text)
        return self._known[text]

    def word(self, document: Document, index: int, *, is_first: bool) -> tuple[int, ...]:
        """Return the tokens of a word inside a JSON string, with the space before it unless it is the first."""
        word = document.tokens[index]
        text = json.dumps(document.text[word.start : word.end], ensure_ascii=False)[1:-1]
        is_apart = not is_first and document.tokens[index - 1].end < word.start
        return self.piece(f" {text}" if is_apart else text)

    def plain_tokens(self) -> frozenset[int]:
        """Return the tokens that can stand anywhere inside a JSON string."""
        if self._plain is None:
            texts = {token: self.text((token,)) for token in range(len(self.tokenizer)) if token not in self._special}
            self._plain = frozenset(token for token, text in texts.items() if text and not _ESCAPED.search(text))
        return self._plain

    def text(self, ids: tuple[int, ...] | list[int]) -> str:
        """Return the text of some tokens."""
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def is_plain(self, tokens: tuple[int, ...]) -> bool:
        """Tell whether tokens can stand inside a JSON string: none is special, and their text parses.

        A tokenizer's normaliser may leave nothing of a word, or make a quotation mark of it.
        """
        if tokens not in self._judged:
            judged = bool(tokens) and self._special.isdisjoint(tokens)
            try:
                json.loads(f'"{self.text(tokens)}"')
            except json.JSONDecodeError:
                judged = False
            self._judged[tokens] = judged
        return self._judged[tokens]

    def _ids(self, text: str) -> tuple[int, ...]:
        # A document may spell a special token; it is read as any other characters.
        encoded = self.tokenizer(text, add_special_tokens=False, split_special_tokens=True, verbose=False)
        return tuple(encoded["input_ids"])
