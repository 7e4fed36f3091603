"""The loss of responses, with logits computed only where there is a label.

A vocabulary of 50,000 makes the output layer of a small model the dearest one; prompts and padding have no use for it.
The hidden states that reach the output layer are cut down to those before a label; what a model does to its logits
after that layer (scaling, capping) it still does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from accelerate.utils import extract_model_from_parallel
from torch import Tensor, nn

from eventune.errors import EventuneError
from eventune.generation.collating import Pack
from eventune.generation.encoding import IGNORED, EncodedRow


def response_loss(model: nn.Module, batch: Mapping[str, Tensor], *, label_smoothing: float = 0.0) -> Tensor:
    """Return the mean cross-entropy of the labels of a batch.

    Args:
        model: A causal LM, with or without an adapter.
        batch: As `Collator` makes it.
        label_smoothing: Share of the target that is spread over the vocabulary.

    Returns:
        The loss, a scalar; 0 for a batch without labels.
    """
    total, _ = summed_loss(model, batch, label_smoothing=label_smoothing)
    return total / labels_of(batch).clamp(min=1)


def labels_of(batch: Mapping[str, Tensor]) -> Tensor:
    """Return how many labels a batch has, a scalar."""
    return (batch["labels"][:, 1:] != IGNORED).sum()


def summed_loss(
    model: nn.Module, batch: Mapping[str, Tensor], *, label_smoothing: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Return the cross-entropy of the labels of a batch, added up, and by label.

    Args:
        model: A causal LM, with or without an adapter.
        batch: As `Collator` makes it.
        label_smoothing: Share of the target that is spread over the vocabulary.

    Returns:
        The sum, a scalar, and the losses in the labels' order, *shape* (labels,).
    """
    labels = batch["labels"][:, 1:]
    rows, places = (labels != IGNORED).nonzero(as_tuple=True)
    with _logits_at(model, rows, places):
        output: Any = model(**_inputs(batch), use_cache=False)
    logits = output.logits.flatten(0, -2)
    # In float32: bfloat16 has three digits, too few for a sum over a vocabulary.
    losses = nn.functional.cross_entropy(
        logits.float(), labels[rows, places], reduction="none", label_smoothing=label_smoothing
    )
    return losses.sum(), losses


def _inputs(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return what the model needs: as little mask as gives the same result, since without one attention is faster."""
    ids, mask, positions = batch["input_ids"], batch["attention_mask"], batch["position_ids"]
    if _is_packed(mask, positions):
        # Positions that begin anew tell transformers to keep the rows of a sequence apart.
        return {"input_ids": ids, "position_ids": positions}
    if mask[:, 0].all():
        # Nothing that counts comes after padding on the right, and attention looks back only.
        return {"input_ids": ids}
    return {"input_ids": ids, "attention_mask": mask, "position_ids": positions}


def _is_packed(mask: Tensor, positions: Tensor) -> bool:
    return bool(((positions[:, 1:] == 0) & (mask[:, 1:] == 1) & (mask[:, :-1] == 1)).any())


@contextmanager
def _logits_at(model: nn.Module, rows: Tensor, places: Tensor) -> Iterator[None]:
    """Let the output layer see only the hidden states at these places, as one row."""

    def select(_: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (inputs[0][rows, places].unsqueeze(0), *inputs[1:])

    hook = output_layer(model).register_forward_pre_hook(select)
    try:
        yield
    finally:
        hook.remove()


def output_layer(model: nn.Module) -> nn.Module:
    """Return the layer that turns hidden states into logits.

    Raises:
        TypeError: If the model has none.
    """
    plain: Any = extract_model_from_parallel(model, keep_torch_compile=False)
    layer = plain.get_output_embeddings()
    if not isinstance(layer, nn.Module):
        raise TypeError(f"{type(plain).__name__} has no output layer")
    return layer


@torch.inference_mode()
def perplexity(model: nn.Module, batches: Iterator[Mapping[str, Tensor]]) -> tuple[float, float]:
    """Return the mean loss and the perplexity of all labels of some batches.

    Args:
        model: The model, in evaluation mode.
        batches: The batches, on the model's device.

    Returns:
        Mean cross-entropy in nats, and its exponential.
    """
    total, count = 0.0, 0
    for batch in batches:
        loss, losses = summed_loss(model, batch)
        total, count = total + float(loss), count + len(losses)
    mean = total / max(count, 1)
    return mean, float(torch.tensor(mean, dtype=torch.float64).exp())


@torch.no_grad()
def require_rows_apart(
    model: nn.Module, rows: Sequence[EncodedRow], collate: Callable[[Sequence[EncodedRow | Pack]], dict[str, Tensor]]
) -> None:
    """Check that a model keeps packed rows apart; not every architecture goes by positions.

    Args:
        model: The model.
        rows: Its rows, of which the two shortest are tried.
        collate: Makes batches of rows and packs.

    Raises:
        EventuneError: If rows in one sequence see one another.
    """
    shortest = sorted(rows, key=lambda row: len(row.input_ids))[:2]
    was_training, device = model.training, next(model.parameters()).device
    model.eval()
    losses = []
    for batch in (collate(shortest), collate([Pack(tuple(shortest))])):
        losses.append(float(summed_loss(model, {name: tensor.to(device) for name, tensor in batch.items()})[0]))
    model.train(was_training)
    tolerance = 1e-5 if next(model.parameters()).dtype == torch.float32 else 1e-2
    if abs(losses[0] - losses[1]) > tolerance * abs(losses[0]):
        raise EventuneError(
            f"packing: {type(model).__name__} lets rows of one sequence see one another (loss {losses[1]:.4f}, apart "
            f"{losses[0]:.4f})",
            "leave packing off; batches are of like length anyway",
        )
