"""What documents are read from: records one after the other, each of which becomes a document or is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Protocol

from eventune.corpora.files import Problems
from eventune.corpora.identifiers import Identifiers
from eventune.corpora.records import Record
from eventune.corpora.streams import Location, is_url
from eventune.errors import EventuneError, InvalidValueError
from eventune.events import Document
from eventune.storage.paths import is_file, is_folder


class Source(Protocol):
    """Records, and how a document is made of each; it can be sent to another process."""

    def records(self) -> Iterator[Record]:
        """Yield the records, the broken ones included; raises EventuneError if nothing can be read."""
        ...

    def document(self, value: Any) -> Document:
        """Return the document of a record's value; raises EventuneError if it is wrong."""
        ...


def document_in(source: Source, record: Record) -> Document:
    """Return the document of a record.

    Raises:
        EventuneError: If the record is broken, or no document can be made of it.
    """
    if isinstance(record.value, InvalidValueError):
        raise record.value
    return source.document(record.value)


def documents_in(source: Source, path: Location, *, id_field: str = "id", nothing: EventuneError) -> Iterator[Document]:
    """Yield the documents of a source up to the first that is wrong; what comes behind it is only looked through.

    Args:
        source: The source.
        path: What errors call it.
        id_field: The field that holds a document's identifier, for errors.
        nothing: The error of a source without any document.

    Raises:
        EventuneError: If anything is wrong, all of it at once; two documents of one identifier are.
    """
    problems, identifiers = Problems(path), Identifiers()
    places: dict[str, str] | None = None
    for record in source.records():
        try:
            document = document_in(source, record)
            if not identifiers.add(document.id):
                places = _first_places(source, path) if places is None else places
                first = places.get(document.id, "")
                # Two identifiers may be taken for one.
                if first != record.place:
                    raise repeated(document.id, id_field, f", as in {first}" if first else "")
        except EventuneError as error:
            problems.add(record.place, error)
            continue
        if not problems:
            yield document
    problems.raise_if_any()
    if not identifiers:
        raise nothing


def _first_places(source: Source, path: Location) -> dict[str, str]:
    """Return where each identifier stands first; nothing of what can be read only once."""
    places: dict[str, str] = {}
    if is_file(path) or is_folder(path) or is_url(path):
        for record in source.records():
            with suppress(EventuneError):
                places.setdefault(document_in(source, record).id, record.place)
    return places


def repeated(identifier: str, id_field: str = "id", where: str = "") -> InvalidValueError:
    """Return the error of a document whose identifier another one has."""
    return InvalidValueError(id_field, "an identifier of its own", f"{identifier!r} again{where}")
