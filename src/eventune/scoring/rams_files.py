"""The official RAMS scorer's own files: gold lines and prediction lines.

Offsets are token indices of the document, both ends inside; negative ones count from the end. Gold roles look like
`evt043arg01communicator`, of which what follows the last digits is the role. Roles of prediction lines are taken as
they stand: `{"doc_key": …, "predictions": [[[ts, te], [s, e, role, score], …]]}`, with at most one event. Of lines with
one doc_key the last counts. Source: `read_gold_file` and `read_preds_file` in `code/scorer/scorer.py` of
LWL-cpu/SCPRG-master. Where those stop with an exception, these raise `EventuneError` and name the line: at blank
lines, lines that are no JSON or have another shape, several events in a line, predictions without a score.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from eventune.corpora.records import line_value
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


def read_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a text file in UTF-8, without line ends.

    Args:
        path: The file.

    Yields:
        The lines, split at line feeds only: JSON strings may hold what else Python takes for a line's end.

    Raises:
        EventuneError: If the file is missing, cannot be opened, or is no UTF-8 text.
    """
    try:
        with path.open("rb") as file:
            for line in file:
                yield line.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except FileNotFoundError:
        raise EventuneError(f"{path}: no such file") from None
    except OSError as error:
        raise EventuneError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise EventuneError(f"{path}: expected text in UTF-8, found: {error}") from None


def read_gold(lines: Iterable[str], *, name: str = "gold") -> GoldFile:
    """Read gold lines.

    Args:
        lines: JSON objects with `doc_key`, `sentences`, `evt_triggers` (exactly one) and `gold_evt_links`.
        name: What errors call the file.

    Returns:
        The links.
    """
    roles: list[str] = []

    def record(value: dict[str, Any]) -> GoldDocument:
        document = _gold_document(value)
        roles.extend(link[2] for link in document.links)
        return document

    return GoldFile(_read_records(lines, name, record), list(dict.fromkeys(roles)))


def read_predictions(lines: Iterable[str], *, name: str = "predictions") -> PredictionFile:
    """Read official prediction lines.

    Args:
        lines: JSON objects with `doc_key` and `predictions`.
        name: What errors call the file.

    Returns:
        The predicted links with their scores.
    """
    return PredictionFile(_read_records(lines, name, _predicted_events), [])


def read_predictions_in_gold_format(lines: Iterable[str], *, name: str = "predictions") -> PredictionFile:
    """Read predictions that are written as gold lines (`--reuse_gold_format`); they have no scores.

    Args:
        lines: Lines as `read_gold` reads them.
        name: What errors call the file.

    Returns:
        The predicted links.
    """
    file = read_gold(lines, name=name)
    documents = {}
    for key, document in file.documents.items():
        # The type is left open: the official scorer applies the gold's, whatever the prediction says.
        trigger = next(iter(document.types), None)
        documents[key] = [PredictedEvent(trigger, None, [(link, None) for link in document.links])]
    return PredictionFile(documents, file.roles)


def _read_records(lines: Iterable[str], name: str, record: Callable[[dict[str, Any]], T]) -> dict[str, T]:
    """Return each line's record by doc_key: the place of the key's first line, the content of its last."""
    records = {}
    for number, line in enumerate(lines, start=1):
        where = f"{name}:{number}"
        if not line.strip():
            raise EventuneError(f"{where}: expected a JSON object, found a blank line", "delete the line")
        try:
            value = line_value(line.rstrip())
        except json.JSONDecodeError as error:
            raise EventuneError(f"{where}: expected a JSON object, found: {error}") from None
        except InvalidValueError as error:
            raise EventuneError(f"{where}: {error.message}", error.hint) from None
        if not isinstance(value, dict):
            raise EventuneError(f"{where}: expected a JSON object, found {_shown(value)}")
        try:
            key = _text(value.get("doc_key"), "doc_key")
            records[key] = record(value)
        except InvalidValueError as error:
            raise EventuneError(f"{where}: {error.message}", error.hint) from None
    return records


def _gold_document(value: dict[str, Any]) -> GoldDocument:
    triggers = _list(value.get("evt_triggers"), "evt_triggers")
    if len(triggers) != 1:
        raise InvalidValueError("evt_triggers", "exactly one (the official scorer asserts it)", str(len(triggers)))
    first = _list(triggers[0], "evt_triggers[0]", at_least=3)
    trigger = _range(first[:2], "evt_triggers[0]")
    types = [
        _text(_list(entry, "evt_triggers[0][2]", at_least=1)[0], "evt_triggers[0][2]")
        for entry in _list(first[2], "evt_triggers[0][2]")
    ]
    links: list[Link] = []
    for number, entry in enumerate(_list(value.get("gold_evt_links"), "gold_evt_links")):
        where = f"gold_evt_links[{number}]"
        parts = _list(entry, where, at_least=3)
        link_trigger = _range(parts[0], f"{where}[0]")
        if link_trigger != trigger:
            expected = f"the trigger of evt_triggers, {list(trigger)} (the official scorer asserts it)"
            raise InvalidValueError(f"{where}[0]", expected, _shown(parts[0]))
        role = re.split(r"\d+", _text(parts[2], f"{where}[2]"))[-1]
        links.append((trigger, _range(parts[1], f"{where}[1]"), role))
    sentence_of = array(
        "I",
        (
            index
            for index, words in enumerate(_list(value.get("sentences"), "sentences"))
            for _ in _list(words, f"sentences[{index}]")
        ),
    )
    return GoldDocument(links, {trigger: list(dict.fromkeys(types))}, sentence_of)


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
