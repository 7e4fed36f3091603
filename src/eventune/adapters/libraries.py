"""The model libraries, whose import takes seconds: after all that can be checked without them."""

from __future__ import annotations

import importlib

from eventune.errors import EventuneError

INSTALL = "pip install 'eventune[train]'"


def import_model_libraries(user: str = "this command", *, instead: str = "") -> None:
    """Import transformers and PEFT, before any module that does, as both import bitsandbytes with all it prints.

    Args:
        user: What needs them.
        instead: What can be done without them.

    Raises:
        EventuneError: If one of them is not installed.
    """
    try:
        importlib.import_module("eventune.adapters.peft_library")
    except ModuleNotFoundError as error:
        message = f"{user} needs torch, transformers and PEFT, of which {error.name} is not installed"
        raise EventuneError(message, ", or ".join(filter(None, (INSTALL, instead)))) from None
