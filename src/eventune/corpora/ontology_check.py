"""Agreement of annotations with an ontology."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from eventune.corpora.files import SHOWN_PROBLEMS
from eventune.corpora.findings import Finding
from eventune.errors import EventuneError, did_you_mean
from eventune.events import Document, Event, Ontology


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
            for finding in check_names(document, event, f"events[{number}]", ontology):
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
        "add them to the ontology, correct the annotations, or leave them out with --ignore_unknown_roles true",
    )


def check_names(document: Document, event: Event, where: str, ontology: Ontology) -> Iterator[Finding]:
    """Yield where an event disagrees with an ontology.

    Args:
        document: Its document.
        event: The event.
        where: Its path in the document.
        ontology: The ontology.

    Yields:
        Unknown types and roles, and roles with more fillers than the ontology allows.
    """
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


def _with_hint(message: str, hint: str) -> str:
    return f"{message} ({hint})" if hint else message
