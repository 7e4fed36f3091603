"""Ontology files: the project's YAML, the `type role n role n …` lines of RAMS, and other corpora's own files."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import yaml

from eventune.corpora.corpus_ontologies import (
    brat_types,
    duee_type,
    is_brat,
    is_duee,
    is_kairos,
    is_phee,
    json_lines,
    json_value,
    kairos_types,
    phee_types,
)
from eventune.corpora.fields import shown
from eventune.corpora.files import Problems, decode
from eventune.errors import EventuneError, InvalidValueError
from eventune.events import EventType, Ontology, Role
from eventune.storage.atomic import write_atomically
from eventune.storage.paths import check_is_file
from eventune.storage.yaml_files import compose, construct


def read_ontology(path: str | os.PathLike[str]) -> Ontology:
    """Read an ontology, in YAML as `write_ontology` writes it or in a corpus' own form, told apart by its content.

    Args:
        path: The file.

    Returns:
        The ontology, in the file's order.

    Raises:
        EventuneError: If the file cannot be read, holds no event type, or a part of it is wrong; the error names line
            and field.
    """
    path = Path(path)
    check_is_file(path)
    try:
        text = decode(path.read_bytes()).removeprefix("\ufeff")
    except InvalidValueError as error:
        raise EventuneError(f"{path}: {error.message}", error.hint) from None
    except OSError as error:
        raise EventuneError(f"{path}: cannot be read: {error.strerror}") from None
    types = _of_corpus(path, text)
    if types is not None:
        ontology = Ontology.of(types)
    else:
        ontology = _from_yaml(path, text) if _is_yaml(text) else _from_lines(path, text)
    if not len(ontology):
        raise EventuneError(f"{path}: holds no event type", "an ontology begins with `types:` and one type below it")
    return ontology


def write_ontology(ontology: Ontology, path: str | os.PathLike[str]) -> None:
    """Write an ontology as YAML.

    Args:
        ontology: The ontology.
        path: The file; its folder exists.
    """
    write_atomically(Path(path), ontology_text(ontology))


def ontology_text(ontology: Ontology) -> str:
    """Return an ontology as the YAML that `write_ontology` writes."""
    return yaml.safe_dump(ontology.to_dict(), sort_keys=False, allow_unicode=True, width=120)


def _of_corpus(path: Path, text: str) -> list[EventType] | None:
    """Read a corpus' own ontology file; None if it is another kind of file."""
    if is_brat(text):
        problems, types = Problems(path), []
        for number, found in brat_types(text):
            if isinstance(found, InvalidValueError):
                problems.add(number, found)
            else:
                types.append(found)
        problems.raise_if_any()
        return types
    if not text.lstrip().startswith(("{", "[")):
        return None
    lines = json_lines(text)
    try:
        if is_kairos(whole := lines[0][1] if len(lines) == 1 else json_value(text)):
            return list(kairos_types(whole))
        if is_phee([value for _, value in lines]):
            return list(phee_types([value for _, value in lines]))
    except InvalidValueError as error:
        raise EventuneError(f"{path}: {error.message}", error.hint) from None
    return _duee_types(path, lines) if lines and is_duee(lines[0][1]) else None


def _duee_types(path: Path, lines: list[tuple[int, Any]]) -> list[EventType]:
    problems, types = Problems(path), []
    for number, value in lines:
        try:
            types.append(duee_type(value))
        except InvalidValueError as error:
            problems.add(number, error)
    problems.raise_if_any()
    return types


def _is_yaml(text: str) -> bool:
    lines = (line.strip() for line in text.splitlines())
    first = next((line for line in lines if line and not line.startswith("#")), "")
    # A colon may be part of a RAMS-like name (`Life:Die`), but a key of YAML has white space behind it.
    return not first or first.startswith(("{", "---")) or re.search(r":(\s|$)", first) is not None


def _from_lines(path: Path, text: str) -> Ontology:
    problems = Problems(path)
    types: dict[str, EventType] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words:
            continue
        try:
            if not line.replace("\t", " ").isprintable():
                # Words are names, whatever stands in them, so that a binary file would pass for an ontology.
                raise InvalidValueError("line", "an event type with its roles", shown(line))
            if words[0] in types:
                raise InvalidValueError("types", "each type once", f"{words[0]!r} twice")
            types[words[0]] = EventType(words[0], _roles(words[0], words[1:]))
        except InvalidValueError as error:
            problems.add(number, error)
    problems.raise_if_any()
    return Ontology.of(types.values())


def _roles(type_name: str, words: list[str]) -> tuple[Role, ...]:
    if len(words) % 2:
        raise InvalidValueError(type_name, "pairs `role n` behind the type", f"{words[-1]!r} without a number")
    roles = []
    for name, multiplicity in zip(words[::2], words[1::2], strict=True):
        if not (multiplicity.isdecimal() and len(multiplicity) < 10):
            raise InvalidValueError(f"{type_name}.{name}", "a number of fillers", repr(multiplicity))
        roles.append(Role(name, int(multiplicity)))
    return tuple(roles)


def _from_yaml(path: Path, text: str) -> Ontology:
    root = compose(path, text)
    try:
        return Ontology.from_dict(construct(path, root))
    except InvalidValueError as error:
        line = _line_of(root, error.field)
        hint = error.hint or "names that YAML takes for something else (no, on, 1) need quotes"
        raise EventuneError(f"{path}:{line}: {error.message}", hint) from None


def _line_of(node: yaml.Node | None, field: str) -> int:
    """Return the line of a field such as `types.life.die.roles.place`, whose names may hold dots themselves."""
    line = 1
    while isinstance(node, yaml.MappingNode):
        fitting = [
            (key, value)
            for key, value in node.value
            if isinstance(key, yaml.ScalarNode) and (field == key.value or field.startswith(f"{key.value}."))
        ]
        if not fitting:
            break
        key, node = max(fitting, key=lambda pair: len(pair[0].value))
        line = key.start_mark.line + 1
        field = field[len(key.value) + 1 :]
    return line
