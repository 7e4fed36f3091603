"""Files of weights: written completely or not at all, and checked when they are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from eventune.errors import EventuneError
from eventune.storage.paths import is_file


def write_weights(weights: Mapping[str, Tensor], path: Path) -> None:
    """Write tensors, and read the file's table of contents back.

    Args:
        weights: Tensors by name.
        path: The safetensors file.

    Raises:
        EventuneError: If the disk is full, or the file does not hold what was written to it.
    """
    contiguous: dict[str, Tensor] = {}
    places: set[int] = set()
    for name, tensor in weights.items():
        # Of two tied weights PEFT's file holds both.
        is_tied = tensor.numel() > 0 and tensor.data_ptr() in places
        contiguous[name] = tensor.detach().clone() if is_tied else tensor.detach().contiguous()
        places.add(tensor.data_ptr())
    try:
        # One entry: the order of several is not fixed, and a file would differ from run to run.
        save_file(contiguous, path, metadata={"format": "pt"})
        with safe_open(path, framework="pt") as file:
            written = set(file.keys())
    except (OSError, SafetensorError) as error:
        raise EventuneError(f"{path.parent}: the weights cannot be written: {error}", "free some space") from error
    expected_bytes = sum(tensor.numel() * tensor.element_size() for tensor in contiguous.values())
    if written != contiguous.keys() or path.stat().st_size < expected_bytes:
        raise EventuneError(
            f"{path}: expected {len(contiguous)} tensors in at least {expected_bytes} bytes, found {len(written)} in "
            f"{path.stat().st_size}"
        )


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file.

    Args:
        path: The file.

    Returns:
        Its tensors by name.

    Raises:
        EventuneError: If it is missing, damaged or empty.
    """
    with _readable(path):
        weights: dict[str, Tensor] = load_file(path)
    if not weights:
        raise EventuneError(
            f"{path}: expected trained weights, found an empty file", "it was saved wrongly; train again"
        )
    return weights


def read_shapes(path: Path) -> dict[str, list[int]]:
    """Read the shapes of a safetensors file's tensors by name, without the tensors; see `read_weights`."""
    with _readable(path), safe_open(path, framework="pt") as file:
        return {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    if not is_file(path):
        raise EventuneError(f"{path}: no such file", "the run directory is incomplete; train again or copy it anew")
    try:
        yield
    except (OSError, SafetensorError) as error:
        raise EventuneError(
            f"{path}: expected a complete safetensors file, found: {error}", "copy the run anew"
        ) from error
