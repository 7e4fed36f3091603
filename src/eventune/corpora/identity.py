"""What makes two texts, two documents, two events or two arguments the same."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from eventune.events import Argument, Document, Event, Span

_DIGEST_BYTES = 16


def text_key(document: Document) -> bytes:
    """Return a hash of the text without white space: the same whether the text is raw or cut into tokens."""
    return _digest("".join(document.text.split()))


def annotation_key(document: Document) -> bytes:
    """Return a hash of the events, in any order, without identifiers and whatever else the corpus says of them."""
    return _digest(repr(sorted(map(repr, map(event_key, document.events)))))


def event_key(event: Event) -> tuple[Any, ...]:
    """Return type, triggers and arguments, the latter in any order and each once."""
    return event.type, event.triggers, tuple(sorted(set(map(argument_key, event.arguments))))


def argument_key(argument: Argument) -> tuple[str, Span, tuple[Span, ...], tuple[Span, ...]]:
    """Return role and place."""
    return argument.role, argument.span, argument.fragments, argument.characters


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8"), digest_size=_DIGEST_BYTES).digest()
