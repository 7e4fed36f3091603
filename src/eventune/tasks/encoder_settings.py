"""What the settings files of the tasks on an encoder hold, in run directories and in exports; no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le

from eventune.extraction.arguments import MOST_SPAN_LENGTH
from eventune.extraction.decoding import Choice
from eventune.extraction.detection.decoding import TriggerMargins
from eventune.tasks.limits import MOST_LENGTH


@dataclass(frozen=True, kw_only=True)
class SpanSettings:
    """What a run's `extractor.json` holds.

    Attributes:
        task: Name of the task; runs of earlier versions may lack it.
        extractor: The extractor, one of `extraction.kinds.VARIANTS`; runs of earlier versions may lack it.
        method: What was trained.
        max_length: The most subword tokens that are read at once.
        max_span_length: Words of the longest argument.
        trigger_window: Subword tokens that are read around a trigger; 0 for the whole document.
        near_window: Subword tokens around a trigger that are read a second time; 0 for no second reading.
        role_descriptions: Whether the prompt has the ontology's descriptions.
        margins: What decides which spans become arguments: margins, or what a dev part taught.
        dtype: Type of the base's weights.
        ontology_bytes: Size of the ontology's file: what is left of one that was cut off is often valid YAML.
    """

    task: Literal["extraction"] = "extraction"
    extractor: Literal["joint", "question"] = "joint"
    method: str
    max_length: Annotated[int, Ge(1), Le(MOST_LENGTH)]
    max_span_length: Annotated[int, Ge(1), Le(MOST_SPAN_LENGTH)]
    trigger_window: Annotated[int, Ge(0), Le(MOST_LENGTH)] = 0
    near_window: Annotated[int, Ge(0), Le(MOST_LENGTH)] = 0
    role_descriptions: bool = False
    margins: Choice
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    ontology_bytes: int = 0

    @property
    def reading(self) -> dict[str, Any]:
        """What decides how documents are encoded, by the arguments of `FeatureBuilder`."""
        names = ("max_length", "max_span_length", "trigger_window", "near_window", "role_descriptions")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, kw_only=True)
class DetectionSettings:
    """What a run's `extractor.json` holds.

    Attributes:
        task: Name of the task.
        method: What was trained.
        max_length: The most subword tokens that are read at once.
        max_trigger_length: Words of the longest trigger.
        type_reading: How event types are read.
        type_embeddings: Whether each type has a learned vector.
        margins: How far a span's score has to be above the empty one's.
        dtype: Type of the base's weights.
        ontology_bytes: Size of the ontology's file: what is left of one that was cut off is often valid YAML.
    """

    task: Literal["detection"] = "detection"
    method: str
    max_length: Annotated[int, Ge(1), Le(MOST_LENGTH)]
    max_trigger_length: Annotated[int, Ge(1), Le(MOST_SPAN_LENGTH)]
    type_reading: Literal["beside", "vectors"]
    type_embeddings: bool = True
    margins: TriggerMargins
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    ontology_bytes: int = 0

    @property
    def reading(self) -> dict[str, Any]:
        """What decides how documents are encoded, by the arguments of `TextEncoder`."""
        return {name: getattr(self, name) for name in ("max_length", "max_trigger_length", "type_reading")}
