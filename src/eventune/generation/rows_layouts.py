"""What a row's columns mean: from one record to one conversation."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from eventune.errors import EventuneError, InvalidValueError, did_you_mean
from eventune.generation.conversation import ROLES, Conversation, Message

SHAREGPT_ROLES = {"system": "system", "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant"}
"""What ShareGPT's `from` says, and the role it means."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that the user named.

    Attributes:
        prompt: Column of the prompt; empty if the layout is to be found from the columns' names.
        response: Column of the response; may be empty where rows are only asked.
        history: Column of earlier turns, or empty.
    """

    prompt: str = ""
    response: str = ""
    history: str = ""


@dataclass(frozen=True, slots=True)
class RowLayout:
    """How a row is read.

    Attributes:
        name: What messages call it.
        required: Columns that every row has.
        read: Makes of a row, the text before each prompt, and whether a response is needed, its turns; raises
            InvalidValueError.
    """

    name: str
    required: tuple[str, ...]
    read: Callable[[Mapping[str, Any], str, bool], Iterator[Message]]


def choose_layout(first: Mapping[str, Any], columns: Columns, *, place: str, needs_response: bool) -> RowLayout:
    """Find how rows are laid out, from the columns the user named or else from those of the first row.

    Args:
        first: The first row.
        columns: The columns the user named.
        place: The first row's place, for the message.
        needs_response: Whether rows without a response are of no use.

    Returns:
        The layout.

    Raises:
        EventuneError: If the columns are not there, or say nothing.
    """
    if columns.prompt:
        layout = _named_columns(columns, needs_response)
    elif "messages" in first:
        layout = RowLayout("messages", ("messages",), _read_messages)
    elif "conversations" in first:
        layout = RowLayout("ShareGPT", ("conversations",), _read_sharegpt)
    elif "instruction" in first:
        layout = RowLayout("alpaca", ("instruction", "output") if needs_response else ("instruction",), _read_alpaca)
    else:
        raise EventuneError(
            f"{place}: expected the columns instruction and output, messages, or conversations, found {_names(first)}",
            "name the columns: prompt_column and response_column",
        )
    missing = [name for name in layout.required if name not in first]
    if missing:
        hint = did_you_mean(missing[0], first) or "the same columns must be in every row"
        raise EventuneError(f"{place}: expected the column {missing[0]!r}, found {_names(first)}", hint)
    return layout


def read_row(
    row: Mapping[str, Any], layout: RowLayout, *, source_prefix: str = "", needs_response: bool = True
) -> Conversation:
    """Make a conversation of a row.

    Args:
        row: The row's values by column.
        layout: How it is read.
        source_prefix: Text before each prompt.
        needs_response: Whether a row without a response is an error.

    Returns:
        The conversation, its own response as reference.

    Raises:
        InvalidValueError: If a column is missing, a value is of another type, a prompt or a response is empty, or the
            roles do not alternate.
    """
    for name in layout.required:
        if name not in row:
            raise InvalidValueError("row", f"the column {name!r}", _names(row), did_you_mean(name, row))
    messages = tuple(layout.read(row, source_prefix, needs_response))
    _check_roles(messages)
    if messages[-1].role != "assistant":
        if needs_response:
            hint = "to ask for responses only, give the file as test_file"
            raise InvalidValueError("row", "a response as its last turn", "none", hint)
        return Conversation(messages)
    return Conversation(messages, (messages[-1].content,))


def _named_columns(columns: Columns, needs_response: bool) -> RowLayout:
    def read(row: Mapping[str, Any], prefix: str, needs_response: bool) -> Iterator[Message]:
        if columns.history:
            yield from _history(row, columns.history)
        yield Message("user", prefix + _text(row, columns.prompt))
        if columns.response and (needs_response or row.get(columns.response)):
            yield Message("assistant", _text(row, columns.response), is_trained=True)

    wanted = (columns.prompt, columns.response if needs_response else "", columns.history)
    return RowLayout("columns", tuple(name for name in wanted if name), read)


def _read_alpaca(row: Mapping[str, Any], prefix: str, needs_response: bool) -> Iterator[Message]:
    if row.get("system"):
        yield Message("system", _text(row, "system"))
    if "history" in row:
        yield from _history(row, "history")
    parts = [_text(row, name) for name in ("instruction", "input") if row.get(name)]
    if not any(part.strip() for part in parts):
        raise InvalidValueError("instruction", "a text", "an empty one")
    yield Message("user", prefix + "\n".join(parts))
    if needs_response or row.get("output"):
        yield Message("assistant", _text(row, "output"), is_trained=True)


def _read_messages(row: Mapping[str, Any], prefix: str, _: bool) -> Iterator[Message]:
    return _turns(row, "messages", "role", "content", dict(zip(ROLES, ROLES, strict=True)), prefix)


def _read_sharegpt(row: Mapping[str, Any], prefix: str, _: bool) -> Iterator[Message]:
    return _turns(row, "conversations", "from", "value", SHAREGPT_ROLES, prefix)


def _turns(
    row: Mapping[str, Any], column: str, role_key: str, text_key: str, roles: Mapping[str, str], prefix: str
) -> Iterator[Message]:
    turns = row[column]
    if not isinstance(turns, list) or not turns:
        raise InvalidValueError(column, "a list of turns", _kind(turns))
    for index, turn in enumerate(turns):
        place = f"{column}[{index}]"
        if not isinstance(turn, dict) or role_key not in turn or text_key not in turn:
            found = _names(turn) if isinstance(turn, dict) else _kind(turn)
            raise InvalidValueError(place, f"{role_key!r} and {text_key!r}", found)
        role = roles.get(turn[role_key]) if isinstance(turn[role_key], str) else None
        if role is None:
            raise InvalidValueError(f"{place}.{role_key}", " or ".join(roles), repr(turn[role_key]))
        if role == "system" and turn[text_key] == "":
            continue
        text = _checked_text(turn[text_key], f"{place}.{text_key}")
        yield Message(role, prefix + text if role == "user" else text, is_trained=role == "assistant")


def _history(row: Mapping[str, Any], column: str) -> Iterator[Message]:
    pairs = row[column]
    if isinstance(pairs, str) and pairs.strip():
        # A CSV cell can hold a list in no other way.
        try:
            pairs = json.loads(pairs)
        except ValueError:
            raise InvalidValueError(column, "a list of [question, answer]", repr(pairs)) from None
    if not pairs:
        return
    if not isinstance(pairs, list):
        raise InvalidValueError(column, "a list of [question, answer]", _kind(pairs))
    for index, pair in enumerate(pairs):
        if not isinstance(pair, list) or len(pair) != 2:
            found = f"{len(pair)} values" if isinstance(pair, list) else _kind(pair)
            raise InvalidValueError(f"{column}[{index}]", "[question, answer]", found)
        yield Message("user", _checked_text(pair[0], f"{column}[{index}][0]"))
        yield Message("assistant", _checked_text(pair[1], f"{column}[{index}][1]"))


def _check_roles(messages: tuple[Message, ...]) -> None:
    turns = messages[1:] if messages and messages[0].role == "system" else messages
    if not turns:
        raise InvalidValueError("row", "a turn of the user", "none")
    for index, message in enumerate(turns):
        expected = ("user", "assistant")[index % 2]
        if message.role != expected:
            place = f"turn {index + 1 + len(messages) - len(turns)}"
            raise InvalidValueError(place, f"the role {expected}", message.role, "user and assistant must alternate")


def _text(row: Mapping[str, Any], column: str) -> str:
    return _checked_text(row[column], column)


def _checked_text(value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise InvalidValueError(place, "a text", _kind(value))
    if not value.strip():
        raise InvalidValueError(place, "a text", "an empty one")
    return value


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, list):
        return "an empty list" if not value else "a list"
    if isinstance(value, dict):
        return "an object"
    return f"the {'text' if isinstance(value, str) else 'value'} {value!r}"


def _names(row: Mapping[str, Any]) -> str:
    return ", ".join(map(str, row)) or "no columns"
