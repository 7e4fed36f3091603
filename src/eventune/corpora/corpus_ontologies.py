"""The ontology files of corpora: WikiEvents' KAIROS file, the schemas of DuEE and PHEE, brat's `annotation.conf`."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from eventune.corpora.fields import mapping, member, name_in, shown
from eventune.errors import InvalidValueError
from eventune.events import EventType, Role

_SLOT = re.compile(r"<arg(\d{1,9})>")
_PHEE_NAMES = {
    "subject": "Subject",
    "age": "Subject.Age",
    "gender": "Subject.Gender",
    "race": "Subject.Race",
    "population": "Subject.Population",
    "subject disorder": "Subject.Disorder",
    "treatment": "Treatment",
    "drug": "Treatment.Drug",
    "dosage": "Treatment.Dosage",
    "route": "Treatment.Route",
    "duration": "Treatment.Duration",
    "frequency": "Treatment.Freq",
    "time elapsed": "Treatment.Time_elapsed",
    "combination drug": "Treatment.Combination.Drug",
    "treatment disorder": "Treatment.Disorder",
    "effect": "Effect",
}
"""PHEE's schema has names of its own for what its records call so."""
_PHEE_UNLISTED = ("Treatment.Combination", "Speculated", "Negated", "Severity")
"""What PHEE's records have beyond its schema."""


def is_kairos(value: Any) -> bool:
    """Tell whether a JSON value is WikiEvents' ontology."""
    if not isinstance(value, dict) or is_duee(value):
        return False
    return any(isinstance(item, dict) and "roles" in item for item in value.values())


def kairos_types(value: dict[str, Any]) -> Iterator[EventType]:
    """Yield the types of WikiEvents' `event_role_KAIROS.json`, whose slots `<arg1>` become `<Role>`.

    Args:
        value: The file's JSON object.

    Yields:
        The types; a role that is listed twice has multiplicity two.

    Raises:
        InvalidValueError: If a field is missing or of another type, or a slot has no role.
    """
    for name, item in value.items():
        record = mapping(item, name)
        roles = member(record, "roles", [], inside=name)
        for number, role in enumerate(roles):
            if not isinstance(role, str) or not role:
                raise InvalidValueError(f"{name}.roles[{number}]", "a name", shown(role))
        template = member(record, "template", "", inside=name, required=False)
        for slot in _SLOT.findall(template):
            if not 1 <= int(slot) <= len(roles):
                raise InvalidValueError(f"{name}.template", f"slots up to <arg{len(roles)}>", f"<arg{slot}>")
        for number, role in enumerate(roles, 1):
            template = template.replace(f"<arg{number}>", f"<{role}>")
        yield EventType(name, tuple(Role(role, count) for role, count in Counter(roles).items()), template=template)


def is_duee(value: Any) -> bool:
    """Tell whether a line's JSON value is a type of a DuEE schema."""
    return isinstance(value, dict) and value.keys() >= {"event_type", "role_list"}


def duee_type(value: Any) -> EventType:
    """Return the type of a line of DuEE's or DuEE-Fin's schema, `{"event_type", "role_list": [{"role"}]}`."""
    record = mapping(value, "line")
    names = [
        name_in(mapping(role, f"role_list[{number}]"), "role", f"role_list[{number}]")
        for number, role in enumerate(member(record, "role_list", []))
    ]
    return EventType(name_in(record, "event_type"), tuple(Role(name) for name in dict.fromkeys(names)))


def is_phee(lines: list[Any]) -> bool:
    """Tell whether the JSON values of a file's lines are PHEE's schema: types, roles, roles by type."""
    return len(lines) == 3 and [type(line) for line in lines] == [list, list, dict]


def phee_types(lines: list[Any]) -> Iterator[EventType]:
    """Yield the types of PHEE's `event.schema`, under the names that its records have."""
    for name, roles in lines[2].items():
        if not isinstance(roles, list):
            raise InvalidValueError(name, "a list of roles", shown(roles))
        names = [_PHEE_NAMES.get(role, role) if isinstance(role, str) else "" for role in roles]
        yield EventType(
            name.capitalize().replace(" ", "_"),
            tuple(Role(role) for role in dict.fromkeys([*names, *_PHEE_UNLISTED])),
        )


def is_brat(text: str) -> bool:
    """Tell whether a text is brat's `annotation.conf`."""
    return re.search(r"^\[events\]\s*$", text, re.MULTILINE) is not None


def brat_types(text: str) -> Iterator[tuple[int, EventType | InvalidValueError]]:
    """Yield the types of the section `[events]` of brat's `annotation.conf`, or what is wrong with a line.

    Args:
        text: The file's content.

    Yields:
        Number of the line, from one, with its type. `Role*:T` and `Role+:T` may have any number of fillers, given as
        two; `Role{3}:T` has three.
    """
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        content = line.split("#")[0].strip()
        if content.startswith("["):
            section = content
        elif content and section == "[events]" and not content.startswith(("!", "-", "<")):
            name, _, roles = content.partition("\t") if "\t" in content else content.partition(" ")
            try:
                yield number, EventType(name, tuple(_brat_roles(roles)))
            except InvalidValueError as error:
                yield number, error


def _brat_roles(text: str) -> Iterator[Role]:
    for item in filter(None, (part.strip() for part in text.split(","))):
        if item.startswith("<"):
            continue
        match = re.fullmatch(r"([^\s:?*+{}<]+)(\?|\*|\+|\{(\d{1,9})(?:-(\d{1,9}))?\})?:.+", item)
        if match is None:
            raise InvalidValueError("roles", "Role:Type, with ?, *, + or {n} behind the role", repr(item))
        name, mark, least, most = match.groups()
        multiplicity = int(most or least or 2) if mark and mark != "?" else 1
        yield Role(name, max(multiplicity, 1))


def json_lines(text: str) -> list[tuple[int, Any]]:
    """Return number and JSON value of each line that is not blank; none at all where a line is no JSON."""
    numbered = [(number, json_value(line)) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    return [] if any(value is None for _, value in numbered) else numbered


def json_value(text: str) -> Any:
    """Return the JSON value that a text is, or None."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
