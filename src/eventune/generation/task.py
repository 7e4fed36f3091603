"""Training on prompt and response as the trainer sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from eventune.generation.collating import Pack, RowCollator
from eventune.generation.encoding import EncodedRow
from eventune.generation.loss import labels_of, perplexity, response_loss

GeneratedScores = Callable[[nn.Module, Callable[[int, int], None] | None], Mapping[str, float]]
"""Scores what a model generates for the dev part, and tells after each batch how much is done."""


class GenerationTask:
    """Computes losses of batches, and the dev part's."""

    def __init__(
        self,
        collator: RowCollator,
        *,
        dev: Sequence[EncodedRow] = (),
        batch_size: int = 8,
        label_smoothing: float = 0.0,
        generated_scores: GeneratedScores | None = None,
    ) -> None:
        self._collator = collator
        self.dev = dev
        self.batch_size = batch_size
        self.label_smoothing = label_smoothing
        self.generated_scores = generated_scores

    def collate(self, rows: Sequence[EncodedRow | Pack]) -> dict[str, Tensor]:
        """Pad rows to a batch."""
        return self._collator(rows)

    def length(self, row: EncodedRow | Pack) -> int:
        """Return a row's length in tokens."""
        return sum(len(example.input_ids) for example in (row.examples if isinstance(row, Pack) else (row,)))

    def loss(self, model: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the mean loss of a batch's labels, a scalar."""
        return response_loss(model, batch, label_smoothing=self.label_smoothing)

    def num_items(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the number of labels of a batch, a scalar."""
        return labels_of(batch)

    def evaluate(self, model: nn.Module, *, on_batch: Callable[[int, int], None] | None = None) -> dict[str, float]:
        """Return loss and perplexity of the dev part, and scores of what is generated for it if asked for."""
        metrics = self.measure(model, self.dev, on_batch=on_batch)
        if self.generated_scores is not None:
            metrics |= self.generated_scores(model, on_batch)
        return metrics

    def measure(
        self, model: nn.Module, examples: Sequence[EncodedRow], *, on_batch: Callable[[int, int], None] | None = None
    ) -> dict[str, float]:
        """Return mean loss and perplexity of some rows' responses.

        Args:
            model: The model.
            examples: The rows.
            on_batch: Called before each batch, with how many rows of how many are done.
        """
        was_training = model.training
        loss, value = perplexity(model.eval(), self._batches(examples, next(model.parameters()).device, on_batch))
        model.train(was_training)
        return {"loss": loss, "perplexity": value}

    def _batches(
        self, examples: Sequence[EncodedRow], device: torch.device, on_batch: Callable[[int, int], None] | None
    ) -> Iterator[dict[str, Tensor]]:
        by_length = sorted(examples, key=self.length, reverse=True)
        for start in range(0, len(by_length), self.batch_size):
            if on_batch is not None:
                on_batch(start, len(by_length))
            batch = self.collate(by_length[start : start + self.batch_size])
            yield {name: tensor.to(device) for name, tensor in batch.items()}
