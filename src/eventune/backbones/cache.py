"""Where models that were made into another form are kept."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return where unpacked models are kept: `EVENTUNE_CACHE`, or `eventune` in the user's cache folder."""
    if own := os.environ.get("EVENTUNE_CACHE"):
        return Path(own).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "eventune"
