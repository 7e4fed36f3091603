"""The formats of corpora, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from eventune.corpora import jsonl, rams
from eventune.errors import EventuneError, did_you_mean
from eventune.events import Document

AUTO = "auto"
"""In place of a format's name: guess it from the first record."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format with one JSON record a line.

    Attributes:
        name: Name, as `--format` takes it.
        summary: What it is, in a few words.
        id_field: The field that holds a document's identifier, for messages.
        recognises: Tells whether a file's first record looks like the format, also when something is wrong with it.
        read: Makes a document of a record; raises InvalidValueError.
        write: Makes the records of a document; raises InvalidValueError.
    """

    name: str
    summary: str
    id_field: str
    recognises: Callable[[Mapping[str, Any]], bool]
    read: Callable[[Mapping[str, Any]], Document]
    write: Callable[[Document], Iterator[dict[str, Any]]]


_FORMATS: dict[str, Format] = {}


def register_format(new: Format) -> None:
    """Make a format known; the formats that were registered last are tried first when a format is guessed.

    Args:
        new: The format.

    Raises:
        EventuneError: If the name is taken.
    """
    if new.name in _FORMATS or new.name == AUTO:
        raise EventuneError(f"a corpus format named {new.name!r} exists already", "choose another name")
    _FORMATS[new.name] = new


def format_names() -> tuple[str, ...]:
    """Return the names of the known formats."""
    return tuple(_FORMATS)


def format_named(name: str) -> Format:
    """Return a format.

    Args:
        name: Its name.

    Returns:
        The format.

    Raises:
        EventuneError: If there is none of that name.
    """
    if name not in _FORMATS:
        hint = did_you_mean(name, _FORMATS) or f"known formats: {', '.join(_FORMATS)}"
        raise EventuneError(f"unknown corpus format {name!r}", hint)
    return _FORMATS[name]


def guess_format(record: Mapping[str, Any]) -> Format | None:
    """Return the format that a first record looks like, or None."""
    return next((known for known in reversed(_FORMATS.values()) if known.recognises(record)), None)


# The project's own format comes first, to be tried last: `text` is a field of many others too.
register_format(Format("jsonl", "the project's own", "id", jsonl.recognises, jsonl.read_document, jsonl.write_document))
register_format(Format("rams", "RAMS 1.0", "doc_key", rams.recognises, rams.read_document, rams.write_document))
