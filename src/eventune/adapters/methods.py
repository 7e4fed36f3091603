"""The table of methods of fine-tuning: what a recipe can ask for, and what a run directory can hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from eventune.errors import InvalidValueError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from eventune.adapters.anatomy import Anatomy
    from eventune.adapters.arguments import AdapterArguments
    from eventune.adapters.projections import Projection

    Attach = Callable[[nn.Module, AdapterArguments, Anatomy], nn.Module]
    Size = Callable[[Sequence[Projection], int], tuple[int, int]]

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
ADAPTER_FILES = (ADAPTER_CONFIG, ADAPTER_WEIGHTS)
FULL_WEIGHTS = "model.safetensors"
PART_WEIGHTS = "trained_part.safetensors"
"""The trained weights of a model whose others are frozen and not wrapped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A row of the table; nothing in it needs torch.

    Attributes:
        summary: What is trained of the base.
        implementation: `module:function` that attaches it to a model and freezes the rest, imported when it is used.
        files: The files that hold what was trained.
        peft_type: What PEFT's configuration calls it; empty where the files are not PEFT's.
        parts: Modules that it adds to the model: they mark the names of its parameters.
        rank: The setting that an arm of a comparison calls `r`.
        options: Settings that only some methods have, and that this one has.
        freezes_base: Whether the base's own weights stay as they are, at least most of them.
        merges: Whether it can be added to the base's weights.
        shares_base: Whether several can lie on one base, and be switched.
        mixes: Whether rows of one batch can be computed with different ones.
        size: `module:function` that counts the numbers that it trains, and those that it saves, on projections at a
            rank; empty where these do not depend on projections.
        ranks: Ranks whose costs are worth showing; 0 for a method without one.
    """

    summary: str
    implementation: str
    files: tuple[str, ...] = ADAPTER_FILES
    peft_type: str = ""
    parts: tuple[str, ...] = ()
    rank: str = "lora_r"
    options: frozenset[str] = frozenset()
    freezes_base: bool = True
    merges: bool = False
    shares_base: bool = False
    mixes: bool = False
    size: str = ""
    ranks: tuple[int, ...] = (0,)

    @property
    def has_targets(self) -> bool:
        """Whether it lies on layers that `lora_target_modules` chooses."""
        return bool(self.size)

    def attach(self, model: nn.Module, arguments: AdapterArguments, anatomy: Anatomy) -> nn.Module:
        """Make a model ready to be trained: the heads whole, of the base what the method trains."""
        attach: Attach = resolve_name(self.implementation)
        return attach(model, arguments, anatomy)

    def size_on(self, projections: Sequence[Projection], r: int) -> tuple[int, int]:
        """Return how many numbers it trains, and how many it saves, on projections at a rank."""
        size: Size = resolve_name(self.size)
        return size(projections, r)


METHODS = {
    "lora": Method(
        summary="low-rank matrices beside the base's own",
        implementation="eventune.adapters.lora:attach_lora",
        peft_type="LORA",
        parts=(
            *("lora_dropout", "lora_A", "lora_B", "lora_embedding_A", "lora_embedding_B"),
            "lora_magnitude_vector",
        ),
        options=frozenset(
            {
                *("freeze_heads", "init_lora_weights", "lora_target_parameters", "quantization_bit", "tie_lora_a"),
                "trained_layers",
            }
        ),
        merges=True,
        shares_base=True,
        mixes=True,
        size="eventune.adapters.lora:lora_size",
        ranks=(4, 8, 16, 32, 64),
    ),
    "full": Method(
        summary="every weight of the base",
        implementation="eventune.adapters.parts:attach_full",
        files=(FULL_WEIGHTS,),
        options=frozenset({"trained_layers"}),
        freezes_base=False,
    ),
    "prefix": Method(
        summary="P-tuning v2: learned keys and values before each layer's own",
        implementation="eventune.adapters.prefix:attach_prefix",
        peft_type="PREFIX_TUNING",
        parts=("prefix_encoder",),
    ),
    "ia3": Method(
        summary="learned scales of keys, values and the feed-forward parts",
        implementation="eventune.adapters.ia3:attach_ia3",
        peft_type="IA3",
        parts=("ia3_l",),
        options=frozenset({"freeze_heads", "trained_layers"}),
        merges=True,
        shares_base=True,
        size="eventune.adapters.ia3:ia3_size",
    ),
    "vera": Method(
        summary="learned scales behind random low-rank matrices that all layers share",
        implementation="eventune.adapters.vera:attach_vera",
        peft_type="VERA",
        parts=("vera_dropout", "vera_A", "vera_B", "vera_lambda_b", "vera_lambda_d"),
        rank="vera_r",
        options=frozenset({"freeze_heads", "quantization_bit", "trained_layers"}),
        merges=True,
        # Around layers that have an adapter already, PEFT does not find the sizes of the shared matrices.
        shares_base=False,
        size="eventune.adapters.vera:vera_size",
        ranks=(64, 256, 1024),
    ),
    "freeze": Method(
        summary="the last blocks alone",
        implementation="eventune.adapters.parts:attach_last_blocks",
        files=(PART_WEIGHTS,),
        options=frozenset({"trained_layers"}),
    ),
    "bitfit": Method(
        summary="the biases alone",
        implementation="eventune.adapters.parts:attach_biases",
        files=(PART_WEIGHTS,),
        options=frozenset({"trained_layers"}),
    ),
}
"""Method by name."""

_MOST_OF_A_WHOLE_BASE = 5e-4
"""Learning rate above which training all weights of a base loses what it knew."""
_PARTS = frozenset(part for method in METHODS.values() for part in method.parts)


def method_named(name: str, source: str) -> Method:
    """Return a method.

    Args:
        name: Its name.
        source: Where the name was found.

    Raises:
        InvalidValueError: If there is none.
    """
    if name not in METHODS:
        raise InvalidValueError(f"{source}: method", " or ".join(METHODS), repr(name), did_you_mean(name, METHODS))
    return METHODS[name]


def method_of_peft(peft_type: str | None) -> Method | None:
    """Return the method that PEFT's configuration calls so; None for those of PEFT's that are not in the table."""
    return next((method for method in METHODS.values() if peft_type and method.peft_type == peft_type), None)


def rate_advice(method: str, learning_rate: float) -> str:
    """Return what to say of a learning rate at which a base that is trained itself forgets; empty where it does not."""
    if keeps_base(method) or learning_rate <= _MOST_OF_A_WHOLE_BASE:
        return ""
    return (
        f"learning_rate {learning_rate:g} is an adapter's: method: {method} wants about a tenth of it, "
        "e.g. --learning_rate 1e-4"
    )


def names_of(holds: Callable[[Method], bool]) -> str:
    """Return, for messages, the names of the methods for which something holds."""
    return " or ".join(name for name, method in METHODS.items() if holds(method))


def keeps_base(name: str) -> bool:
    """Tell whether a run's base keeps its weights: so it does where nothing was trained, or nothing says how."""
    return name not in METHODS or METHODS[name].freezes_base


def is_adapter(name: str) -> bool:
    """Tell by the name of a parameter or module whether a method added it to the model."""
    return not _PARTS.isdisjoint(name.split("."))
