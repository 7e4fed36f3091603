"""What is trained of the base model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from eventune.adapters.methods import METHODS
from eventune.errors import InvalidValueError, out_of_range

INITIALISATIONS = re.compile(r"default|gaussian|orthogonal|olora|pissa(_niter_\d{1,2})?")
QUANTIZATION_BITS = (0, 4, 8)
MOST_RANK = 4096
"""No layer has a use for a higher rank."""
MOST_VIRTUAL_TOKENS = 8192
"""Longer prefixes than models read."""
_MOST_ALPHA = 10**6
_BOUNDS = {
    "lora_r": (1, MOST_RANK),
    "vera_r": (1, MOST_RANK),
    "lora_alpha": (1, _MOST_ALPHA),
    "loraplus_lr_ratio": (1, 10**6),
    "pre_seq_len": (1, MOST_VIRTUAL_TOKENS),
    "freeze_trainable_layers": (1, 10_000),
    "trained_layers": (0, 10_000),
    "all_layers_epochs": (0, 10_000),
}


@dataclass(kw_only=True)
class AdapterArguments:
    """How the base model is fine-tuned; the heads are always trained in full."""

    method: str = field(
        default="lora", metadata={"help": "; ".join(f"{name}: {method.summary}" for name, method in METHODS.items())}
    )
    lora_r: int = field(default=8, metadata={"help": "Rank of LoRA's matrices"})
    lora_alpha: int = field(default=16, metadata={"help": "LoRA's scale is lora_alpha / lora_r"})
    lora_dropout: float = field(
        default=0.0,
        metadata={"help": "Dropout before LoRA's A; above 0 it keeps a copy of every adapted layer's input in memory"},
    )
    lora_target_modules: str | list[str] = field(
        default="auto",
        metadata={
            "help": "Layers that get an adapter: auto (the projections of the base's blocks), attention-qv, attention, "
            "mlp, all-linear, a list of names, or a regular expression that matches whole names inside the base"
        },
    )
    lora_target_parameters: list[str] = field(
        default_factory=list,
        metadata={"help": "Stacked matrices of a mixture's experts that get LoRA too, e.g. [experts.down_proj]"},
    )
    use_rslora: bool = field(default=False, metadata={"help": "Scale by lora_alpha / sqrt(lora_r); for high ranks"})
    use_dora: bool = field(default=False, metadata={"help": "Learn the weights' magnitude beside their direction"})
    init_lora_weights: str = field(
        default="default",
        metadata={
            "help": "default (B is zero), gaussian, orthogonal, olora, pissa, or pissa_niter_N (faster, N iterations)"
        },
    )
    tie_lora_a: bool = field(
        default=False,
        metadata={
            "help": "One A for q_proj, k_proj and v_proj of a block: trains as LoRA on a fused query_key_value would"
        },
    )
    rank_pattern: dict[str, int] = field(
        default_factory=dict, metadata={"help": "Other ranks for some targets, e.g. {query: 4, layer.11: 32}"}
    )
    alpha_pattern: dict[str, int] = field(
        default_factory=dict, metadata={"help": "Other lora_alpha for some targets, e.g. {query: 8}"}
    )
    loraplus_lr_ratio: float = field(
        default=1.0, metadata={"help": "LoRA+: the learning rate of B is this many times that of A; 16 in the paper"}
    )
    modules_to_save: list[str] = field(
        default_factory=list,
        metadata={"help": "Modules of the base to train and save in full, beside the heads", "read_by": "heads"},
    )
    freeze_heads: bool = field(
        default=False,
        metadata={
            "help": "Leave the new heads random, as LoRA without modules_to_save does; to see what that costs",
            "read_by": "heads",
        },
    )
    trainable_token_indices: list[int] = field(
        default_factory=list, metadata={"help": "Rows of the input embedding that LoRA trains too, e.g. added tokens"}
    )
    pre_seq_len: int = field(default=32, metadata={"help": "prefix: number of learned positions"})
    prefix_projection: bool = field(
        default=False, metadata={"help": "prefix: compute them by a small network, which trains more steadily"}
    )
    vera_r: int = field(default=256, metadata={"help": "vera: rank of the shared matrices, higher than LoRA's"})
    freeze_trainable_layers: int = field(default=2, metadata={"help": "freeze: number of the last blocks to train"})
    trained_layers: int = field(
        default=0,
        metadata={
            "help": "Train the last blocks alone; what lies below, marks on the input included, stays as it is and is "
            "computed once for all epochs; 0: all blocks",
            "read_by": ("encoder", "generation"),
        },
    )
    all_layers_epochs: int = field(
        default=2,
        metadata={
            "help": "trained_layers: epochs before it in which all blocks are trained",
            "read_by": ("encoder", "generation"),
        },
    )
    quantization_bit: int = field(
        default=0, metadata={"help": "QLoRA: keep the base's linear layers in 4 or 8 bits (bitsandbytes); 0: do not"}
    )

    def problems(self) -> Iterator[InvalidValueError]:
        """Yield one error for each setting that is out of range."""
        if self.method not in METHODS:
            yield InvalidValueError("method", " or ".join(METHODS), repr(self.method))
        yield from out_of_range(self, _BOUNDS)
        if not 0.0 <= self.lora_dropout < 1.0:
            yield InvalidValueError("lora_dropout", "a number in [0, 1)", str(self.lora_dropout))
        for name, most in (("rank_pattern", MOST_RANK), ("alpha_pattern", _MOST_ALPHA)):
            if any(not 1 <= value <= most for value in getattr(self, name).values()):
                yield InvalidValueError(name, f"integers from 1 to {most:,}", str(getattr(self, name)))
        off_by_name = {"freeze_heads": "false", "quantization_bit": "0", "tie_lora_a": "false", "trained_layers": "0"}
        for name, off in off_by_name.items():
            if getattr(self, name) and not self._has(name):
                found = str(getattr(self, name)).lower()
                yield InvalidValueError(name, f"{off} with method: {self.method}", found)
        if any(not 0 <= index < 2**31 for index in self.trainable_token_indices):
            yield InvalidValueError("trainable_token_indices", "token ids >= 0", str(self.trainable_token_indices))
        yield from self._target_problems()
        yield from self._tying_problems()
        yield from self._base_problems()

    def _target_problems(self) -> Iterator[InvalidValueError]:
        if not self.lora_target_modules:
            yield InvalidValueError("lora_target_modules", "auto, all-linear, names or a regex", "nothing")
        elif isinstance(self.lora_target_modules, str):
            try:
                re.compile(self.lora_target_modules)
            except re.error as error:
                yield InvalidValueError("lora_target_modules", "a regular expression", f"{error}")
        if self.lora_target_parameters and (self.lora_dropout or self.use_dora):
            expected = "none with lora_dropout or use_dora, which experts' stacked matrices cannot have"
            yield InvalidValueError("lora_target_parameters", expected, str(self.lora_target_parameters))

    def _tying_problems(self) -> Iterator[InvalidValueError]:
        """Yield what would make tied matrices another thing than one of a fused layer."""
        allowed: tuple[tuple[str, tuple[object, ...]], ...] = (
            ("lora_dropout", (0.0,)),
            ("use_dora", (False,)),
            ("init_lora_weights", ("default", "gaussian")),
        )
        for name, values in allowed if self.tie_lora_a else ():
            if getattr(self, name) not in values:
                expected = f"{' or '.join(map(str, values))} with tie_lora_a"
                yield InvalidValueError(name, expected, str(getattr(self, name)))

    def _base_problems(self) -> Iterator[InvalidValueError]:
        """Yield what is wrong with settings that change the base's weights."""
        if not INITIALISATIONS.fullmatch(self.init_lora_weights):
            expected = "default, gaussian, orthogonal, olora, pissa or pissa_niter_N"
            yield InvalidValueError("init_lora_weights", expected, repr(self.init_lora_weights))
        if self.quantization_bit not in QUANTIZATION_BITS:
            yield InvalidValueError("quantization_bit", "0, 4 or 8", str(self.quantization_bit))
        if self.quantization_bit == 8 and self.use_dora:
            yield InvalidValueError("use_dora", "false with quantization_bit: 8", "true")
        if self.changes_base and (self.quantization_bit or self.use_dora):
            expected = "default, gaussian or orthogonal with quantization_bit or use_dora"
            yield InvalidValueError("init_lora_weights", expected, self.init_lora_weights)

    @property
    def changes_base(self) -> bool:
        """Whether the initialisation takes what the adapter starts with out of the base's weights."""
        return self._has("init_lora_weights") and self.init_lora_weights.startswith(("pissa", "olora"))

    def _has(self, option: str) -> bool:
        """Tell whether the method has a setting that only some have."""
        return self.method in METHODS and option in METHODS[self.method].options
