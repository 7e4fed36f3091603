"""What the tasks on an encoder have in common: how its base is loaded, and what its training costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import PreTrainedTokenizerBase

from eventune.backbones.backbone import Backbone
from eventune.backbones.load import dropout_names, load_encoder, load_tokenizer
from eventune.backbones.resolve import BaseModel
from eventune.events import Ontology
from eventune.extraction.batches import MULTIPLE
from eventune.tasks.costs import Forgetting
from eventune.tasks.documents import DocumentTask
from eventune.tasks.protocol import Outcome
from eventune.training import run_directory as names

if TYPE_CHECKING:
    from eventune.recipe import Recipe

ENCODER = "encoder"
"""Name of the pretrained encoder inside every model of these tasks."""
COMPARED_EXAMPLES = 4
"""Inputs whose outputs are compared when a run is verified."""

MARGIN_STEPS = tuple(step / 2 for step in range(-6, 7))
"""How far other margins lie from a run's own where two runs are tuned together: half units of log-odds."""


def longest_window(wanted: int, backbone: Backbone) -> int:
    """Return how many subword tokens are read at once.

    Args:
        wanted: The most there may be; 0 for all that the encoder can read.
        backbone: The encoder.

    Returns:
        A length that batches can be padded from to a multiple of `MULTIPLE` within what the encoder reads.
    """
    return min(wanted or backbone.max_length, backbone.max_length // MULTIPLE * MULTIPLE)


class EncoderTask(DocumentTask):
    """The half of a `RunTask` on an encoder that does not depend on what is found."""

    def __init__(
        self,
        backbone: Backbone,
        ontology: Ontology,
        settings: Any,
        encoded: Mapping[str, Any],
        *,
        recipe: Recipe | None,
    ) -> None:
        saves_predictions = recipe is not None and recipe.optimisation.save_predictions
        super().__init__(backbone, ontology, settings, encoded, saves_predictions=saves_predictions)
        self._recipe = recipe
        self._forgetting = Forgetting(backbone) if recipe else None

    def notices(self) -> Sequence[str]:
        """See `RunTask`; among them that a setting does nothing on this base."""
        dropout, config = self._recipe.model.hidden_dropout if self._recipe else 0.0, self.backbone.model.config
        if not dropout or dropout_names(config):
            return super().notices()
        unknown = (
            f"hidden_dropout: {dropout} changes nothing: the configuration of a {config.model_type} model has no "
            "dropout of hidden states under a known name"
        )
        return [*super().notices(), unknown]

    @classmethod
    def load_backbone(
        cls, base: BaseModel, settings: Any, *, dtype: str = "", tokenizer_folder: Path | None = None
    ) -> Backbone:
        """See `RunTask`."""
        return load_encoder(base, dtype=dtype or settings.dtype, tokenizer_folder=tokenizer_folder)

    @classmethod
    def load_tokenizer(cls, folder: Path) -> PreTrainedTokenizerBase:
        """See `RunTask`."""
        return load_tokenizer(folder)

    @classmethod
    def files(cls, settings: Any) -> Sequence[str]:  # noqa: ARG003
        """See `RunTask`."""
        return (names.ONTOLOGY,)

    def costs(self, outcome: Outcome, cost: Mapping[str, float]) -> dict[str, Any]:
        """See `RunTask`."""
        assert outcome.counts is not None
        read = sum(len(part.documents) for part in (self.encoded["train"], *self.beside.values()))
        return {
            "head_parameters": outcome.counts.heads,
            "documents_per_second": read / cost["seconds_per_epoch"],
            **(self._forgetting.measured() if self._forgetting else {}),
        }
