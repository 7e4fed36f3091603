"""Predictions from whatever file they were written to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from eventune.corpora import AUTO, stream_corpus
from eventune.corpora.records import read_json_records
from eventune.errors import EventuneError, InvalidValueError
from eventune.events import Argument, Event, Span
from eventune.scoring.pairs import Predictions
from eventune.scoring.rams_counts import PredictedEvent, TokenRange
from eventune.scoring.rams_files import read_predictions
from eventune.storage.paths import is_folder

_UNTYPED = "?"


def is_rams_predictions(path: Path) -> bool:
    """Tell whether a file holds prediction lines of the official RAMS scorer, or nothing at all."""
    first = _first_value(path)
    return first is None or (isinstance(first, dict) and "predictions" in first)


def first_record(path: Path) -> dict[str, Any]:
    """Return the object in a file's first readable record, to tell what it is by; an empty one if it is none."""
    first = _first_value(path)
    return first if isinstance(first, dict) else {}


def predictions_of(path: Path, format: str = AUTO) -> Predictions:
    """Read predictions: official RAMS lines, or a corpus with the predicted events in any known format.

    Args:
        path: The file, or a folder for brat.
        format: Format of the corpus, or `auto`.

    Returns:
        The predicted events of each document.

    Raises:
        EventuneError: If the file cannot be read or a line of it is wrong.
    """
    if format != AUTO or not is_rams_predictions(path):
        return Predictions.of(stream_corpus(path, format))
    documents = read_predictions(read_json_records(path)).documents
    events: dict[str, tuple[int | None, tuple[Event, ...]]]
    try:
        events = {key: (None, tuple(map(_event, found))) for key, found in documents.items()}
    except InvalidValueError as error:
        raise EventuneError(f"{path}: {error.message}", error.hint) from None
    return Predictions(events, typed=False)


def _first_value(path: Path) -> Any:
    if is_folder(path):
        return path
    values = (record.value for record in read_json_records(path))
    return next((value for value in values if not isinstance(value, InvalidValueError)), None)


def _event(predicted: PredictedEvent) -> Event:
    arguments = tuple(Argument(link[2], _span(link[1]), _score(score)) for link, score in predicted.links)
    return Event(_UNTYPED, None if predicted.trigger is None else _span(predicted.trigger), arguments)


def _score(value: Any) -> float | None:
    try:
        return float(value) if isinstance(value, int | float) else None
    except OverflowError:
        raise InvalidValueError("score", "a number that a float can hold", "one that is too large") from None


def _span(tokens: TokenRange) -> Span:
    return Span(tokens[0], tokens[1] + 1)
