"""Syntactic heads of spans, from a parse that somebody else made."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from eventune.corpora.records import read_json_records
from eventune.errors import EventuneError, InvalidValueError, require_library
from eventune.events import Document, Span

Heads = Callable[[Document], Sequence[int]]
"""Gives, for each token of a document, the index of its head; a root is its own."""


def head_of(span: Span, heads: Sequence[int]) -> int:
    """Return the token that heads a span: from its first token up the tree, as long as that stays inside.

    Source: `find_head` in `src/genie/utils.py` of raspberryice/gen-arg.

    Args:
        span: Token span.
        heads: Index of each token's head.

    Returns:
        Index of the token.
    """
    token = span.start
    # A tree has no longer way up than the span has tokens; a file may hold a circle.
    for _ in range(len(span)):
        if not span.start <= heads[token] < span.end:
            break
        token = heads[token]
    return token


def read_heads(path: Path) -> Heads:
    """Read heads from lines of `{"doc": id, "head": [index of each token's head]}`.

    Args:
        path: The file.

    Returns:
        The heads by document; a document that the file lacks raises EventuneError when it is asked for.

    Raises:
        EventuneError: If the file cannot be read or a line is wrong; the error names line and field.
    """
    heads: dict[str, list[int]] = {}
    for record in read_json_records(path):
        try:
            name, indices = _heads_in(record.value)
        except InvalidValueError as error:
            raise EventuneError(f"{record.place}: {error.message}", error.hint) from None
        heads[name] = indices

    def of(document: Document) -> Sequence[int]:
        found = heads.get(document.id)
        if found is None or len(found) != len(document.tokens):
            what = "none" if found is None else str(len(found))
            raise EventuneError(
                f"{path}: expected {len(document.tokens)} heads for document {document.id!r}, found {what}",
                "parse the same tokens, or leave the head measures out",
            )
        return found

    return of


def _heads_in(value: Any) -> tuple[str, list[int]]:
    if isinstance(value, InvalidValueError):
        raise value
    match value:
        case {"doc": str(name), "head": list(indices)}:
            wrong = [index for index in indices if type(index) is not int or not 0 <= index < len(indices)]
            if not wrong:
                return name, indices
            raise InvalidValueError("head", f"indices below {len(indices)}", repr(wrong[0]))
    raise InvalidValueError("line", '{"doc": id, "head": [index, …]}', json.dumps(value)[:60])


def spacy_heads(model_name: str) -> Heads:
    """Parse documents with a spaCy model, on their own tokens and as one sentence stream.

    Args:
        model_name: Name of an installed model with a parser, e.g. `en_core_web_sm`.

    Returns:
        The heads; documents are parsed when they are asked for.

    Raises:
        EventuneError: If spaCy or the model is not installed, or the model has no parser.
    """
    hint = f"pip install 'eventune[heads]', then {_model_hint(model_name)}"
    missing = "heads by a parse need spaCy, which is not installed", hint
    spacy, docs = (require_library(name, *missing) for name in ("spacy", "spacy.tokens"))
    try:
        model = spacy.load(model_name)
    except OSError:
        raise EventuneError(
            f"spaCy model {model_name!r}: expected an installed model, found none", _model_hint(model_name)
        ) from None
    if "parser" not in model.pipe_names:
        raise EventuneError(f"spaCy model {model_name!r}: expected a parser in it, found {model.pipe_names}")

    # Each document is asked for once by each scorer, one after the other.
    @lru_cache(maxsize=8)
    def parse(words: tuple[str, ...]) -> list[int]:
        return [token.head.i for token in model(docs.Doc(model.vocab, words=list(words)))]

    return lambda document: parse(document.words)


def _model_hint(model_name: str) -> str:
    return f"python -m spacy download {model_name}; or give the heads of a parse with --heads_file"
