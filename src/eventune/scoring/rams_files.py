"""The official RAMS scorer's own files: gold lines and prediction lines.

Offsets are token indices of the document, both ends inside; negative ones count from the end. Gold roles look like
`evt043arg01communicator`, of which what follows the last digits is the role. Roles of prediction lines are taken as
they stand: `{"doc_key": …, "predictions": [[[ts, te], [s, e, role, score], …]]}`, with at most one event. Of lines with
one doc_key the last counts. Source: `read_gold_file` and `read_preds_file` in `code/scorer/scorer.py` of
LWL-cpu/SCPRG-master. Where those stop with an exception, these raise `EventuneError` and name the line: at lines that
have another shape, several events in a line, predictions without a score; `official_records` also at blank lines.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from eventune.corpora.records import Record, line_value
from eventune.errors import EventuneError, InvalidValueError
from eventune.scoring.rams_counts import GoldDocument, Link, PredictedEvent, TokenRange

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class GoldFile:
    """A gold file as the scorer sees it.

    Attributes:
        documents: Annotated links by doc_key.
        roles: Every role in order of appearance, those of overwritten lines included.
    """

    documents: dict[str, GoldDocument]
    roles: list[str]


@dataclass(frozen=True, slots=True)
class PredictionFile:
    """A prediction file as the scorer sees it.

    Attributes:
        documents: Predicted events by doc_key.
        roles: Roles that the file adds to the official table: those of a file in gold format, else none.
    """

    documents: dict[str, list[PredictedEvent]]
    roles: list[str]


def official_records(path: Path) -> Iterator[Record]:
    """Yield the lines of a file as the official scorer reads it; `read_json_records` yields those of more files.

    Args:
        path: A text file in UTF-8, not packed.

    Yields:
        The records, of lines that end at line feeds only: JSON strings may hold what else Python takes for a line's
        end.

    Raises:
        EventuneError: If the file is missing, cannot be opened, or is no UTF-8 text; at a line that is blank or no
            JSON.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                place = f"{path}:{number}"
                yield Record(place, _official_value(line.decode("utf-8").rstrip(), place))
    except FileNotFoundError:
        raise EventuneError(f"{path}: no such file") from None
    except OSError as error:
        raise EventuneError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise EventuneError(f"{path}: expected text in UTF-8, found: {error}") from None


def _official_value(line: str, place: str) -> Any:
    if not line:
        raise EventuneError(f"{place}: expected a JSON object, found a blank line", "delete the line")
    try:
        return line_value(line)
    except json.JSONDecodeError as error:
        raise EventuneError(f"{place}: expected a JSON object, found: {error}") from None
    except InvalidValueError as error:
        return error


def read_gold(records: Iterable[Record], *, needs_event: bool = True) -> GoldFile:
    """Read gold lines.

    Args:
        records: JSON objects with `doc_key`, `sentences`, `evt_triggers` and `gold_evt_links`.
        needs_event: Refuse a line without an event, as the official scorer does.

    Returns:
        The links.

    Raises:
        EventuneError: If a line is wrong.
    """
    roles: list[str] = []

    def record(value: dict[str, Any]) -> GoldDocument:
        document = _gold_document(value, needs_event=needs_event)
        roles.extend(link[2] for link in document.links)
        return document

    return GoldFile(_by_key(records, record), list(dict.fromkeys(roles)))


def read_predictions(records: Iterable[Record]) -> PredictionFile:
    """Read official prediction lines.

    Args:
        records: JSON objects with `doc_key` and `predictions`.

    Returns:
        The predicted links with their scores.

    Raises:
        EventuneError: If a line is wrong.
    """
    return PredictionFile(_by_key(records, _predicted_events), [])


def read_predictions_in_gold_format(records: Iterable[Record], *, needs_event: bool = True) -> PredictionFile:
    """Read predictions that are written as gold lines (`--reuse_gold_format`); they have no scores.

    Args:
        records: See `read_gold`.
        needs_event: See `read_gold`.

    Returns:
        The predicted links.

    Raises:
        EventuneError: If a line is wrong.
    """
    file = read_gold(records, needs_event=needs_event)
    documents = {}
    for key, document in file.documents.items():
        # The type is left open: the official scorer applies the gold's, whatever the prediction says.
        trigger = next(iter(document.types), None)
        documents[key] = [PredictedEvent(trigger, None, [(link, None) for link in document.links])]
    return PredictionFile(documents, file.roles)


