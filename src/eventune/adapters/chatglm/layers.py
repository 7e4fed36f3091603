"""LoRA on the fused layer as LoRA on its three parts, and back.

The fused layer stacks the rows of queries, keys and values, so `W + s B A` splits like W: each part keeps A and takes
its rows of B. Back, three parts with one A join in the same way. Those with A's of their own are one layer of a higher
rank:

    A = [A_q; A_k; A_v],    B = diag(B_q, B_k, B_v),

whose alpha grows with the rank, so that the scale s stays. DoRA's magnitudes belong to rows, and split and join like B.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from eventune.adapters.chatglm.names import PARTS
from eventune.adapters.chatglm.rows import Rows
from eventune.errors import EventuneError

A, B = "lora_A.weight", "lora_B.weight"
MAGNITUDE = "lora_magnitude_vector"


@dataclass(frozen=True, slots=True)
class Layer:
    """An adapted layer.

    Attributes:
        tensors: Its tensors by PEFT's names: `lora_A.weight`, `lora_B.weight`, `lora_magnitude_vector` …
        rank: Its rank.
        alpha: Its lora_alpha.
    """

    tensors: Mapping[str, Tensor]
    rank: int
    alpha: float

    def scale(self, *, use_rslora: bool) -> float:
        """Return what B A is multiplied by."""
        return self.alpha / (math.sqrt(self.rank) if use_rslora else self.rank)


def split(layer: Layer, rows: Rows, name: str) -> list[Layer]:
    """Split a fused layer's adapter.

    Args:
        layer: The adapter.
        rows: The rows of queries, keys and values.
        name: What an error calls the layer.

    Returns:
        The adapters of queries, keys and values.

    Raises:
        EventuneError: If it has another number of rows.
    """
    parts: list[dict[str, Tensor]] = [{} for _ in PARTS]
    for key, tensor in layer.tensors.items():
        pieces = [tensor] * len(PARTS) if key == A else rows.split(tensor, f"{name}.{key}")
        for part, piece in zip(parts, pieces, strict=True):
            part[key] = piece
    return [Layer(part, layer.rank, layer.alpha) for part in parts]


def join(parts: Mapping[str, Layer], rows: Rows, name: str, *, use_rslora: bool) -> Layer:
    """Join adapters of queries, keys and values to one of the fused layer; the function stays the same.

    Args:
        parts: The adapters by the last part of the layers' names; one that is missing changes nothing.
        rows: The rows of queries, keys and values.
        name: What an error calls the fused layer.
        use_rslora: Whether alpha is divided by the rank's root.

    Returns:
        The adapter, of the parts' own rank where they share one A.

    Raises:
        EventuneError: If a part has another number of rows, or DoRA's magnitudes are not known for all.
    """
    present = [parts[part] for part in PARTS if part in parts]
    first = present[0]
    a_of_parts = _distinct([layer.tensors[A] for layer in present])
    starts = [0]
    for a in a_of_parts:
        starts.append(starts[-1] + a.shape[0])
    rank = starts[-1]
    growth = rank / first.rank
    alpha = first.alpha * (math.sqrt(growth) if use_rslora else growth)
    scale = first.scale(use_rslora=use_rslora)
    joined: list[Tensor] = []
    for part, size in zip(PARTS, rows.sizes, strict=True):
        b = first.tensors[B].new_zeros(size, rank)
        layer = parts.get(part)
        if layer is not None:
            own = layer.tensors[B]
            if own.shape[0] != size:
                raise EventuneError(
                    f"{part} beside {name}: expected {size} rows, found {own.shape[0]}",
                    "give --base with the folder of the base that the adapter was trained on",
                )
            ratio = layer.scale(use_rslora=use_rslora) / scale
            index = next(i for i, a in enumerate(a_of_parts) if torch.equal(a, layer.tensors[A]))
            b[:, starts[index] : starts[index + 1]] = own if ratio == 1.0 else own * ratio
        joined.append(b)
    tensors = {A: torch.cat(a_of_parts), B: torch.cat(joined), **_joined_magnitudes(parts, name)}
    return Layer(tensors, rank, int(alpha) if float(alpha).is_integer() else alpha)


def _distinct(tensors: list[Tensor]) -> list[Tensor]:
    found: list[Tensor] = []
    for tensor in tensors:
        if not any(torch.equal(tensor, other) for other in found):
            found.append(tensor)
    return found


def _joined_magnitudes(parts: Mapping[str, Layer], name: str) -> dict[str, Tensor]:
    with_magnitude = [part for part in PARTS if part in parts and MAGNITUDE in parts[part].tensors]
    if not with_magnitude:
        return {}
    if len(with_magnitude) != len(PARTS):
        raise EventuneError(
            f"{name}: expected DoRA's magnitudes of {', '.join(PARTS)}, found those of {', '.join(with_magnitude)}",
            "those of the others are the norms of the base's rows, which the adapter does not hold; merge it instead",
        )
    return {MAGNITUDE: torch.cat([parts[part].tensors[MAGNITUDE] for part in PARTS])}
