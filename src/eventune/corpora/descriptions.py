"""What types and roles mean, in words: files that say so of ontologies that do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from eventune.errors import EventuneError, InvalidValueError
from eventune.events import EventType, Ontology
from eventune.events.naming import natural_name
from eventune.storage.yaml_files import read_yaml

PUBLISHED = {f"descriptions:{name}": f"{name}.yaml" for name in ("news", "phee", "fewfc")}
"""Those that come with the package: `news` has the types and roles of RAMS and WikiEvents."""


def path_of_descriptions(name: str) -> Path:
    """Return where published descriptions lie, or else the path as it is."""
    return Path(str(files("eventune.corpora") / "glossaries" / PUBLISHED[name])) if name in PUBLISHED else Path(name)


@dataclass(frozen=True, slots=True)
class Descriptions:
    """Descriptions by name; how a name is written does not matter (`PlaceOfEmployment`, `place_of_employment`).

    Attributes:
        types: Description of each event type; it also stands for types below it that have none.
        roles: Description of each role.
    """

    types: Mapping[str, str]
    roles: Mapping[str, str]

    @classmethod
    def read(cls, path: Path) -> Descriptions:
        """Read a YAML file with descriptions under `types` and `roles`.

        Raises:
            EventuneError: If the file cannot be read or has another shape.
        """
        found = read_yaml(path)
        try:
            if not isinstance(found, Mapping) or not found.keys() <= {"types", "roles"}:
                raise InvalidValueError("descriptions", "a mapping with types and roles", repr(found)[:80])
            return cls(*(_texts(found.get(part), part) for part in ("types", "roles")))
        except InvalidValueError as error:
            raise EventuneError(f"{path}: {error}") from None

    def add_to(self, ontology: Ontology) -> Ontology:
        """Return the ontology with a description for what has none and is known here."""
        return Ontology.of(self._described(event_type) for event_type in ontology.types.values())

    def _described(self, event_type: EventType) -> EventType:
        roles = (
            replace(role, description=role.description or self.roles.get(_key(role.name), ""))
            for role in event_type.roles
        )
        return replace(
            event_type, description=event_type.description or self._of_type(event_type.name), roles=tuple(roles)
        )

    def _of_type(self, name: str) -> str:
        while name:
            if found := self.types.get(_key(name)):
                return found
            name = name.rpartition(".")[0]
        return ""


def described(ontology: Ontology) -> int:
    """Count the types and roles of an ontology that have a description."""
    own = [event_type.description for event_type in ontology.types.values()]
    return sum(map(bool, [*own, *(role.description for kind in ontology.types.values() for role in kind.roles)]))


def _key(name: str) -> str:
    return "".join(natural_name(name))


def _texts(found: Any, where: str) -> dict[str, str]:
    if not isinstance(found or {}, Mapping):
        raise InvalidValueError(where, "a description for each name", repr(found)[:80])
    for name, text in (found or {}).items():
        if not isinstance(name, str) or not isinstance(text, str) or not text.strip():
            raise InvalidValueError(f"{where}.{name}", "a description", repr(text)[:80])
    return {_key(name): text.strip() for name, text in (found or {}).items()}
