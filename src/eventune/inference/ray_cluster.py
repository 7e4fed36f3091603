"""A Ray cluster, found or started."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from eventune.backbones.arguments import AUTO
from eventune.errors import EventuneError, InvalidValueError, require_library

_CONNECT_SECONDS = 5
_HINT = "start one with `ray start --head`, or give local"


class EndedError(EventuneError):
    """A process of the cluster ended before its work was done."""


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Connect to a cluster for the length of the block.

    Args:
        address: Its address, `auto` to look for one on this machine, or `local` to start one of this machine alone,
            for as long as the block takes.

    Yields:
        The module `ray`.

    Raises:
        EventuneError: If Ray is missing or the cluster cannot be reached.
    """
    ray = require_library("ray", "--ray: expected ray, which is not installed", "pip install 'eventune[ray]'")
    _require_reachable(address)
    try:
        ray.init(
            address=address,
            ignore_reinit_error=True,
            include_dashboard=False,
            log_to_driver=False,
        )
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise EventuneError(f"--ray: no cluster at {address!r}: {error}", _HINT) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def gpus_of(ray: Any, device: str) -> int:
    """Return how many GPUs a process needs for a model on a device: Ray gives each to one process alone.

    Args:
        ray: The module, connected.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.

    Raises:
        InvalidValueError: If it is on a GPU and the cluster has none, which Ray would wait for.
    """
    has_one = ray.cluster_resources().get("GPU", 0) >= 1
    if device.startswith("cuda") and not has_one:
        raise InvalidValueError("device", f"a cluster with a GPU for {device}", "none", "auto takes what there is")
    return int(has_one and (device == AUTO or device.startswith("cuda")))


@contextmanager
def explained(ray: Any) -> Iterator[None]:
    """Say what became of a process that was ended from outside, or of its machine; errors of its work stay as they are.

    Raises:
        EndedError: If one was.
    """
    try:
        yield
    except (ray.exceptions.RayTaskError, ray.exceptions.UserCodeException):
        raise
    except ray.exceptions.RayError as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise EndedError(
            f"--ray: a process of the cluster ended before its work was done: {reason}",
            "give the same command again: it goes on where it stopped; with fewer --workers where memory was wanting",
        ) from None


def _require_reachable(address: str) -> None:
    """Refuse an address where nobody listens: Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), timeout=_CONNECT_SECONDS).close()
    except OSError as error:
        raise EventuneError(f"--ray: no cluster at {address!r}: {error}", _HINT) from error
