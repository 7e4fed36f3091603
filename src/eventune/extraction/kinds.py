"""The extractors by name: how each reads documents, what it is, and what it is trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from eventune.extraction.features import FeatureBuilder
from eventune.extraction.model import JointExtractor
from eventune.extraction.question import QuestionExtractor, QuestionTask
from eventune.extraction.question_features import QuestionFeatureBuilder
from eventune.extraction.task import ExtractionTask


@dataclass(frozen=True, slots=True)
class ExtractorVariant:
    """An extractor's parts.

    Attributes:
        builder: Encodes documents.
        model: Scores spans; its encoder is called `encoder`.
        task: Has the loss, and turns scores into arguments.
    """

    builder: type[FeatureBuilder]
    model: type[JointExtractor] | type[QuestionExtractor]
    task: type[ExtractionTask]


VARIANTS: Mapping[str, ExtractorVariant] = {
    "joint": ExtractorVariant(FeatureBuilder, JointExtractor, ExtractionTask),
    "question": ExtractorVariant(QuestionFeatureBuilder, QuestionExtractor, QuestionTask),
}
