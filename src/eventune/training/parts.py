"""Batches that are computed in parts, so that their activations fit into memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedModel, TrainingArguments

from eventune.errors import EventuneError
from eventune.training import processes
from eventune.training.arguments import CPU_ACTIVATIONS


@dataclass(frozen=True, slots=True)
class BatchParts:
    """Shares a batch out into parts whose activations stay below a limit.

    Attributes:
        layers: Blocks of the encoder.
        hidden: Size of its states.
        heads: Its attention heads.
        bytes_a_value: Bytes of a number in the activations.
        limit: Bytes that the activations of a part may take.
    """

    layers: int
    hidden: int
    heads: int
    bytes_a_value: int
    limit: float

    def bytes_of(self, rows: int, width: int) -> float:
        """Estimate what the backward pass needs of a batch, in bytes.

        The count of a block's activations is equation 1 of Korthikanti et al. 2022, "Reducing Activation Recomputation
        in Large Transformer Models", in numbers of two bytes: 17 states and 2.5 attention maps a head.

        Args:
            rows: Examples.
            width: Subword tokens that they are padded to.
        """
        values = rows * width * self.layers * (17 * self.hidden + 2.5 * self.heads * width)
        return values * self.bytes_a_value

    def of_lengths(self, lengths: Sequence[int]) -> list[list[int]]:
        """Share examples out, like lengths together.

        Args:
            lengths: Subword tokens of each example.

        Returns:
            The examples of each part by their place, the longest first; one at least, however long it is.
        """
        parts: list[list[int]] = []
        for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
            # The first of a part is its longest.
            if parts and self.bytes_of(len(parts[-1]) + 1, lengths[parts[-1][0]]) <= self.limit:
                parts[-1].append(place)
            else:
                parts.append([place])
        return parts


def batch_parts(encoder: PreTrainedModel, arguments: TrainingArguments, gigabytes: float | None) -> BatchParts | None:
    """Return how a training's batches are shared out.

    Args:
        encoder: What is trained.
        arguments: How; mixed precision halves what a number takes.
        gigabytes: What the activations of a part may take; 0 for any, None for what suits the device.

    Returns:
        How; None where batches stay whole.

    Raises:
        EventuneError: If several processes train.
    """
    if gigabytes is None:
        is_alone = processes.count() == 1 and arguments.gradient_accumulation_steps == 1
        gigabytes = CPU_ACTIVATIONS if is_alone and arguments.device.type == "cpu" else 0.0
    if not gigabytes:
        return None
    if processes.count() > 1:
        raise EventuneError("activation_memory: expected one process, found several", "give each a smaller batch")
    size = 2 if arguments.bf16 or arguments.fp16 else encoder.dtype.itemsize
    config = encoder.config
    sizes = (config.num_hidden_layers, config.hidden_size, config.num_attention_heads)
    return BatchParts(*sizes, bytes_a_value=size, limit=gigabytes * 1e9)
