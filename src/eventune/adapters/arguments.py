"""What is trained of the base model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from eventune.errors import InvalidValueError

METHODS = ("lora", "full")


@dataclass(kw_only=True)
class AdapterArguments:
    """How the base model is fine-tuned; the heads are always trained in full."""

    method: str = field(default="lora", metadata={"help": "lora, or full: train every weight of the base"})
    lora_r: int = field(default=16, metadata={"help": "Rank of LoRA's matrices"})
    lora_alpha: int = field(default=32, metadata={"help": "LoRA's scale is lora_alpha / lora_r"})
    lora_dropout: float = field(
        default=0.0,
        metadata={"help": "Dropout before LoRA's A; above 0 it keeps a copy of every adapted layer's input in memory"},
    )
    lora_target_modules: str | list[str] = field(
        default="auto",
        metadata={
            "help": "auto (the linear layers of the base's blocks), all-linear, a list of names, or a regular "
            "expression that matches whole names inside the base"
        },
    )

    def problems(self) -> Iterator[InvalidValueError]:
        """Yield one error for each setting that is out of range."""
        if self.method not in METHODS:
            yield InvalidValueError("method", " or ".join(METHODS), repr(self.method))
        if self.lora_r < 1:
            yield InvalidValueError("lora_r", "an integer >= 1", str(self.lora_r))
        if self.lora_alpha < 1:
            yield InvalidValueError("lora_alpha", "an integer >= 1", str(self.lora_alpha))
        if not 0.0 <= self.lora_dropout < 1.0:
            yield InvalidValueError("lora_dropout", "a number in [0, 1)", str(self.lora_dropout))
        if not self.lora_target_modules:
            yield InvalidValueError("lora_target_modules", "auto, all-linear, names or a regex", "nothing")
        elif isinstance(self.lora_target_modules, str):
            try:
                re.compile(self.lora_target_modules)
            except re.error as error:
                yield InvalidValueError("lora_target_modules", "a regular expression", f"{error}")
