"""Ontologies: event types, their roles, and what is said of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from eventune.errors import EventuneError, InvalidValueError, did_you_mean
from eventune.events.document import Document


@dataclass(frozen=True, slots=True)
class Role:
    """A role that arguments of an event may fill.

    Attributes:
        name: Name, as the corpus writes it.
        multiplicity: How many arguments may fill it in one event.
        description: What fills it, in words that a model may read; empty if nothing is known beyond the name.
        question: A question whose answer fills it, e.g. `Who was attacked?`; empty if there is none.

    Raises:
        InvalidValueError: If the name is empty or the multiplicity below one.
    """

    name: str
    multiplicity: int = 1
    description: str = ""
    question: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise InvalidValueError("role", "a non-empty name", repr(self.name))
        if type(self.multiplicity) is not int or self.multiplicity < 1:
            raise InvalidValueError(f"{self.name}.multiplicity", "an integer >= 1", repr(self.multiplicity))


@dataclass(frozen=True, slots=True)
class EventType:
    """An event type with its roles, in prompt order.

    Attributes:
        name: Name, as the corpus writes it.
        roles: The roles; names are unique.
        description: What the type means, or an empty string.
        template: A sentence with a slot for each argument, e.g. `<Attacker> attacked <Target>`; a role of multiplicity
            two may have two slots. Empty if there is none.

    Raises:
        InvalidValueError: If the name is empty or a role stands twice.
    """

    name: str
    roles: tuple[Role, ...]
    description: str = ""
    template: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise InvalidValueError("type", "a non-empty name", repr(self.name))
        twice = [name for name, count in Counter(role.name for role in self.roles).items() if count > 1]
        if twice:
            raise InvalidValueError(f"{self.name}.roles", "each role once", f"{twice[0]!r} twice")

    def role(self, name: str) -> Role | None:
        """Return the role of that name, or None."""
        return next((role for role in self.roles if role.name == name), None)


@dataclass(frozen=True)
class Ontology:
    """The event types of a corpus by name, in a fixed order.

    Attributes:
        types: Event type by name.
    """

    types: Mapping[str, EventType]

    @classmethod
    def of(cls, types: Iterable[EventType]) -> Ontology:
        """Build an ontology from its types.

        Args:
            types: The event types; names are unique.

        Returns:
            The ontology.

        Raises:
            InvalidValueError: If two types have one name.
        """
        by_name: dict[str, EventType] = {}
        for event_type in types:
            if event_type.name in by_name:
                raise InvalidValueError("types", "each type once", f"{event_type.name!r} twice")
            by_name[event_type.name] = event_type
        return cls(by_name)

    @classmethod
    def induced_from(cls, documents: Iterable[Document]) -> Ontology:
        """Read types, roles and multiplicities off annotated documents.

        Args:
            documents: The documents; a role's multiplicity is the largest count seen in one event.

        Returns:
            An ontology in order of first appearance.
        """
        seen: dict[str, dict[str, int]] = {}
        for document in documents:
            for event in document.events:
                roles = seen.setdefault(event.type, {})
                for role, count in Counter(argument.role for argument in event.arguments).items():
                    roles[role] = max(roles.get(role, 1), count)
        return cls.of(
            EventType(name, tuple(Role(role, count) for role, count in roles.items())) for name, roles in seen.items()
        )

    def allowing(self, documents: Iterable[Document]) -> Ontology:
        """Return the ontology with multiplicities that annotated documents keep to.

        Args:
            documents: The documents; types and roles of theirs that the ontology lacks are not added.

        Returns:
            An ontology in which a role's multiplicity is at least the largest count seen in one event.
        """
        seen = Ontology.induced_from(documents).types

        def raised(event_type: EventType) -> EventType:
            counts = {role.name: role.multiplicity for role in seen[event_type.name].roles}
            roles = (replace(r, multiplicity=max(r.multiplicity, counts.get(r.name, 1))) for r in event_type.roles)
            return replace(event_type, roles=tuple(roles))

        return Ontology.of(raised(known) if known.name in seen else known for known in self.types.values())

    @classmethod
    def from_dict(cls, value: Any) -> Ontology:
        """Read the plain form that `to_dict` writes.

        Args:
            value: `{"types": {type: {"description": …, "template": …, "roles": {role: {"multiplicity": …,
                "description": …, "question": …}}}}}`; a role without properties may be null.

        Returns:
            The ontology.

        Raises:
            InvalidValueError: If a part has another shape.
        """
        types = _mapping(_mapping(value, "ontology", known=("types",)).get("types"), "types")
        result = []
        for type_name, properties in types.items():
            properties = _mapping(properties, f"types.{type_name}", known=("description", "template", "roles"))
            where = f"types.{type_name}.roles"
            roles = []
            for role_name, role in _mapping(properties.get("roles"), where).items():
                role = _mapping(role, f"{where}.{role_name}", known=("multiplicity", "description", "question"))
                texts = [_text(role.get(name), f"{where}.{role_name}.{name}") for name in ("description", "question")]
                try:
                    roles.append(Role(role_name, role.get("multiplicity", 1), *texts))
                except InvalidValueError as error:
                    raise InvalidValueError(f"{where}.{error.field}", error.expected, error.found, error.hint) from None
            texts = [_text(properties.get(name), f"types.{type_name}.{name}") for name in ("description", "template")]
            result.append(EventType(type_name, tuple(roles), *texts))
        return cls.of(result)

    def to_dict(self) -> dict[str, Any]:
        """Return the ontology as plain JSON values; empty properties are left out."""
        types: dict[str, Any] = {}
        for event_type in self.types.values():
            roles: dict[str, Any] = {}
            for role in event_type.roles:
                multiplicity = {"multiplicity": role.multiplicity} if role.multiplicity != 1 else {}
                roles[role.name] = {**multiplicity, **_given(role, "description", "question")}
            types[event_type.name] = {"roles": roles, **_given(event_type, "description", "template")}
        return {"types": types}

    def __getitem__(self, name: str) -> EventType:
        """Return the type of that name.

        Args:
            name: Name of an event type.

        Returns:
            The event type.

        Raises:
            EventuneError: If there is none; the hint names the closest type.
        """
        try:
            return self.types[name]
        except KeyError:
            hint = did_you_mean(name, self.types) or f"known types: {', '.join(list(self.types)[:12])}"
            raise EventuneError(f"event type {name!r} is not in the ontology ({len(self.types)} types)", hint) from None

    def __contains__(self, name: object) -> bool:
        return name in self.types

    def __len__(self) -> int:
        return len(self.types)


def _given(value: Role | EventType, *names: str) -> dict[str, str]:
    """Return those of some texts that are not empty."""
    return {name: text for name in names if (text := getattr(value, name))}


def _text(value: Any, where: str) -> str:
    """Return a string; null is an empty one."""
    if value is not None and not isinstance(value, str):
        raise InvalidValueError(where, "a text", repr(value)[:60])
    return value or ""


def _mapping(value: Any, where: str, known: tuple[str, ...] = ()) -> Mapping[str, Any]:
    """Return a mapping with string keys, all of them known if names are given; null is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise InvalidValueError(where, "a mapping with names as keys", repr(value)[:60])
    unknown = [key for key in value if known and key not in known]
    if unknown:
        raise InvalidValueError(where, f"only {', '.join(known)}", repr(unknown[0]), did_you_mean(unknown[0], known))
    return value
