"""What we use of PEFT; imported from here alone.

PEFT imports bitsandbytes as soon as it is installed, quantised or not: that takes two seconds, prints what it prints,
and fails where its CUDA set-up is broken (bitsandbytes#572, #1193). So PEFT is told that there is none, until
`import_bitsandbytes` is asked for it.
"""

from __future__ import annotations

import importlib
import io
import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from types import ModuleType


@contextmanager
def _hidden(name: str) -> Iterator[None]:
    """Let a library look as if it were not installed, unless it is imported already."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]


def import_bitsandbytes() -> ModuleType | None:
    """Import bitsandbytes without its banner, its look for kernels on the hub, and its failure, and let PEFT use it.

    Returns:
        The module, or None where it is missing or broken; PEFT then does without it.
    """
    logger = logging.getLogger("bitsandbytes")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with _hidden("kernels"), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            module = importlib.import_module("bitsandbytes")
    except Exception:  # whatever a broken installation raises
        for name in [name for name in sys.modules if name.partition(".")[0] == "bitsandbytes"]:
            del sys.modules[name]
        return None
    finally:
        logger.setLevel(level)
    _look_for_bitsandbytes()
    return module


def _look_for_bitsandbytes() -> None:
    """Let PEFT find out anew whether there is bitsandbytes; it remembers the answer."""
    for look in (is_bnb_available, is_bnb_4bit_available):
        look.cache_clear()
        look()


@contextmanager
def expected_warnings_ignored() -> Iterator[None]:
    """Hold back what PEFT warns of although it, or we, take care of it."""
    with warnings.catch_warnings():
        # Its own conversion of changed bases cannot do that; changed_base.py can.
        warnings.filterwarnings("ignore", message="Using Rank-Stabilized LoRA with rank_pattern")
        # GPT-2 keeps its weights transposed; PEFT sees that by itself, layer by layer.
        warnings.filterwarnings("ignore", message="fan_in_fan_out is set to")
        # PEFT asks a model by the older of transformers' two names.
        warnings.filterwarnings("ignore", message=".is_gradient_checkpointing. is deprecated")
        # Which adapter computes is said before each use.
        warnings.filterwarnings("ignore", message="Adapter .* was active which is now deleted")
        yield


with _hidden("bitsandbytes"):
    from peft import (
        IA3Config,
        LoraConfig,
        PeftConfig,
        PeftModel,
        PrefixTuningConfig,
        VeraConfig,
        get_peft_model,
        get_peft_model_state_dict,
        set_peft_model_state_dict,
    )
    from peft.import_utils import is_bnb_4bit_available, is_bnb_available
    from peft.tuners.lora.layer import Linear as LoraLinear
    from peft.tuners.tuners_utils import BaseTunerLayer
    from peft.utils import ModulesToSaveWrapper
    from peft.utils.other import get_pattern_key

    _look_for_bitsandbytes()

__all__ = [
    "BaseTunerLayer",
    "IA3Config",
    "LoraConfig",
    "LoraLinear",
    "ModulesToSaveWrapper",
    "PeftConfig",
    "PeftModel",
    "PrefixTuningConfig",
    "VeraConfig",
    "expected_warnings_ignored",
    "get_pattern_key",
    "get_peft_model",
    "get_peft_model_state_dict",
    "import_bitsandbytes",
    "set_peft_model_state_dict",
]
