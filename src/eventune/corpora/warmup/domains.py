"""Fields that the texts of the warm-up corpus are about, each a file in `domains/` for people to read and edit.

A file has
    types: `description`, what happens; `roles`, a list of `role=kind,kind` and, with several fillers, `|most`;
        `frames`, lines `subject > object: verbs` (an object in the form `role(to)` stands behind that preposition,
        `a + a(with)` is mutual, no object makes the verb intransitive), each with a line `nouns noun preposition; …`
        (`-` without an object), and where the roles' own wording does not do, a line `at role=preposition {}|…`. A verb
        is `base/past/participle/ing particle`, a regular one its base alone; `~particle` stands after the object.
    roles: `description`; `at`, prepositional phrases between `|`; `sentences` about it: `<` stands before the event's
        own, `>` behind it, `+` names a second filler.
    kinds: fillers between `;`. A leading article is no part of the span, nor is what stands before `^`; `@` is human,
        `*` plural; `<nat>` is an adjective of nationality, `<num>` a number, `<city>` and `<country>` are names. The
        kinds `person`, `org`, `money`, `country` and `place` are made of `names.yaml`.
    texts: templates of what stands round an event, one a line. `{}` is the event, `{~kind}` a filler of no role,
        `{role}` one of it, `{~kind was/were}` has a verb that agrees; `{event}` is a noun for the event, `{source}` and
        `{when}` are of those blocks, `{year}`, `{day}` and `{num}` are drawn. `MODALS` (`singular_plural`) and
        `ADJECTIVES` are lists between `;`; an adjunct that starts with a comma stands right behind the sentence.
    things: kinds whose fillers want and refuse nothing.
    appositives: what may stand between commas behind a filler, by its kind.
What a domain does not say is as in the news, which come first; but its long sentences (`LONG`) are its own `BACKGROUND`
where it has none, as those of the news are about politics, and its things are beside theirs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from eventune.storage.yaml_files import read_yaml

_FOLDER = Path(str(files(__package__) / "domains"))
NEWS = "news"
DOMAINS = (NEWS, "medicine", "economy", "nature", "people")


@dataclass(frozen=True, slots=True, eq=False)
class Domain:
    """A field that texts are about.

    Attributes:
        name: Its name.
        types: Its event types: description, roles and frames by name.
        own_roles: Roles that its file tells of.
        descriptions: What each role means.
        obliques: Prepositional phrases by role.
        satellites: Sentences about each role.
        texts: Blocks of templates by their name.
        appositives: What may stand behind a noun phrase, by its kind.
        fillers: Noun phrases by their kind.
        things: Kinds whose fillers want and refuse nothing.
    """

    name: str
    types: Mapping[str, Mapping[str, str]]
    own_roles: frozenset[str]
    descriptions: Mapping[str, str]
    obliques: Mapping[str, str]
    satellites: Mapping[str, list[str]]
    texts: Mapping[str, str]
    appositives: Mapping[str, str]
    fillers: Mapping[str, list[str]]
    things: frozenset[str]


@cache
def domain_named(name: str) -> Domain:
    """Return a domain by its name."""
    read, news = _read(name), _read(NEWS)
    own_texts = read["texts"] if name == NEWS else {"LONG": read["texts"]["BACKGROUND"], **read["texts"]}
    roles = {**news["roles"], **{role: news["roles"].get(role, {}) | own for role, own in read["roles"].items()}}
    return Domain(
        name,
        read["types"],
        frozenset(read["roles"]),
        {role: own["description"] for role, own in roles.items()},
        {role: own["at"] for role, own in roles.items() if "at" in own},
        {role: own["sentences"].splitlines() for role, own in roles.items()},
        {**news["texts"], **own_texts},
        {**news["appositives"], **read.get("appositives", {})},
        {kind: entries_of(block) for kind, block in (news["kinds"] | read["kinds"]).items()},
        frozenset(f"{news['things']} {read['things']}".split()),
    )


@cache
def names() -> dict[str, list[str]]:
    """Return names, places and numbers that all domains share, by what they are."""
    return {what: entries_of(block) for what, block in _read("names").items()}


@cache
def nations() -> dict[str, str]:
    """Return the adjective of each country, by its name without an article."""
    pairs = (country.partition("/") for country in names()["countries"])
    return {name.removeprefix("the "): nation for name, _, nation in pairs}


@cache
def grammar_hash() -> str:
    """Return the sha256 of all domains' files."""
    texts = [path.read_bytes() for path in sorted(_FOLDER.glob("*.yaml"))]
    return hashlib.sha256(b"\0".join(texts)).hexdigest()


def entries_of(block: str) -> list[str]:
    """Return the entries that `;` separates."""
    return [entry.strip() for entry in block.split(";")]


def lines_of(block: str) -> list[str]:
    """Return the templates of a block, one a line."""
    return [line.strip() for line in block.strip().splitlines()]


@cache
def _read(name: str) -> dict[str, Any]:
    read: dict[str, Any] = read_yaml(_FOLDER / f"{name}.yaml")
    return read
