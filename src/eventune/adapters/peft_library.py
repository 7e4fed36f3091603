"""What we use of PEFT; imported from here alone.

PEFT imports bitsandbytes as soon as it is installed, quantised or not: it prints what that prints, and fails where its
CUDA set-up is broken (bitsandbytes#572, #1193). So bitsandbytes is imported first, and quietly.
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


def import_bitsandbytes() -> ModuleType | None:
    """Import bitsandbytes without its banner, its look for kernels on the hub, and its failure.

    Returns:
        The module, or None where it is missing or broken; PEFT then does without it.
    """
    hidden = "kernels" not in sys.modules
    logger = logging.getLogger("bitsandbytes")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    if hidden:
        sys.modules["kernels"] = None  # type: ignore[assignment]
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            return importlib.import_module("bitsandbytes")
    except Exception:  # whatever a broken installation raises
        for name in [name for name in sys.modules if name.partition(".")[0] == "bitsandbytes"]:
            del sys.modules[name]
        sys.modules["bitsandbytes"] = None  # type: ignore[assignment]
        return None
    finally:
        logger.setLevel(level)
        if hidden:
            del sys.modules["kernels"]


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
        yield


import_bitsandbytes()

from peft import (  # noqa: E402
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
from peft.tuners.lora.layer import Linear as LoraLinear  # noqa: E402
from peft.tuners.tuners_utils import BaseTunerLayer  # noqa: E402
from peft.utils import ModulesToSaveWrapper  # noqa: E402
from peft.utils.other import get_pattern_key  # noqa: E402

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
