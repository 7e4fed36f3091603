"""What people corrected: documents in one file of JSON lines, which is whole at any moment."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from eventune.corpora import lines_of, read_corpus
from eventune.errors import InvalidValueError
from eventune.events import Document
from eventune.storage.atomic import write_atomically
from eventune.storage.locks import locked
from eventune.storage.paths import is_file, make_folder

FILE = "annotations.jsonl"


class Annotations:
    """Documents to work through, and what was saved of them; all methods may be called from any thread."""

    def __init__(self, file: Path, to_do: Iterable[Document] = ()) -> None:
        """Read what is there.

        Args:
            file: The file; other processes must not write it meanwhile, see `open_annotations`.
            to_do: The documents to work through.

        Raises:
            EventuneError: If the file is none that this class wrote.
        """
        self._file, self._lock = file, threading.Lock()
        saved = read_corpus(file, "jsonl").documents if is_file(file) and file.stat().st_size else ()
        # Replaced when something is saved, never changed: who reads need not wait for who writes.
        self._saved = {document.id: document for document in saved}
        self._to_do = {document.id: document for document in to_do}

    def listed(self) -> list[tuple[str, bool]]:
        """Return the identifiers of all documents, and whether each was saved."""
        saved = self._saved
        return [(id, id in saved) for id in dict.fromkeys([*self._to_do, *saved])]

    def document(self, id: str) -> Document:
        """Return a document, as it was saved last.

        Raises:
            InvalidValueError: If there is none of that identifier.
        """
        found = self._saved.get(id) or self._to_do.get(id)
        if found is None:
            raise InvalidValueError("id", "one of the documents to work through", repr(id))
        return found

    def save(self, *documents: Document) -> None:
        """Save documents in place of earlier ones of their identifiers.

        Raises:
            EventuneError: If they cannot be written; what was saved before is as it was.
        """
        with self._lock:
            saved = self._saved | {document.id: document for document in documents}
            write_atomically(self._file, (f"{line}\n" for each in saved.values() for line in lines_of(each)))
            self._saved = saved


@contextmanager
def open_annotations(folder: Path, to_do: Iterable[Document] = ()) -> Iterator[Annotations]:
    """Keep a folder's annotations for the length of a block; no other process may save there.

    Args:
        folder: The folder, which is made where it is not there yet.
        to_do: The documents to work through.

    Raises:
        LockedError: If another process saves there.
        EventuneError: If the folder cannot be made, or its file is none of JSON lines.
    """
    make_folder(folder)
    with locked(folder / FILE):
        yield Annotations(folder / FILE, to_do)
