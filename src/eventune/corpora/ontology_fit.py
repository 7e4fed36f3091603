"""Where documents go beyond an ontology: fillers that its multiplicities have no place for, names that it lacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from eventune.events import Document, Event, Ontology

_SHOWN_ROLES = 5

MULTIPLICITY_REMEDY = (
    "train with --multiplicity from_data, which allows as many as the training documents have, or raise `multiplicity` "
    "in the ontology file"
)
"""What to do about fillers that an ontology has no place for."""


class SurplusFillers:
    """Counts arguments beyond how many an ontology allows of their role in one event.

    Args:
        ontology: The ontology; types and roles that it lacks are not looked at.

    Attributes:
        count: How many arguments there are too many.
    """

    def __init__(self, ontology: Ontology) -> None:
        self._ontology = ontology
        self._surplus: Counter[tuple[str, str]] = Counter()
        self._most: dict[tuple[str, str], int] = {}

    def add(self, event: Event) -> None:
        """Count an event's arguments."""
        if event.type not in self._ontology:
            return
        event_type = self._ontology[event.type]
        for name, count in Counter(argument.role for argument in event.arguments).items():
            role = event_type.role(name)
            if role is not None and count > role.multiplicity:
                key = event.type, name
                self._surplus[key] += count - role.multiplicity
                self._most[key] = max(self._most.get(key, 0), count)

    @property
    def count(self) -> int:
        """How many arguments are beyond what the ontology allows."""
        return self._surplus.total()

    def __str__(self) -> str:
        """Name the roles that it concerns, those with most first."""
        shown = [
            f"{role} of {name} {count} (up to {self._most[name, role]} in an event, "
            f"{self._multiplicity(name, role)} allowed)"
            for (name, role), count in self._surplus.most_common(_SHOWN_ROLES)
        ]
        others = len(self._surplus) - len(shown)
        return ", ".join(shown) + (f" and {others} more roles" if others else "")

    def _multiplicity(self, name: str, role: str) -> int:
        known = self._ontology[name].role(role)
        return known.multiplicity if known is not None else 0


@dataclass
class LeftOut:
    """What was left out of documents because an ontology lacks it.

    Attributes:
        types: Events of each unknown type.
        roles: Arguments of each unknown role, in events of known types.
    """

    types: Counter[str] = field(default_factory=Counter)
    roles: Counter[str] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        return bool(self.types or self.roles)

    def __str__(self) -> str:
        """Count and name what was left out."""
        parts = [
            f"{counts.total()} {what} ({_named(counts)})"
            for what, counts in (("events by their type", self.types), ("arguments by their role", self.roles))
            if counts
        ]
        return " and ".join(parts)


def known_part(documents: Iterable[Document], ontology: Ontology) -> tuple[Sequence[Document], LeftOut]:
    """Return documents without the events and arguments whose type or role an ontology lacks.

    Args:
        documents: The documents.
        ontology: The ontology.

    Returns:
        The documents, none of them left out, and what was left out of them.
    """
    left_out = LeftOut()
    kept = []
    for document in documents:
        events = []
        for event in document.events:
            if event.type not in ontology:
                left_out.types[event.type] += 1
                continue
            roles = {role.name for role in ontology[event.type].roles}
            left_out.roles.update(argument.role for argument in event.arguments if argument.role not in roles)
            events.append(replace(event, arguments=tuple(a for a in event.arguments if a.role in roles)))
        kept.append(document.with_events(events))
    return tuple(kept), left_out


def _named(counts: Counter[str]) -> str:
    shown = ", ".join(f"{name} {count}" for name, count in counts.most_common(_SHOWN_ROLES))
    others = len(counts) - _SHOWN_ROLES
    return f"{shown} and {others} more" if others > 0 else shown
