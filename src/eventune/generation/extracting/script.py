"""The JSON that answers a question, as the pieces it is written in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eventune.events import EventType, Role


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of one role in an answer.

    Attributes:
        event: Number of its event among those that are asked about, from 0.
        role: The role.
        head: What stands before its list.
        empty: Its list where nothing fills it, with what follows.
        closing: What closes its list, with what follows.
    """

    event: int
    role: Role
    head: str
    empty: str
    closing: str


OPENING = ' ["'
"""Begins a list and its first value."""
BETWEEN = '", "'
"""Stands between two values."""


@dataclass(frozen=True, slots=True)
class Script:
    """An answer's fixed parts: every role of every event in order, each with a list.

    One event is `{"role": ["span", …], …}`; several are such objects by their numbers, `{"1": {…}, "2": {…}}`.

    Attributes:
        slots: The roles' places.
        whole: The whole answer where no event has a role; else empty.
    """

    slots: tuple[Slot, ...]
    whole: str = ""

    @classmethod
    def of(cls, types: Sequence[EventType]) -> Script:
        """Write the script of some events.

        Args:
            types: The events' types.
        """
        ends = dict.fromkeys(range(len(types)), "}")
        heads = dict.fromkeys(range(len(types)), "{")
        if len(types) > 1:
            heads = {number: f'{" " if number else "{"}"{number + 1}": {{' for number in range(len(types))}
            ends = {number: "}}" if number == len(types) - 1 else "}," for number in range(len(types))}
        slots: list[Slot] = []
        # Of events without roles, which come with the next head.
        before = ""
        for number, event_type in enumerate(types):
            head = before + heads[number]
            for place, role in enumerate(event_type.roles):
                after = ends[number] if place == len(event_type.roles) - 1 else ","
                name = json.dumps(role.name, ensure_ascii=False)
                slots.append(Slot(number, role, f"{head}{name}:", f" []{after}", f'"]{after}'))
                head = " "
            before = "" if event_type.roles else head + ends[number]
        if not slots:
            return cls((), before or "{}")
        if before:
            last = slots[-1]
            slots[-1] = Slot(last.event, last.role, last.head, last.empty + before, last.closing + before)
        return cls(tuple(slots))

    def write(self, values: Sequence[Sequence[str]]) -> str:
        """Return an answer.

        Args:
            values: The values of each slot.
        """
        parts = [self.whole]
        for slot, texts in zip(self.slots, values, strict=True):
            escaped = [json.dumps(text, ensure_ascii=False)[1:-1] for text in texts]
            filled = OPENING + BETWEEN.join(escaped) + slot.closing
            parts += [slot.head, filled if texts else slot.empty]
        return "".join(parts)


def json_schema(types: Sequence[EventType]) -> dict[str, Any]:
    """Return the JSON schema of an answer, for servers that decode by one.

    Args:
        types: The events' types.
    """
    objects = [
        _object(
            {
                role.name: {"type": "array", "items": {"type": "string"}, "maxItems": role.multiplicity}
                for role in event_type.roles
            }
        )
        for event_type in types
    ]
    return objects[0] if len(types) == 1 else _object({str(number): one for number, one in enumerate(objects, 1)})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
