"""From a plain model to its graph in a file, and how far the graph's outputs are from the model's."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from eventune.errors import EventuneError, first_line, require_library
from eventune.extraction.graph import OUTPUTS
from eventune.runtime.graph import Graph
from eventune.tasks.encoder import ENCODER

TOLERANCE = 1e-4
"""Greatest difference from torch's scores, relative to their size, that sums in another order can explain."""
_EXTRA = "pip install 'eventune[export]'"
_NAMESPACE = "namespace"
"""Where a node's modules stand: `…/model.encoder: transformers…/…`."""


def write_graph(
    module: nn.Module, inputs: Mapping[str, Tensor], axes: Mapping[str, Sequence[str]], path: Path
) -> list[str]:
    """Write a model's graph, for batches of any size.

    Args:
        module: The model: named tensors in, `spans` and `null` out.
        inputs: An example of its inputs.
        axes: What the sizes of each input mean, those that differ from batch to batch.
        path: The file.

    Returns:
        Names of the products of matrices in the encoder, to be quantised.

    Raises:
        EventuneError: If torch cannot write it, or a library is not installed.
    """
    for library in ("onnx", "onnxscript"):
        require_library(library, f"an export needs {library}, which is not installed", _EXTRA)
    sizes = {axis: torch.export.Dim(axis) for names in axes.values() for axis in names}
    example = _without_equal_sizes(inputs, axes)
    try:
        with _quiet():
            program: Any = torch.onnx.export(
                module,
                kwargs=example,
                dynamo=True,
                dynamic_shapes={name: {place: sizes[axis] for place, axis in enumerate(axes[name])} for name in inputs},
                input_names=list(inputs),
                output_names=list(OUTPUTS),
                verbose=False,
            )
    except Exception as error:  # whatever the exporter raises for an encoder that it does not know
        raise EventuneError(
            f"torch cannot export this encoder: {first_line(error)}", "use the run itself, or another encoder"
        ) from error
    products = []
    for node in program.model.graph:
        if node.op_type == "MatMul" and f"/model.{ENCODER}:" in node.metadata_props.get(_NAMESPACE, ""):
            products.append(node.name)
        # Where torch and this package lie on this machine is nobody's business.
        node.metadata_props.clear()
    program.save(path)
    return products


def write_int8(source: Path, target: Path, products: Sequence[str]) -> None:
    """Write a graph with products of the encoder in int8, a scale for each column; all else stays in float32.

    Args:
        source: The graph in float32.
        target: The file to write.
        products: Names of the products of matrices.
    """
    require_library("onnxruntime", "an export needs onnxruntime, which is not installed", _EXTRA)
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with _quiet():
        quantize_dynamic(
            source,
            target,
            op_types_to_quantize=["MatMul"],
            nodes_to_quantize=list(products),
            per_channel=True,
            # Without VNNI, sums of two products of eight bits overflow sixteen.
            reduce_range=True,
            weight_type=QuantType.QInt8,
        )


def difference(module: nn.Module, graph: Graph, batches: Sequence[Mapping[str, Tensor]]) -> float:
    """Return the greatest difference of a graph's outputs from a model's, relative to their size.

    Args:
        module: The model.
        graph: The graph.
        batches: Inputs of several shapes.

    Returns:
        The difference; infinite where one has a score and the other has none.
    """
    greatest = 0.0
    for batch in batches:
        with torch.inference_mode():
            expected = module(**batch)
        found = graph({name: tensor.numpy() for name, tensor in batch.items()})
        for ours, theirs in zip(map(torch.from_numpy, found), expected, strict=True):
            finite = theirs.isfinite()
            if ours.shape != theirs.shape or not torch.equal(ours.isfinite(), finite):
                return float("inf")
            if finite.any():
                size = max(1.0, float(theirs[finite].abs().max()))
                greatest = max(greatest, float((ours[finite] - theirs[finite]).abs().max()) / size)
    return greatest


def _without_equal_sizes(inputs: Mapping[str, Tensor], axes: Mapping[str, Sequence[str]]) -> dict[str, Tensor]:
    """Return inputs whose sizes are two or more and all different: tracing takes 1 for a constant, equals for one."""
    sizes: dict[str, int] = {}
    for name, tensor in inputs.items():
        sizes |= dict(zip(axes[name], tensor.shape, strict=False))
    taken: set[int] = {1}
    for axis, size in sizes.items():
        while size in taken:
            size += 1
        sizes[axis] = size
        taken.add(size)
    result = dict(inputs)
    for name in inputs:
        for place, axis in enumerate(axes[name]):
            rows = torch.arange(sizes[axis]).clamp(max=result[name].shape[place] - 1)
            result[name] = result[name].index_select(place, rows)
    return result


@contextmanager
def _quiet() -> Iterator[None]:
    """Hold back what the exporters say of themselves."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
