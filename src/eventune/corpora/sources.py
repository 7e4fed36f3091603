"""What documents are read from: records one after the other, each of which becomes a document or is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from eventune.corpora.files import Problems
from eventune.corpora.records import Record
from eventune.corpora.streams import Location
from eventune.errors import EventuneError, InvalidValueError
from eventune.events import Document


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
    problems = Problems(path)
    places: dict[str, str] = {}
    for record in source.records():
        try:
            document = document_in(source, record)
            if document.id in places:
                raise repeated(document.id, id_field, f", as in {places[document.id]}")
        except EventuneError as error:
            problems.add(record.place, error)
            continue
        places[document.id] = record.place
        if not problems:
            yield document
    problems.raise_if_any()
    if not places:
        raise nothing


def repeated(identifier: str, id_field: str = "id", where: str = "") -> InvalidValueError:
    """Return the error of a document whose identifier another one has."""
    return InvalidValueError(id_field, "an identifier of its own", f"{identifier!r} again{where}")
