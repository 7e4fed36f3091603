"""The settings of a run that is made in two steps: triggers first, then their arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from eventune.corpora.arguments import DataArguments
from eventune.errors import InvalidValueError
from eventune.events import Document

DETECTION, ARGUMENTS = "detection", "arguments"
"""Names of the steps, of their settings in a recipe, and of their folders in the run directory."""
MEASURES = (
    "trigger_id",
    "trigger_cls",
    "argument_id",
    "argument_cls",
    "argument_attached_id",
    "argument_attached_cls",
)
"""TextEE's six measures of both steps together: TI, TC, AI, AC, AI+, AC+."""


@dataclass(kw_only=True)
class StepsArguments:
    """What both steps are tuned for, and settings of a single step."""

    measure: str = field(
        default="argument_cls",
        metadata={"help": f"What both steps' margins are tuned for on the dev part, one of {', '.join(MEASURES)}"},
    )
    detection: dict[str, Any] = field(
        default_factory=dict, metadata={"help": "Settings of the first step alone, e.g. {num_train_epochs: 12}"}
    )
    arguments: dict[str, Any] = field(
        default_factory=dict, metadata={"help": "Settings of the second step alone, e.g. {max_span_length: 20}"}
    )

    def problems(self) -> Iterator[InvalidValueError]:
        """Yield one error for each setting that is out of range."""
        if self.measure not in MEASURES:
            yield InvalidValueError("measure", " or ".join(MEASURES), repr(self.measure))
        for name in (DETECTION, ARGUMENTS):
            if own := {"output_dir", "overwrite_output_dir", "resume_from_checkpoint"} & getattr(self, name).keys():
                yield InvalidValueError(name, "settings of the step, its folder is in output_dir", min(own))
            if documents := {each.name for each in fields(DataArguments)} & getattr(self, name).keys():
                expected = "at the top of the recipe, as both steps have the same documents"
                yield InvalidValueError(f"{name}: {', '.join(sorted(documents))}", expected, "in the step")


Annotate = Callable[[Sequence[Document]], Sequence[Document]]


def in_two_steps(documents: Sequence[Document], detect: Annotate, find_arguments: Annotate) -> list[Document]:
    """Find the events of documents that have none, and the arguments of all.

    Args:
        documents: The documents; events that are there already are kept, and their arguments found anew.
        detect: Finds events in documents without any.
        find_arguments: Finds the arguments of documents' events.

    Returns:
        The documents in the same order.
    """
    detected = iter(detect([document for document in documents if not document.events]))
    return list(find_arguments([document if document.events else next(detected) for document in documents]))
