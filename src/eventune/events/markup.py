"""Raw text with its triggers marked by hand, as in `Gunmen [[shot|attack]] three soldiers`."""

from __future__ import annotations

import re

from eventune.errors import EventuneError
from eventune.events.document import Document, Event, Span
from eventune.events.segmentation import segment

_MARK = re.compile(r"\[\[([^\[\]|]+)\|([^\[\]|]+)\]\]")


def parse_marked_text(text: str, *, id: str = "text") -> Document:
    """Read a text in which each trigger stands as `[[words|event type]]`.

    Args:
        text: The marked text.
        id: Identifier of the document.

    Returns:
        The document without marks, with one event a mark, its trigger the tokens that the mark touches.

    Raises:
        EventuneError: If no trigger is marked, or a mark is not complete.
    """
    plain: list[str] = []
    marks: list[tuple[Span, str]] = []
    position = length = 0
    for match in _MARK.finditer(text):
        plain.append(text[position : match.start()])
        length += match.start() - position
        trigger = match[1].strip()
        if not trigger or not match[2].strip():
            raise _unmarked(match[0])
        marks.append((Span(length, length + len(trigger)), match[2].strip()))
        plain.append(trigger)
        length += len(trigger)
        position = match.end()
    plain.append(text[position:])
    result = "".join(plain)
    broken = re.search(r"\[\[|\]\]", result)
    if broken is not None:
        raise _unmarked(result[max(0, broken.start() - 20) :])
    if not marks:
        raise _unmarked(text)
    tokens, sentences = segment(result)
    events = [Event(type_name, _tokens_of(characters, tokens)) for characters, type_name in marks]
    return Document(id, result, tokens, sentences, tuple(events))


def _unmarked(found: str) -> EventuneError:
    return EventuneError(
        f"expected a text with [[trigger|event type]] in it, found {found[:60]!r}",
        'for example: "Gunmen [[shot|attack]] three soldiers in Mosul."',
    )


def _tokens_of(characters: Span, tokens: tuple[Span, ...]) -> Span:
    inside = [index for index, token in enumerate(tokens) if token.overlaps(characters)]
    return Span(inside[0], inside[-1] + 1)
