"""From marked sentences to a document: tokens, spans and events; of the sample's script as well."""

from __future__ import annotations

from eventune.corpora.warmup.phrases import Mark, unmark
from eventune.events import Argument, Document, Event, Span
from eventune.events.segmentation import segment


def assemble(document_id: str, sentences: list[str]) -> Document:
    """Join sentences to a document and find its spans by the marks.

    Args:
        document_id: Identifier of the document.
        sentences: Its sentences with their marks.

    Returns:
        The document with the events that its marks tell of.

    Raises:
        ValueError: If the segmenter does not find the sentences or the spans again.
    """
    text = ""
    marks: list[Mark] = []
    wanted: list[str] = []
    for sentence in sentences:
        plain, found = unmark(sentence)
        start = len(text) + 1 if text else 0
        text = f"{text} {plain}".strip()
        marks += [Mark(mark.labels, start + mark.start, start + mark.end) for mark in found]
        wanted += [plain[mark.start : mark.end] for mark in found]
    tokens, sentence_spans = segment(text)
    if len(sentence_spans) != len(sentences):
        raise ValueError(f"{document_id}: {len(sentences)} sentences were cut into {len(sentence_spans)}: {text}")
    by_start = {token.start: index for index, token in enumerate(tokens)}
    by_end = {token.end: index + 1 for index, token in enumerate(tokens)}
    spans = [Span(by_start[mark.start], by_end[mark.end]) for mark in marks]
    document = Document(document_id, text, tokens, sentence_spans, _events(marks, spans))
    for span, filler in zip(spans, wanted, strict=True):
        if document.text_of(span) != filler:
            raise ValueError(f"{document_id}: expected {filler!r} at {span}, found {document.text_of(span)!r}")
    return document


def _events(marks: list[Mark], spans: list[Span]) -> tuple[Event, ...]:
    """Group the marks, `event.role,role&event.role` or `event.!type` for a trigger, by their event."""
    triggers: dict[str, tuple[str, Span]] = {}
    arguments: dict[str, list[Argument]] = {}
    for mark, span in zip(marks, spans, strict=True):
        for label in mark.labels.split("&"):
            number, _, roles = label.partition(".")
            if roles.startswith("!"):
                triggers[number] = (roles[1:], span)
            else:
                arguments.setdefault(number, []).extend(Argument(role, span) for role in roles.split(","))
    events = []
    for number in sorted(triggers):
        event_type, trigger = triggers[number]
        found = sorted(arguments.get(number, []), key=lambda argument: (argument.span, argument.role))
        events.append(Event(event_type, trigger, tuple(found), f"e{int(number) + 1}"))
    return tuple(events)
