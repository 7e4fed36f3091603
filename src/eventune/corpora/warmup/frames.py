"""Reads the event types of the warm-up corpus: their frames, and the forms of their verbs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache

from eventune.corpora.warmup.domains import DOMAINS, Domain, domain_named

_HEAD = re.compile(r"(\w+)(?: ([>+]) (\w+)(?:\((\w+)\))?)?: (.+)")
# These take an "e" in the third person: "reaches", "goes".
_SIBILANT = ("s", "x", "z", "ch", "sh", "o")


@dataclass(frozen=True, slots=True)
class Verb:
    """The forms of a verb; a `particle` stands with the verb, or behind its object if it is `split`."""

    base: str
    third: str
    past: str
    participle: str
    ing: str
    particle: str = ""
    split: bool = False


@dataclass(slots=True)
class Frame:
    """How some verbs and nouns of a type place its roles in a clause.

    Attributes:
        type: Event type.
        subject: Role of the active subject.
        object: Role of the object, or an empty string.
        preposition: What stands before the object, or an empty string.
        mutual: Whether the subject and the object play one role.
        verbs: The verbs.
        domain: Says how roles are put that the frame does not.
        nouns: Nouns, each with the preposition behind it.
        wording: Prepositional phrases by role, alternatives separated by `|`.
    """

    type: str
    subject: str
    object: str
    preposition: str
    mutual: bool
    verbs: list[Verb]
    domain: Domain
    nouns: list[tuple[str, str]] = field(default_factory=list)
    wording: dict[str, str] = field(default_factory=dict)

    def oblique(self, role: str) -> str:
        """Return how a role beside subject and object is put, or an empty string if it cannot be put so."""
        return "" if role in (self.subject, self.object) else self.wording.get(role, self.domain.obliques.get(role, ""))


@dataclass(slots=True)
class Type:
    """An event type.

    Attributes:
        name: Its name.
        description: What happens.
        domain: What it belongs to.
        roles: Kinds of filler and multiplicity by role.
        frames: How it is told.
    """

    name: str
    description: str
    domain: Domain
    roles: dict[str, tuple[str, int]] = field(default_factory=dict)
    frames: list[Frame] = field(default_factory=list)


def parse_verb(entry: str) -> Verb:
    """Read a verb: its base form alone, or `base/past/participle/ing`, and a particle."""
    forms, _, particle = entry.partition(" ")
    base, *others = forms.split("/")
    third = base + ("es" if base.endswith(_SIBILANT) else "s")
    past = base + ("d" if base.endswith("e") else "ed")
    ing = (base[:-1] if base.endswith("e") and not base.endswith("ee") else base) + "ing"
    if base[-1] == "y" and base[-2] not in "aeou":
        third, past = f"{base[:-1]}ies", f"{base[:-1]}ied"
    if others:
        past = others[0]
        if past == f"{base}{base[-1]}ed" or (base == past and re.search(r"[^aeiou][aeiou]t$", base)):
            ing = f"{base}{base[-1]}ing"
    participle = others[1] if len(others) > 1 else past
    ing = others[2] if len(others) > 2 else ing
    return Verb(base, third, past, participle, ing, particle.removeprefix("~"), particle.startswith("~"))


@cache
def types() -> dict[str, Type]:
    """Return the event types of all domains by name."""
    return {name: _type_of(name, domain) for domain in map(domain_named, DOMAINS) for name in domain.types}


def _type_of(name: str, domain: Domain) -> Type:
    """Read an event type out of its domain."""
    told = domain.types[name]
    event_type = Type(name, told["description"], domain)
    for entry in told["roles"].split():
        role, _, kinds = entry.partition("=")
        kinds, _, most = kinds.partition("|")
        event_type.roles[role] = (kinds, int(most or 1))
    for line in told["frames"].splitlines():
        _read_line(event_type, line)
    return event_type


def _read_line(event_type: Type, line: str) -> None:
    """Read a frame's head, its nouns, or how it puts a role."""
    if line.startswith("nouns "):
        nouns = [entry.strip().rpartition(" ") for entry in line.removeprefix("nouns ").split(";")]
        event_type.frames[-1].nouns = [(noun, preposition) for noun, _, preposition in nouns]
    elif line.startswith("at "):
        role, _, wording = line.removeprefix("at ").partition("=")
        event_type.frames[-1].wording[role] = wording
    else:
        match = _HEAD.fullmatch(line)
        if match is None:
            raise ValueError(f"{event_type.name}: cannot read {line!r}")
        subject, sign, obj, preposition, verbs = match.groups()
        parsed = [parse_verb(verb.strip()) for verb in verbs.split(";")]
        mutual, domain = sign == "+", event_type.domain
        frame = Frame(event_type.name, subject, obj or "", preposition or "", mutual, parsed, domain)
        event_type.frames.append(frame)
