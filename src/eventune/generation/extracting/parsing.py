"""Answers that a model wrote freely: read, repaired where that is certain, and held against the document."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from eventune.events import Argument, Span
from eventune.generation.extracting.answers import Found, nearest
from eventune.generation.extracting.prompts import Question
from eventune.generation.extracting.script import Script

KINDS = {
    "malformed": "answers that are no JSON object, even when what was cut off is closed",
    "repaired": "answers that became one by taking text around it away, or by closing what was cut off",
    "unknown_event": "parts of an answer about several events that belong to none of them",
    "unknown_role": "roles that the event does not have",
    "missing_role": "roles that were left out",
    "repeated_key": "names that stand twice in an object, of which the last one counts",
    "not_a_list": "values without a list around them, taken as one",
    "not_a_text": "values that are no text",
    "hallucinated": "values that the document does not have",
    "respelled": "values that the document has in other case or spacing, taken as it has them",
    "ambiguous": "values that the document has several times, of which the one nearest the trigger is taken",
    "repeated": "values beyond their mentions",
    "too_many": "values beyond a role's multiplicity",
}
"""What can be wrong with an answer."""
_MOST_OBJECTS = 16
"""Openings of an object that are tried."""
_MOST_ENDS = 64
"""Places that are tried as the last whole one of an answer that breaks off."""


def read_answer(text: str, script: Script, question: Question) -> tuple[list[Found], Counter[str]]:
    """Return the arguments that a text names.

    Args:
        text: What the model wrote.
        script: What it was asked to write.
        question: What was asked.

    Returns:
        The arguments, without scores, and what was wrong, by kind.
    """
    counts: Counter[str] = Counter()
    value = _read_object(text, counts)
    if value is None:
        counts["malformed"] += 1
        return [], counts
    by_event = _by_event(value, len(question.events), counts)
    found: list[Found] = []
    for number, index in enumerate(question.events):
        answer = by_event.get(number, {})
        slots = {slot.role.name: slot for slot in script.slots if slot.event == number}
        counts["missing_role"] += len(slots.keys() - answer.keys())
        for name, values in answer.items():
            if name not in slots:
                counts["unknown_role"] += 1
                continue
            spans = _spans(_texts(values, counts), question, index, counts)
            most = slots[name].role.multiplicity
            counts["too_many"] += max(0, len(spans) - most)
            found += [Found(index, Argument(name, span)) for span in spans[:most]]
    return found, +counts


def _by_event(value: Mapping[str, Any], events: int, counts: Counter[str]) -> dict[int, Mapping[str, Any]]:
    """Return each event's roles; of one event they may stand below its number, too."""
    numbered = {str(number + 1): number for number in range(events)}
    found: dict[int, Mapping[str, Any]] = {
        numbered[key]: roles for key, roles in value.items() if key in numbered and isinstance(roles, dict)
    }
    if not found and events == 1:
        return {0: value}
    counts["unknown_event"] += len(value) - len(found)
    return found


def _texts(values: Any, counts: Counter[str]) -> Iterator[str]:
    if not isinstance(values, list) and values is not None:
        counts["not_a_list"] += 1
    for value in values if isinstance(values, list) else [values]:
        if isinstance(value, str) and value.strip():
            yield value
        elif value is not None and value != "":
            counts["not_a_text"] += 1


def _spans(texts: Iterator[str], question: Question, event: int, counts: Counter[str]) -> list[Span]:
    spans: list[Span] = []
    for text in texts:
        mentions, is_exact = mentions_of(text, question)
        span = nearest(mentions, question, event, spans)
        if not mentions:
            counts["hallucinated"] += 1
        elif span is None:
            counts["repeated"] += 1
        else:
            counts["respelled"] += not is_exact
            counts["ambiguous"] += len(mentions) > 1
            spans.append(span)
    return spans


def mentions_of(text: str, question: Question) -> tuple[list[Span], bool]:
    """Return the spans of the words shown that have a text, and whether they have it as it is.

    Args:
        text: The text; space in it matters only in that there is some.
        question: What was asked.

    Returns:
        The spans; where there are none, those that have it but for case, space, and signs around it.
    """
    document = question.document
    exact = " ".join(text.split())
    for key, is_exact in ((_plain, True), (_folded, False)):
        wanted = key(exact)
        if wanted:
            found = [span for span in _candidates(question, wanted, key) if key(document.text_of(span)) == wanted]
            if found:
                return found, is_exact
    return [], False


def _candidates(question: Question, wanted: str, key: Any) -> Iterator[Span]:
    """Yield spans of the window that may have a text: those that begin like it and are not much longer."""
    document, window = question.document, question.window
    for start in range(window.start, window.end):
        first = key(document.text_of(Span(start, start + 1)))
        if not first or not (wanted.startswith(first) or first.startswith(wanted)):
            continue
        for end in range(start + 1, window.end + 1):
            found = key(document.text_of(Span(start, end)))
            if len(found) >= len(wanted):
                yield Span(start, end)
                break


def _plain(text: str) -> str:
    return " ".join(text.split())


def _folded(text: str) -> str:
    # A model's tokenizer may write characters in another form than the document has them in.
    normal = unicodedata.normalize("NFKC", text)
    return re.sub(r"\s+", "", normal).casefold().strip(".,;:!?\"'()[]。，；：！？“”‘’")


def _read_object(text: str, counts: Counter[str]) -> Mapping[str, Any] | None:
    """Return the first JSON object of a text; its end is added where the text breaks off in it."""
    repeated: Counter[str] = Counter()

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        repeated["repeated_key"] += len(items) - len(found)
        return found

    decoder = json.JSONDecoder(object_pairs_hook=pairs)
    for start in [at for at, character in enumerate(text) if character == "{"][:_MOST_OBJECTS]:
        repeated.clear()
        try:
            value, end = decoder.raw_decode(text, start)
        except json.JSONDecodeError as error:
            breaks_off = error.msg.startswith("Unterminated") or error.pos >= len(text.rstrip())
            value, end = (_closed(text[start:]) if breaks_off else None), -1
        except (RecursionError, ValueError):
            return None
        if isinstance(value, dict):
            counts.update(repeated)
            counts["repaired"] += end < 0 or bool(text[:start].strip() or text[end:].strip())
            return value
    return None


def _closed(text: str) -> Mapping[str, Any] | None:
    """Return the object that a text begins and does not end; what was cut in two is left out."""
    ends = [at + 1 for at, character in enumerate(text) if character in '"]}[']
    for end in reversed(ends[-_MOST_ENDS:]):
        try:
            value = json.loads(text[:end] + _closers(text[:end]))
        except (RecursionError, ValueError):
            continue
        return value if isinstance(value, dict) else None
    return None


def _closers(text: str) -> str:
    """Return what closes the lists and objects that are open at a text's end."""
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', "", text)
    still_open: list[str] = []
    for character in outside:
        if character in "{[":
            still_open.append("}" if character == "{" else "]")
        elif character in "}]" and still_open:
            still_open.pop()
    return "".join(reversed(still_open))
