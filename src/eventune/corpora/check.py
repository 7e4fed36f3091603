"""What is wrong, or looks wrong, in documents that were read without an error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from eventune.corpora.findings import Finding
from eventune.corpora.identity import annotation_key, event_key, text_key
from eventune.corpora.ontology_check import check_names
from eventune.corpora.ontology_fit import MULTIPLICITY_REMEDY, SurplusFillers
from eventune.corpora.partial import AnnotationShape
from eventune.corpora.span_check import check_spans
from eventune.events import Document, Ontology

FEW_EXAMPLES = 5
"""A type or role with fewer examples is rare."""
_MANY_EVENTS = 100
"""In a corpus with fewer events everything is rare."""
_SHOWN_LABELS = 10
_MANY_DOCUMENTS = 50
"""In fewer documents that each has an event says little."""


def check_corpus(
    documents: Iterable[Document],
    *,
    ontology: Ontology | None = None,
    other: Mapping[str, Iterable[Document]] | None = None,
    max_length: int | None = None,
) -> list[Finding]:
    """Look for what a reader cannot see in one line: disagreement with the ontology, duplicates, leaks.

    Args:
        documents: The documents of one part of a corpus, taken one by one.
        ontology: What types and roles there are; without it they are not checked.
        other: Other parts by name (`test`), which must not share a text with this one.
        max_length: How many words a model's window holds; without it lengths are not checked.

    Returns:
        The findings, in the documents' order; those of the whole corpus, with no document's identifier, come last.
    """
    checker = Checker(ontology=ontology, elsewhere=texts_of(other or {}), max_length=max_length)
    for document in documents:
        checker.add(document)
    return checker.findings()


def texts_of(parts: Mapping[str, Iterable[Document]]) -> dict[bytes, tuple[str, str]]:
    """Return what is needed to find shared texts: part and document by `identity.text_key`.

    Args:
        parts: Documents of each part by its name.

    Returns:
        Name of the part and identifier of the document, for each text that is not empty.
    """
    return {
        text_key(document): (name, document.id) for name, part in parts.items() for document in part if document.tokens
    }


class Checker:
    """Checks documents one by one; it holds a hash of each text, not the documents.

    Args:
        ontology: What types and roles there are.
        elsewhere: Texts of other parts, as `texts_of` returns them.
        max_length: How many words a model's window holds.

    Attributes:
        count: How many documents were checked.
    """

    def __init__(
        self,
        *,
        ontology: Ontology | None = None,
        elsewhere: Mapping[bytes, tuple[str, str]] | None = None,
        max_length: int | None = None,
    ) -> None:
        self.count = 0
        self._ontology = ontology
        self._elsewhere = elsewhere or {}
        self._max_length = max_length
        self._first_with: dict[bytes, tuple[str, bytes]] = {}
        self._surplus = SurplusFillers(ontology) if ontology is not None else None
        self._labels: dict[str, Counter[str]] = {"type": Counter(), "role": Counter()}
        self._shape = AnnotationShape()
        self._findings: list[Finding] = []

    def add(self, document: Document) -> None:
        """Check a document."""
        self.count += 1
        self._shape.add(document)
        self._findings.extend(self._check_document(document))
        first_event: dict[object, int] = {}
        for number, event in enumerate(document.events):
            where = f"events[{number}]"
            self._labels["type"][event.type] += 1
            self._labels["role"].update(argument.role for argument in event.arguments)
            first = first_event.setdefault(event_key(event), number)
            if first < number:
                message = f"expected each event once, found events[{first}] again"
                self._findings.append(Finding("warning", "repeated event", document.id, where, message))
            self._findings.extend(check_spans(document, event, where, self._max_length))
            if self._ontology is not None and self._surplus is not None:
                self._findings.extend(check_names(document, event, where, self._ontology))
                self._surplus.add(event)

    def passed(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Yield documents that go on to somewhere else, and check each."""
        for document in documents:
            self.add(document)
            yield document

    def findings(self) -> list[Finding]:
        """Return what was found in all documents that were added."""
        return [
            *self._findings,
            *self._low_multiplicities(),
            *self._missing_negatives(),
            *self._rare_labels(),
        ]

    def _check_document(self, document: Document) -> Iterator[Finding]:
        if not document.tokens:
            yield Finding("warning", "empty document", document.id, "", "expected text, found no token")
            return
        yield from self._check_text(document)
        if not document.events:
            yield Finding("warning", "document without events", document.id, "", "expected an event, found none")
        if self._max_length is not None and len(document.tokens) > self._max_length:
            message = f"expected at most {self._max_length} words, found {len(document.tokens)}"
            yield Finding("warning", "document longer than a window", document.id, "", message)

    def _check_text(self, document: Document) -> Iterator[Finding]:
        text, annotations = text_key(document), annotation_key(document)
        if text in self._first_with:
            twin, twin_annotations = self._first_with[text]
            same = "the same" if annotations == twin_annotations else "other"
            message = f"expected a text of its own, found that of document {twin!r} with {same} annotations"
            yield Finding("warning", "repeated text", document.id, "", message)
        self._first_with.setdefault(text, (document.id, annotations))
        if text in self._elsewhere:
            name, twin = self._elsewhere[text]
            message = f"expected a text that only this part has, found that of document {twin!r} in {name}"
            yield Finding("error", "text shared between parts", document.id, "", message)

    def _low_multiplicities(self) -> Iterator[Finding]:
        if self._surplus is not None and self._surplus.count:
            message = (
                f"{self._surplus.count} arguments are more than the ontology allows and cannot be found: "
                f"{self._surplus}; {MULTIPLICITY_REMEDY}"
            )
            yield Finding("warning", "multiplicities below what is annotated", "", "", message)

    def _missing_negatives(self) -> Iterator[Finding]:
        if self._shape.looks_partial:
            message = (
                "every document has exactly one event: more may be there that are not marked, so that a detector must "
                "not take what is unmarked for no event (partial_annotation: true)"
            )
            yield Finding("warning", "partial annotation", "", "", message)
        elif self._shape.lacks_negatives and self._shape.documents >= _MANY_DOCUMENTS:
            found = f"{self._shape.free_sentences} of {self._shape.sentences}"
            message = f"expected sentences without an event, found {found}: a detector sees hardly any (negative_file)"
            yield Finding("warning", "hardly a sentence without events", "", "", message)

    def _rare_labels(self) -> Iterator[Finding]:
        if self._labels["type"].total() < _MANY_EVENTS:
            return
        for name, counts in self._labels.items():
            rare = [(label, count) for label, count in reversed(counts.most_common()) if count < FEW_EXAMPLES]
            if rare:
                listed = ", ".join(f"{label} {count}" for label, count in rare[:_SHOWN_LABELS])
                more = f" and {len(rare) - _SHOWN_LABELS} more" if len(rare) > _SHOWN_LABELS else ""
                message = f"expected at least {FEW_EXAMPLES} examples of each {name}, found {listed}{more}"
                yield Finding("warning", f"{name}s with few examples", "", "", message)
