"""How triggers are found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from eventune.errors import InvalidValueError, out_of_range
from eventune.extraction.arguments import MOST_SPAN_LENGTH

TYPE_READINGS = ("auto", "beside", "vectors")


@dataclass(kw_only=True)
class DetectionArguments:
    """The detector's own settings."""

    max_trigger_length: int = field(default=5, metadata={"help": "Words of the longest trigger"})
    type_reading: str = field(
        default="auto",
        metadata={
            "help": "How event types are read: beside the text, as vectors that are made once, or auto: beside where "
            "their names take no more than an eighth of max_length",
            "read_by": "detection",
        },
    )
    type_embeddings: bool = field(
        default=True,
        metadata={
            "help": "Learn a vector for each type beside what its name says; without, types are known by their names "
            "alone, and the run can be used with any ontology",
            "read_by": "detection",
        },
    )
    partial_annotation: bool = field(
        default=False,
        metadata={
            "help": "The corpus marks some events only: what it does not mark is not taken for a negative; see "
            "docs/detection.md",
            "read_by": "detection",
        },
    )

    def problems(self) -> Iterator[InvalidValueError]:
        """Yield one error for each setting that is out of range."""
        yield from out_of_range(self, {"max_trigger_length": (1, MOST_SPAN_LENGTH)})
        if self.type_reading not in TYPE_READINGS:
            yield InvalidValueError("type_reading", " or ".join(TYPE_READINGS), repr(self.type_reading))
