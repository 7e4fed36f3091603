"""What is wrong, or looks wrong, in documents that were read without an error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from eventune.corpora.files import SHOWN_PROBLEMS
from eventune.errors import EventuneError, did_you_mean
from eventune.events import Document, Event, Ontology, Span


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a check found.

    Attributes:
        severity: `error` where training or scoring would go wrong, `warning` where a look is worth while.
        kind: What was found, in a few words that all findings of the kind share.
        document: Identifier of the document.
        where: The field, e.g. `events[0].arguments[2]`; empty for the document itself.
        message: What was expected and what was found.
    """

    severity: Literal["error", "warning"]
    kind: str
    document: str
    where: str
    message: str

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as JSON values."""
        return asdict(self)


def check_corpus(
    documents: Sequence[Document],
    *,
    ontology: Ontology | None = None,
    other: Mapping[str, Sequence[Document]] | None = None,
) -> list[Finding]:
    """Look for what a reader cannot see in one line: disagreement with the ontology, duplicates, leaks.

    Args:
        documents: The documents of one part of a corpus.
        ontology: What types and roles there are; without it they are not checked.
        other: Other parts by name (`test`), which must not share a text with this one.

    Returns:
        The findings, in the documents' order.
    """
    first_with: dict[str, str] = {}
    elsewhere = {_bare(document): (name, document.id) for name, part in (other or {}).items() for document in part}
    findings: list[Finding] = []
    for document in documents:
        text = _bare(document)
        if not document.tokens:
            findings.append(Finding("warning", "empty document", document.id, "", "expected text, found no token"))
        elif text in first_with:
            message = f"expected a text of its own, found that of document {first_with[text]!r}"
            findings.append(Finding("warning", "repeated text", document.id, "", message))
        if document.tokens and text in elsewhere:
            name, twin = elsewhere[text]
            message = f"expected a text that only this part has, found that of document {twin!r} in {name}"
            findings.append(Finding("error", "text shared between parts", document.id, "", message))
        first_with.setdefault(text, document.id)
        for number, event in enumerate(document.events):
            where = f"events[{number}]"
            findings.extend(_check_spans(document, event, where))
            if ontology is not None:
                findings.extend(_check_names(document, event, where, ontology))
    return findings


def require_known_to(ontology: Ontology, documents: Iterable[Document], source: str) -> None:
    """Make sure that an ontology has all types and roles that documents use.

    Args:
        ontology: The ontology.
        documents: The documents.
        source: Where they come from, for the message.

    Raises:
        EventuneError: If a type or role is missing; the error lists each once, with its count, the first place
            and the closest name.
    """
    counts: Counter[str] = Counter()
    first: dict[str, str] = {}
    for document in documents:
        for number, event in enumerate(document.events):
            for finding in _check_names(document, event, f"events[{number}]", ontology):
                if finding.severity == "error":
                    counts[finding.message] += 1
                    first.setdefault(finding.message, f"document {finding.document!r}: {finding.where}")
    if not counts:
        return
    lines = [
        f"{message} ({count} times, first in {first[message]})" for message, count in counts.most_common(SHOWN_PROBLEMS)
    ]
    if len(counts) > SHOWN_PROBLEMS:
        lines.append(f"… and {len(counts) - SHOWN_PROBLEMS} more")
    raise EventuneError(
        "\n".join([f"{source}: has types or roles that the ontology lacks", *lines]),
        "add them to the ontology, or correct the annotations",
    )


def _check_names(document: Document, event: Event, where: str, ontology: Ontology) -> Iterator[Finding]:
    if event.type not in ontology:
        hint = did_you_mean(event.type, ontology.types)
        message = _with_hint(f"expected one of the ontology's {len(ontology)} types, found {event.type!r}", hint)
        yield Finding("error", "unknown event type", document.id, f"{where}.type", message)
        return
    event_type = ontology[event.type]
    names = [role.name for role in event_type.roles]
    for number, argument in enumerate(event.arguments):
        if argument.role not in names:
            hint = did_you_mean(argument.role, names) or f"its roles: {', '.join(names) or 'none'}"
            message = _with_hint(f"expected a role of {event.type}, found {argument.role!r}", hint)
            yield Finding("error", "unknown role", document.id, f"{where}.arguments[{number}].role", message)
    # Annotations may break the ontology's bound. A model that keeps it cannot find all of them: worth knowing, no more.
    for name, count in Counter(argument.role for argument in event.arguments).items():
        role = event_type.role(name)
        if role is not None and count > role.multiplicity:
            message = f"expected at most {role.multiplicity} for role {name} of {event.type}, found {count}"
            yield Finding("warning", "more fillers than the ontology allows", document.id, where, message)


def _check_spans(document: Document, event: Event, where: str) -> Iterator[Finding]:
    if event.trigger is not None and _crosses(document, event.trigger):
        yield _crossing(document, event.trigger, f"{where}.trigger")
    seen: set[tuple[str, Span]] = set()
    for number, argument in enumerate(event.arguments):
        place = f"{where}.arguments[{number}]"
        text = document.text_of(argument.span)
        if (argument.role, argument.span) in seen:
            message = f"expected each argument once, found {argument.role} {text!r} again"
            yield Finding("warning", "repeated argument", document.id, place, message)
        seen.add((argument.role, argument.span))
        if _crosses(document, argument.span):
            yield _crossing(document, argument.span, place)
        if event.trigger is not None and argument.span.overlaps(event.trigger):
            message = f"expected an argument beside its trigger, found {argument.role} {text!r} on it"
            yield Finding("warning", "argument overlaps its trigger", document.id, place, message)


def _crosses(document: Document, span: Span) -> bool:
    return document.sentence_of(span.start) != document.sentence_of(span.end - 1)


def _crossing(document: Document, span: Span, place: str) -> Finding:
    message = f"expected a span inside one sentence, found {document.text_of(span)!r}"
    return Finding("warning", "span crosses a sentence boundary", document.id, place, message)


def _bare(document: Document) -> str:
    """The text without white space: the same text is found again whether it is raw or cut into tokens."""
    return "".join(document.text.split())


def _with_hint(message: str, hint: str) -> str:
    return f"{message} ({hint})" if hint else message
