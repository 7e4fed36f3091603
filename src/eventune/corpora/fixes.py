"""Repairs of a corpus that are certain: nothing is guessed, and all is counted."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from eventune.corpora.identity import annotation_key, argument_key, text_key
from eventune.errors import EventuneError
from eventune.events import Argument, Document, Event, Ontology


class Fixes:
    """Mends documents one by one, and counts what was done.

    - types and roles that differ from the ontology's only in case, `_`, `-` or white space get the ontology's name;
    - an argument that its event has already, in the same role and place, is removed;
    - a document with the text and the annotations of an earlier one, or with a text of another part, is removed.

    Args:
        ontology: What types and roles there are; without it they keep their names.
        elsewhere: Texts of other parts, as `check.texts_of` returns them.
    """

    def __init__(self, *, ontology: Ontology | None = None, elsewhere: Mapping[bytes, Any] | None = None) -> None:
        self._ontology = ontology
        self._elsewhere = elsewhere or {}
        self._seen: set[tuple[bytes, bytes]] = set()
        self._documents: dict[str, dict[str, int]] = defaultdict(dict)

    def mend(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Yield the mended documents, without those that are removed.

        Args:
            documents: The documents.

        Yields:
            The documents.

        Raises:
            EventuneError: If none is left.
        """
        is_empty = True
        for document in documents:
            mended = document.with_events(self._mend_event(document, event) for event in document.events)
            if self._is_wanted(mended):
                is_empty = False
                yield mended
        if is_empty:
            raise EventuneError("no document is left: all are in the other parts", "check that they are other files")

    def to_dict(self) -> dict[str, Any]:
        """Return, for each kind, how much was mended and in which documents."""
        return {
            kind: {"count": sum(counts.values()), "documents": list(counts)} for kind, counts in self._documents.items()
        }

    def _note(self, kind: str, document: Document) -> None:
        counts = self._documents[kind]
        counts[document.id] = counts.get(document.id, 0) + 1

    def _is_wanted(self, document: Document) -> bool:
        if not document.tokens:
            return True
        key = text_key(document), annotation_key(document)
        if key[0] in self._elsewhere:
            self._note("documents of other parts removed", document)
            return False
        if key in self._seen:
            self._note("repeated documents removed", document)
            return False
        self._seen.add(key)
        return True

    def _mend_event(self, document: Document, event: Event) -> Event:
        name = event.type
        known_roles: tuple[str, ...] = ()
        if self._ontology is not None:
            name = _known_name(event.type, self._ontology.types)
            known_roles = tuple(role.name for role in self._ontology[name].roles) if name in self._ontology else ()
        if name != event.type:
            self._note("types renamed", document)
        kept: dict[Any, Argument] = {}
        for argument in event.arguments:
            role = _known_name(argument.role, known_roles)
            if role != argument.role:
                self._note("roles renamed", document)
                argument = replace(argument, role=role)
            if argument_key(argument) in kept:
                self._note("repeated arguments removed", document)
            kept.setdefault(argument_key(argument), argument)
        return replace(event, type=name, arguments=tuple(kept.values()))


def _known_name(name: str, known: Iterable[str]) -> str:
    """Return the only known name that differs in nothing that matters; the name itself if there is no such name."""
    known = tuple(known)
    alike = [other for other in known if _plain(other) == _plain(name)]
    return name if name in known or len(alike) != 1 else alike[0]


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).casefold()
