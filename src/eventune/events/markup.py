"""Raw text with its triggers marked by hand, as in `Gunmen [[shot|attack]] three soldiers`."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right

from eventune.errors import EventuneError
from eventune.events.document import Document, Event, Span
from eventune.events.segmentation import Segmentation, segment

_MARK = re.compile(r"\[\[([^\[\]|]+)\|([^\[\]|]+)\]\]")
# Where nothing is marked, other brackets than these are text, as in `[[1]]`.
_BROKEN_MARK = re.compile(r"\[\[[^\[\]|]*\|")
_BRACKETS = re.compile(r"\[\[|\]\]")


def parse_marked_text(text: str, *, id: str = "text", segmentation: Segmentation = segment) -> Document:
    """Read a text in which each trigger stands as `[[words|event type]]`.

    Args:
        text: The marked text.
        id: Identifier of the document.
        segmentation: What cuts the text.

    Returns:
        The document without marks, with one event a mark, its trigger the tokens that the mark touches.

    Raises:
        EventuneError: If no trigger is marked, or a mark is not complete.
    """
    document = read_marks(text, id=id, segmentation=segmentation)
    if not document.events:
        raise _unmarked(text)
    return document


def read_marks(text: str, *, id: str = "text", segmentation: Segmentation = segment) -> Document:
    """Read a text that may have marks; arguments and result are those of `parse_marked_text`, without a mark no event.

    Raises:
        EventuneError: If a mark is not complete.
    """
    plain: list[str] = []
    marks: list[tuple[Span, str]] = []
    position = length = 0
    for match in _MARK.finditer(text):
        trigger = match[1].strip()
        if not trigger or not match[2].strip():
            raise _unmarked(match[0])
        plain += [text[position : match.start()], trigger]
        length += match.start() - position
        marks.append((Span(length, length + len(trigger)), match[2].strip()))
        length += len(trigger)
        position = match.end()
    plain.append(text[position:])
    result = "".join(plain)
    broken = (_BRACKETS if marks else _BROKEN_MARK).search(result)
    if broken is not None:
        raise _unmarked(result[max(0, broken.start() - 20) :])
    tokens, sentences = segmentation(result)
    starts, ends = [token.start for token in tokens], [token.end for token in tokens]
    events = [
        Event(name, Span(bisect_right(ends, characters.start), bisect_left(starts, characters.end)))
        for characters, name in marks
    ]
    return Document(id, result, tokens, sentences, tuple(events))


def _unmarked(found: str) -> EventuneError:
    return EventuneError(
        f"expected a text with [[trigger|event type]] in it, found {found[:60]!r}",
        'for example: "Gunmen [[shot|attack]] three soldiers in Mosul."',
    )
