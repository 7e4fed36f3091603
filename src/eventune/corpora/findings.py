"""What a check found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a check found.

    Attributes:
        severity: `error` where training or scoring would go wrong, `warning` where a look is worth while.
        kind: What was found, in a few words that all findings of the kind share.
        document: Identifier of the document.
        where: The field, e.g. `events[0].arguments[2]`; empty for the document itself.
        message: What was expected and what was found.
    """

    severity: Literal["error", "warning"]
    kind: str
    document: str
    where: str
    message: str

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as JSON values."""
        return asdict(self)
