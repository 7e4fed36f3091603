"""Spans that look wrong, or that a model cannot find."""

from __future__ import annotations

from collections.abc import Iterator

from eventune.corpora.findings import Finding
from eventune.corpora.identity import argument_key
from eventune.events import Document, Event, Place, Span

_PUNCTUATION = frozenset(",.;:!?，。；：！？、")


def check_spans(document: Document, event: Event, where: str, max_length: int | None) -> Iterator[Finding]:
    """Yield what looks wrong in the places of an event.

    Args:
        document: Its document.
        event: The event.
        where: Its path in the document.
        max_length: How many words a window holds; None if that is not to be checked.

    Yields:
        Warnings about its triggers and arguments.
    """
    if event.trigger is not None and _crosses(document, event.trigger):
        yield _crossing(document, event.trigger, f"{where}.trigger")
    for number, mention in enumerate(event.mentions):
        yield from _check_ends(document, mention, f"{where}.mentions[{number}]")
    seen = set()
    for number, argument in enumerate(event.arguments):
        place = f"{where}.arguments[{number}]"
        text = document.text_of(argument.span)
        if argument_key(argument) in seen:
            message = f"expected each argument once, found {argument.role} {text!r} again"
            yield Finding("warning", "repeated argument", document.id, place, message)
        seen.add(argument_key(argument))
        if _crosses(document, argument.span):
            yield _crossing(document, argument.span, place)
        if event.trigger is not None and argument.span.overlaps(event.trigger):
            message = f"expected an argument beside its trigger, found {argument.role} {text!r} on it"
            yield Finding("warning", "argument overlaps its trigger", document.id, place, message)
        yield from _check_ends(document, argument, place)
        extent = _extent(argument.span, event.trigger)
        if max_length is not None and extent > max_length:
            others = "with its trigger" if event.trigger else "as a whole"
            message = f"expected {argument.role} {others} inside {max_length} words, found {extent} words"
            yield Finding("warning", "argument that no window holds", document.id, place, message)


def _extent(span: Span, trigger: Span | None) -> int:
    """Words from the first to the last of a span and its trigger."""
    return len(span) if trigger is None else max(span.end, trigger.end) - min(span.start, trigger.start)


def _crosses(document: Document, span: Span) -> bool:
    return document.sentence_of(span.start) != document.sentence_of(span.end - 1)


def _crossing(document: Document, span: Span, place: str) -> Finding:
    message = f"expected a span inside one sentence, found {document.text_of(span)!r}"
    return Finding("warning", "span crosses a sentence boundary", document.id, place, message)


def _check_ends(document: Document, place: Place, where: str) -> Iterator[Finding]:
    text = document.exact_text_of(place)
    if place.characters:
        message = f"expected a span of whole tokens, found {text!r} in {document.text_of(place.span)!r}"
        yield Finding("warning", "span begins or ends inside a token", document.id, where, message)
    ends = {document.text_of(Span(token, token + 1)) for token in (place.span.start, place.span.end - 1)}
    if len(place.span) > 1 and ends & _PUNCTUATION:
        message = f"expected a span that begins and ends with a word, found {text!r}"
        yield Finding("warning", "span begins or ends in punctuation", document.id, where, message)
