"""What each subword token of the input is to the trigger detector."""

from __future__ import annotations

from enum import IntEnum


class TypeMark(IntEnum):
    """What a subword token is to the detector; each mark has a learned vector that is added to its embedding."""

    NONE = 0
    TYPE = 1
    TEXT = 2
