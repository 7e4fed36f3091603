"""YAML that people write and send: plain values, whose depth and size are bounded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from eventune.errors import EventuneError
from eventune.storage.text_files import is_unicode, read_text

MOST_VALUES = 1_000_000
"""Values of a file, each counted as often as aliases name it: a few lines can stand for more than memory holds."""
MOST_DEPTH = 60
_SHOWN = 20


class _Loader(yaml.SafeLoader):
    """Mappings, lists, texts, numbers, booleans and null; a date is the text that was written."""


_DATE = "tag:yaml.org,2002:timestamp"
_Loader.yaml_implicit_resolvers = {
    start: [(tag, pattern) for tag, pattern in resolvers if tag != _DATE]
    for start, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(path: Path) -> Any:
    """Read a file of YAML; see `parse_yaml`."""
    return parse_yaml(path, read_text(path))


def parse_yaml(path: Path | str, text: str) -> Any:
    """Return the value that a YAML text is.

    Args:
        path: What errors call it.
        text: The text.

    Returns:
        Dictionaries, lists, texts, numbers, booleans and None.

    Raises:
        EventuneError: If it is no YAML, or holds a key twice, a value that refers to itself, other values than these,
            or far too many; the error names the line where there is one.
    """
    return construct(path, compose(path, text))


def compose(path: Path | str, text: str) -> yaml.Node | None:
    """Return a YAML text as nodes, which know their lines, checked; see `parse_yaml`."""
    try:
        root = yaml.compose(text, Loader=_Loader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise _no_yaml(path, error) from None
    _check_size(path, root)
    _check_nodes(path, root)
    return root


def construct(path: Path | str, root: yaml.Node | None) -> Any:
    """Return the value of nodes that `compose` gave."""
    if root is None:
        return None
    loader = _Loader("")
    try:
        return loader.construct_document(root)
    # Numbers of thousands of digits and contents that are not as their tags say raise whatever Python does.
    except (yaml.YAMLError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError) as error:
        raise _no_yaml(path, error) from None
    finally:
        loader.dispose()


def _no_yaml(path: Path | str, error: Exception) -> EventuneError:
    if isinstance(error, yaml.MarkedYAMLError):
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return EventuneError(f"{path}:{line}: expected YAML, found: {error.problem}")
    found = "it is nested too deeply" if isinstance(error, RecursionError) else " ".join(str(error).split())[:200]
    return EventuneError(f"{path}: expected YAML, found: {found}")


def _check_size(path: Path | str, root: yaml.Node | None) -> None:
    """Refuse nodes that are nested too deeply, refer to themselves, or stand for too many values."""
    sizes: dict[int, int] = {}
    above: set[int] = set()

    def size(node: yaml.Node) -> int:
        key = id(node)
        if key in sizes:
            return sizes[key]
        if key in above or len(above) >= MOST_DEPTH:
            found = "a value that refers to itself" if key in above else "values nested too deeply"
            raise EventuneError(f"{path}:{node.start_mark.line + 1}: expected plain YAML, found {found}")
        above.add(key)
        sizes[key] = 1 + sum(size(child) for child in _children(node))
        above.remove(key)
        return sizes[key]

    if root is not None and size(root) > MOST_VALUES:
        raise EventuneError(f"{path}: expected {MOST_VALUES:,} values at the most, found {size(root):,}")


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for pair in node.value:
            yield from pair
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def _check_nodes(path: Path | str, root: yaml.Node | None) -> None:
    """Refuse keys that a mapping holds twice, of which YAML readers keep the last one, and what is no text."""
    found: list[str] = []
    waiting, seen = [root] if root is not None else [], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        waiting += _children(node)
        place = f"{path}:{node.start_mark.line + 1}"
        if isinstance(node, yaml.ScalarNode) and not is_unicode(node.value):
            found.append(f"{place}: expected Unicode text, found half a surrogate pair")
        keys: set[str] = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if isinstance(key, yaml.ScalarNode):
                if key.value in keys:
                    line = key.start_mark.line + 1
                    found.append(f"{path}:{line}: {key.value}: expected each name once, found {key.value!r} again")
                keys.add(key.value)
    if found:
        raise EventuneError("\n".join(found[:_SHOWN]), "mend what is listed and try again; nothing was read")
