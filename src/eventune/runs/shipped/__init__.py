"""Runs that come with the package, found by name where a run directory is asked for.

`warmup` finds events and arguments of any ontology, as far as the built-in corpus teaches it; it was made by
the recipe `warmup`.
"""

from __future__ import annotations

from pathlib import Path

from eventune.storage.paths import exists

SHIPPED = ("warmup",)


def located(run: Path) -> Path:
    """Return the folder of a run: the one that is meant, or else the one of this name in the package."""
    return Path(__file__).parent / run if str(run) in SHIPPED and not exists(run) else run