def _by_key(records: Iterable[Record], read: Callable[[dict[str, Any]], T]) -> dict[str, T]:
    """Return each line's content by doc_key: the place of the key's first line, the content of its last."""
    found = {}
    for record in records:
        value = record.value
        try:
            if isinstance(value, InvalidValueError):
                raise value
            if not isinstance(value, dict):
                raise EventuneError(f"expected a JSON object, found {_shown(value)}")
            key = _text(value.get("doc_key"), "doc_key")
            found[key] = read(value)
        except EventuneError as error:
            raise EventuneError(f"{record.place}: {error.message}", error.hint) from None
    return found


def _gold_document(value: dict[str, Any], *, needs_event: bool) -> GoldDocument:
    triggers = _list(value.get("evt_triggers"), "evt_triggers")
    links = _list(value.get("gold_evt_links"), "gold_evt_links")
    if not (triggers or links or needs_event):
        return GoldDocument([], {}, _sentence_of(value))
    if len(triggers) != 1:
        raise InvalidValueError("evt_triggers", "exactly one (the official scorer asserts it)", str(len(triggers)))
    trigger, types = _event(triggers[0])
    found = [_link(number, entry, trigger) for number, entry in enumerate(links)]
    return GoldDocument(found, {trigger: types}, _sentence_of(value))


def _event(entry: Any) -> tuple[TokenRange, list[str]]:
    first = _list(entry, "evt_triggers[0]", at_least=3)
    trigger = _range(first[:2], "evt_triggers[0]")
    types = [
        _text(_list(entry, "evt_triggers[0][2]", at_least=1)[0], "evt_triggers[0][2]")
        for entry in _list(first[2], "evt_triggers[0][2]")
    ]
    return trigger, list(dict.fromkeys(types))


def _link(number: int, entry: Any, trigger: TokenRange) -> Link:
    where = f"gold_evt_links[{number}]"
    parts = _list(entry, where, at_least=3)
    if _range(parts[0], f"{where}[0]") != trigger:
        expected = f"the trigger of evt_triggers, {list(trigger)} (the official scorer asserts it)"
        raise InvalidValueError(f"{where}[0]", expected, _shown(parts[0]))
    role = re.split(r"\d+", _text(parts[2], f"{where}[2]"))[-1]
    return trigger, _range(parts[1], f"{where}[1]"), role


def _sentence_of(value: dict[str, Any]) -> array[int]:
    return array(
        "I",
        (
            index
            for index, words in enumerate(_list(value.get("sentences"), "sentences"))
            for _ in _list(words, f"sentences[{index}]")
        ),
    )


def _predicted_events(value: dict[str, Any]) -> list[PredictedEvent]:
    events = _list(value.get("predictions"), "predictions")
    if not events:
        return []
    if len(events) > 1:
        raise InvalidValueError("predictions", "at most one event (the official scorer asserts it)", str(len(events)))
    parts = _list(events[0], "predictions[0]", at_least=1)
    trigger = _range(parts[0], "predictions[0][0]")
    links: list[tuple[Link, Any]] = []
    for number, entry in enumerate(parts[1:], start=1):
        where = f"predictions[0][{number}]"
        argument = _list(entry, where, at_least=4, form="[start, end, role, score]")
        links.append(((trigger, _range(argument[:2], where), _text(argument[2], f"{where}[2]")), argument[3]))
    return [PredictedEvent(trigger, None, links)]


def _list(value: Any, where: str, *, at_least: int = 0, form: str = "") -> list[Any]:
    if not isinstance(value, list) or len(value) < at_least:
        expected = form or (f"a list of at least {at_least}" if at_least else "a list")
        raise InvalidValueError(where, expected, _shown(value))
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise InvalidValueError(where, "a string", _shown(value))
    return value


def _range(value: Any, where: str) -> TokenRange:
    match value:
        case [int(first), int(last)]:
            return first, last
    raise InvalidValueError(where, "[first token, last token]", _shown(value))


def _shown(value: Any) -> str:
    """Return a value as it stands in the file, shortened."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"
