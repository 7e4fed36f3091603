"""The base model of a run, and where it lies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from eventune.errors import InvalidValueError

AUTO = "auto"
DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")
DEVICES = "auto, cpu, cuda, cuda:N or mps"
DEVICE_HELP = f"{DEVICES}; auto: a GPU where there is one"
DTYPES = ("float32", "bfloat16", "float16")
"""Types that weights can be loaded in."""
DTYPE_HELP = (
    f"type of the base's weights: auto, {', '.join(DTYPES)}; auto: bfloat16 for the frozen base of a causal LM on a "
    "GPU that has it, else float32"
)


@dataclass(kw_only=True)
class ModelArguments:
    """The base model."""

    model_name_or_path: str = field(
        default="minilm", metadata={"help": "A folder, a packaged model such as minilm, or a hub id"}
    )
    model_revision: str = field(default="", metadata={"help": "Revision on the hub"})
    hidden_dropout: float = field(
        default=0.1, metadata={"help": "Dropout inside the base in training", "read_by": "encoder"}
    )
    device: str = field(default=AUTO, metadata={"help": f"Where the model is trained: {DEVICE_HELP}"})
    dtype: str = field(default=AUTO, metadata={"help": f"{DTYPE_HELP[0].upper()}{DTYPE_HELP[1:]}"})

    def problems(self) -> Iterator[InvalidValueError]:
        """Yield one error for each setting that is out of range."""
        if not self.model_name_or_path:
            yield InvalidValueError("model_name_or_path", "a model", "nothing")
        if not 0.0 <= self.hidden_dropout < 1.0:
            yield InvalidValueError("hidden_dropout", "a number in [0, 1)", str(self.hidden_dropout))
        if not DEVICE.fullmatch(self.device):
            yield InvalidValueError("device", DEVICES, repr(self.device))
        if self.dtype not in {AUTO, *DTYPES}:
            yield InvalidValueError("dtype", " or ".join((AUTO, *DTYPES)), repr(self.dtype))
