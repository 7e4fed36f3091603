"""The formats of corpora, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from eventune.corpora.parquet import PARQUET
from eventune.corpora.records import Layout, read_json_records, write_json_array, write_json_lines
from eventune.corpora.streams import Location
from eventune.errors import EventuneError, did_you_mean
from eventune.events import Document
from eventune.storage.paths import is_folder

AUTO = "auto"
"""In place of a format's name: guess it from the first record."""


def _is_json(path: Location) -> bool:
    return not is_folder(path) and Path(path).suffix != ".ann"


JSON_LINES = Layout(_is_json, read_json_records, write_json_lines)
"""A record a line; a file with one array of records is read as well."""
JSON_ARRAY = Layout(_is_json, read_json_records, write_json_array)
"""One array of records; a file with a record a line is read as well."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format of corpora.

    Attributes:
        name: Name, as `--format` takes it.
        summary: What it is, in a few words.
        id_field: The field that holds a document's identifier, for messages.
        recognises: Tells whether a first record looks like the format, also when something is wrong with it.
        read: Makes a document of a record, the JSON value of one line in most formats. Raises InvalidValueError, which
            names the field, if one is missing or of another type, a span lies outside the text, or what is named is not
            there.
        write: Makes the records of a document, one in most formats. What the format has no place for is left out:
            `Losses` finds it by reading the records back. Raises InvalidValueError only where a document cannot be
            written at all.
        layout: How the records lie in a file or folder.
    """

    name: str
    summary: str
    id_field: str
    recognises: Callable[[Any], bool]
    read: Callable[[Any], Document]
    write: Callable[[Document], Iterator[Any]]
    layout: Layout = JSON_LINES


_FORMATS: dict[str, Format] = {}
# The project's own format comes first, to be tried last: `text` is a field of many others too.
_MODULES = (
    "jsonl",
    "doccano",
    "label_studio",
    "docee",
    "brat",
    "fewfc",
    "phee",
    "duee",
    "duee_fin",
    "maven_arg",
    "textee",
    "wikievents",
    "rams",
)


def register_format(new: Format) -> None:
    """Make a format known; the formats that were registered last are tried first when a format is guessed.

    Args:
        new: The format.

    Raises:
        EventuneError: If the name is taken.
    """
    _fill()
    _register(new)


def format_names() -> tuple[str, ...]:
    """Return the names of the known formats."""
    _fill()
    return tuple(_FORMATS)


def line_format_names() -> tuple[str, ...]:
    """Return the names of the formats with a record a line, which can be written bit by bit."""
    return tuple(name for name in format_names() if _FORMATS[name].layout is JSON_LINES)


def output_formats() -> tuple[str, ...]:
    """Return the names of all that can be extracted into: the known formats, and Parquet."""
    return (*format_names(), PARQUET)


def format_named(name: str) -> Format:
    """Return a format.

    Args:
        name: Its name.

    Returns:
        The format.

    Raises:
        EventuneError: If there is none of that name.
    """
    _fill()
    if name not in _FORMATS:
        hint = did_you_mean(name, _FORMATS) or f"known formats: {', '.join(_FORMATS)}"
        raise EventuneError(f"unknown corpus format {name!r}", hint)
    return _FORMATS[name]


def layout_of(path: Location) -> Layout:
    """Return the layout in which a file or folder is read, whatever its format turns out to be."""
    _fill()
    return next((known.layout for known in reversed(_FORMATS.values()) if known.layout.takes(path)), JSON_LINES)


def guess_format(value: Any, path: Location) -> Format | None:
    """Return the format that the first record of a file or folder looks like, or None."""
    _fill()
    known = (known for known in reversed(_FORMATS.values()) if known.layout.takes(path))
    return next((known for known in known if known.recognises(value)), None)


def _register(new: Format) -> None:
    if new.name in _FORMATS or new.name == AUTO:
        raise EventuneError(f"a corpus format named {new.name!r} exists already", "choose another name")
    _FORMATS[new.name] = new


def _fill() -> None:
    """Register the formats that come with the package, each of which has its `FORMAT` in a module of its own."""
    if _FORMATS:
        return
    for name in _MODULES:
        _register(import_module(f"eventune.corpora.{name}").FORMAT)
