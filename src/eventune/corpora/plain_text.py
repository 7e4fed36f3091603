"""Plain text, a document a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eventune.corpora.files import decode
from eventune.corpora.records import Record
from eventune.corpora.streams import Location, opened
from eventune.errors import EventuneError, InvalidValueError
from eventune.events import Document
from eventune.events.segmentation import segment


def text_lines(place: Location) -> Iterator[Record]:
    """Yield the lines of a text that are not blank, each with its number.

    Args:
        place: A file in UTF-8, maybe packed; a byte order mark is ignored.

    Yields:
        Records `{"id": number, "text": line}`.

    Raises:
        EventuneError: If the file cannot be opened, or its packing is damaged.
    """
    with opened(place) as stream:
        for number, line in enumerate(stream.file, 1):
            value: Any
            try:
                value = {"id": number, "text": decode(line).removeprefix("\ufeff").rstrip("\r\n")}
            except InvalidValueError as error:
                value = error
            if isinstance(value, InvalidValueError) or value["text"].strip():
                yield Record(f"{place}:{number}", value, stream.position)


def read_plain_text(path: Path) -> tuple[Document, ...]:
    """Read a file of plain text.

    Args:
        path: The file, with a sentence or a document on each line; see `text_lines`.

    Returns:
        The documents, without events.

    Raises:
        EventuneError: If the file cannot be read, or holds no text.
    """
    documents = []
    for record in text_lines(path):
        if isinstance(record.value, InvalidValueError):
            raise EventuneError(f"{record.place}: {record.value.message}", record.value.hint)
        text = record.value["text"].strip()
        documents.append(Document(f"{path.name}:{record.value['id']}", text, *segment(text)))
    if not documents:
        raise EventuneError(f"{path}: expected text, found none", "give a sentence or a document on each line")
    return tuple(documents)
