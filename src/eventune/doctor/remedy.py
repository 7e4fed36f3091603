"""What is known about an error message."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Remedy:
    """A known message with its cause and fix.

    Attributes:
        name: Short name, unique.
        pattern: Regular expression in lower case over one line. Gaps in it are bounded, so that time stays linear.
        cause: Why the message comes.
        fix: What to do.
        threads: Where it was discussed, e.g. `peft#1070`.
    """

    name: str
    pattern: str
    cause: str
    fix: str
    threads: tuple[str, ...] = ()
