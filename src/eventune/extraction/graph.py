"""The models as a file holds them: tensors in, `spans` and `null` out."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from eventune.extraction.detection.model import TriggerDetector
from eventune.extraction.model import JointExtractor

OUTPUTS = ("spans", "null")


class SpanGraph(nn.Module):
    """The joint extractor; see `JointExtractor.forward`."""

    def __init__(self, model: JointExtractor) -> None:
        super().__init__()
        self.model = model

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        marks: Tensor,
        role_tokens: Tensor,
        word_starts: Tensor,
        word_ends: Tensor,
        sentences: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Return what `SpanScores` holds."""
        scores = self.model(input_ids, attention_mask, marks, role_tokens, word_starts, word_ends, sentences)
        return scores.spans, scores.null


class TriggerGraph(nn.Module):
    """The trigger detector with its types, which are the same for all texts and part of it."""

    def __init__(self, model: TriggerDetector, types: Mapping[str, Tensor]) -> None:
        """Put the model and its types together.

        Args:
            model: The model.
            types: What `DetectionTask.type_inputs` returned for it.
        """
        super().__init__()
        self.model = model
        self._types = tuple(types)
        for name, tensor in types.items():
            self.register_buffer(name, tensor.clone())

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        marks: Tensor,
        word_starts: Tensor,
        word_ends: Tensor,
        sentences: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Return what `SpanScores` holds."""
        types = {name: getattr(self, name) for name in self._types}
        scores = self.model(input_ids, attention_mask, marks, word_starts, word_ends, sentences, **types)
        return scores.spans, scores.null
