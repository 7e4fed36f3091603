"""The model libraries, whose import takes seconds: after all that can be checked without them."""

from __future__ import annotations

import importlib


def import_model_libraries() -> None:
    """Import transformers and PEFT, before any module that does, as both import bitsandbytes with all it prints."""
    importlib.import_module("eventune.adapters.peft_library")
