"""What an adapter's configuration may say: what this project writes, and what is usual in PEFT; nothing else is obeyed.

PEFT takes whatever `adapter_config.json` holds, and some of it imports modules, repeats the base's blocks, or searches
names for longer than anyone waits. A folder with an adapter is what people send one another, so PEFT never reads the
file itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Len, Lt
from pydantic import AfterValidator

from eventune.adapters.arguments import INITIALISATIONS, MOST_RANK, MOST_VIRTUAL_TOKENS
from eventune.adapters.methods import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from eventune.adapters.patterns import quick_expression, quick_key
from eventune.adapters.peft_library import (
    IA3Config,
    LoraConfig,
    PeftConfig,
    PrefixTuningConfig,
    VeraConfig,
    expected_warnings_ignored,
)
from eventune.adapters.weight_files import read_shapes
from eventune.errors import EventuneError, InvalidValueError, first_line
from eventune.storage.json_files import read_json
from eventune.storage.validation import read_settings

_IS_A = re.compile(r"\.(lora_(embedding_)?|vera_)A(\.weight)?$")
_USUAL_RANK = 1024
"""A rank that no weights need have, where all targets have ranks of their own."""
_MOST_NAMES = 20_000
_UNUSED = frozenset({"auto_mapping", "peft_version", "runtime_config"})
"""Say where an adapter comes from, or how a machine computed it; they change nothing."""


def _known_start(value: str) -> str:
    if not INITIALISATIONS.fullmatch(value):
        raise ValueError("true, false, or one of gaussian, orthogonal, olora, pissa, pissa_niter_N")
    return value


Names = Annotated[list[Annotated[str, Len(1, 1_000)]], Len(0, _MOST_NAMES)]
Expression = Annotated[str, AfterValidator(quick_expression)]
Key = Annotated[str, AfterValidator(quick_key)]
Rank = Annotated[int, Ge(1), Le(2 * MOST_RANK)]  # an adapter of a changed base is saved with twice its rank
Scale = Annotated[int, Gt(0)] | Annotated[float, Gt(0)]
Indices = Annotated[list[Annotated[int, Ge(0), Lt(2**31)]], Len(0, 2**20)]


@dataclass(frozen=True, kw_only=True)
class AdapterFields:
    """What every adapter's configuration may hold.

    Attributes:
        peft_type: PEFT's name of the method.
        task_type: PEFT's name of what the model is for.
        base_model_name_or_path: What the base was called.
        revision: Its revision on the hub.
        inference_mode: Whether the adapter was saved for use.
        modules_to_save: Modules that are saved in full.
    """

    peft_type: str
    task_type: (
        Literal["SEQ_CLS", "SEQ_2_SEQ_LM", "CAUSAL_LM", "TOKEN_CLS", "QUESTION_ANS", "FEATURE_EXTRACTION"] | None
    ) = None
    base_model_name_or_path: str | None = None
    revision: str | None = None
    inference_mode: bool = False
    modules_to_save: Names | None = None


@dataclass(frozen=True, kw_only=True)
class LoraFields(AdapterFields):
    """LoRA's; see PEFT's `LoraConfig`."""

    r: Rank = 8
    lora_alpha: Scale = 8
    lora_dropout: Annotated[float, Ge(0), Lt(1)] = 0.0
    target_modules: Expression | Names | None = None
    exclude_modules: Expression | Names | None = None
    target_parameters: Names | None = None
    layers_to_transform: Indices | Annotated[int, Ge(0)] | None = None
    layers_pattern: Names | Key | None = None
    rank_pattern: Annotated[dict[Key, Rank], Len(0, _MOST_NAMES)] | None = None
    alpha_pattern: Annotated[dict[Key, Scale], Len(0, _MOST_NAMES)] | None = None
    fan_in_fan_out: bool = False
    bias: Literal["none", "all", "lora_only"] = "none"
    lora_bias: bool = False
    use_rslora: bool = False
    use_dora: bool = False
    init_lora_weights: bool | Annotated[str, AfterValidator(_known_start)] = True
    trainable_token_indices: Indices | dict[str, Indices] | None = None
    ensure_weight_tying: bool = False


@dataclass(frozen=True, kw_only=True)
class IA3Fields(AdapterFields):
    """(IA)3's; see PEFT's `IA3Config`."""

    target_modules: Expression | Names | None = None
    exclude_modules: Expression | Names | None = None
    feedforward_modules: Expression | Names | None = None
    fan_in_fan_out: bool = False
    init_ia3_weights: bool = True


@dataclass(frozen=True, kw_only=True)
class PrefixFields(AdapterFields):
    """A prefix's; see PEFT's `PrefixTuningConfig`."""

    num_virtual_tokens: Annotated[int, Ge(1), Le(MOST_VIRTUAL_TOKENS)]
    token_dim: Annotated[int, Ge(1)] | None = None
    num_transformer_submodules: Annotated[int, Ge(1), Le(2)] | None = None
    num_attention_heads: Annotated[int, Ge(1)] | None = None
    num_layers: Annotated[int, Ge(1)] | None = None
    encoder_hidden_size: Annotated[int, Ge(1)] | None = None
    prefix_projection: bool = False
    init_weights: Literal["zero"] | None = None


@dataclass(frozen=True, kw_only=True)
class VeraFields(AdapterFields):
    """VeRA's; see PEFT's `VeraConfig`."""

    r: Rank = 256
    target_modules: Expression | Names | None = None
    layers_to_transform: Indices | Annotated[int, Ge(0)] | None = None
    layers_pattern: Names | Key | None = None
    fan_in_fan_out: bool = False
    bias: Literal["none", "all", "vera_only"] = "none"
    projection_prng_key: Annotated[int, Ge(0), Lt(2**63)] = 0
    save_projection: Literal[True] = True
    vera_dropout: Annotated[float, Ge(0), Lt(1)] = 0.0
    d_initial: float = 0.1
    init_weights: bool = True


KINDS: dict[str, tuple[type[AdapterFields], type[PeftConfig]]] = {
    "LORA": (LoraFields, LoraConfig),
    "IA3": (IA3Fields, IA3Config),
    "VERA": (VeraFields, VeraConfig),
    "PREFIX_TUNING": (PrefixFields, PrefixTuningConfig),
}
"""By PEFT's name of a method: what its configuration may hold, and the configuration."""


def read_adapter_fields(folder: Path) -> AdapterFields:
    """Read an adapter's configuration.

    Args:
        folder: A run, or any folder with an adapter as PEFT saves it.

    Returns:
        Its fields, of the dataclass that `KINDS` has for its method.

    Raises:
        InvalidValueError: If a field is not as it must be, or is one that only PEFT knows and that is not at its
            default.
        EventuneError: If the file is missing or is no JSON object, or the method is another.
    """
    path = folder / ADAPTER_CONFIG
    values = read_json(path)
    method = values.get("peft_type")
    if not isinstance(method, str) or method not in KINDS:
        raise EventuneError(f"{path}: peft_type: expected {' or '.join(KINDS)}, found {str(method)[:100]!r}")
    kind, config = KINDS[method]
    fields = read_settings(path, kind)
    usual = LoraConfig().to_dict() | config().to_dict()
    for name, value in values.items():
        if name not in kind.__dataclass_fields__ and name not in _UNUSED and value and value != usual.get(name):
            raise InvalidValueError(
                f"{path}: {name}",
                "a field that eventune or PEFT's usual adapters have, or its default",
                repr(value),
                "remove it only if you know that the adapter computes the same without it",
            )
    return fields


def peft_config(fields: AdapterFields, folder: Path) -> PeftConfig:
    """Return PEFT's configuration of a folder's adapter, for use and not for training.

    Args:
        fields: What `read_adapter_fields` read.
        folder: The folder.

    Raises:
        EventuneError: If the fields contradict one another, or the adapter's weights.
    """
    path = folder / ADAPTER_CONFIG
    if isinstance(fields, LoraFields | VeraFields):
        # PEFT makes matrices of the ranks that the configuration says before their shapes can be compared.
        found = _highest_rank(folder / ADAPTER_WEIGHTS)
        rank = max([fields.r, *(getattr(fields, "rank_pattern", None) or {}).values()])
        if rank > max(found, _USUAL_RANK):
            raise EventuneError(f"{path}: r: expected {found}, the rank of its weights, found {rank}")
    # What is not said has PEFT's default, which is not always None.
    values = {name: value for name, value in asdict(fields).items() if value is not None and name != "peft_type"}
    try:
        config: PeftConfig = KINDS[fields.peft_type][1](**values)
    except (ValueError, TypeError) as error:
        raise EventuneError(f"{path}: {first_line(error)}") from error
    config.inference_mode = True
    return config


def read_adapter_config(folder: Path) -> PeftConfig:
    """Read the configuration of a folder's adapter as PEFT takes it; see `read_adapter_fields` and `peft_config`."""
    return peft_config(read_adapter_fields(folder), folder)


def _highest_rank(path: Path) -> int:
    shapes = {name: shape for name, shape in read_shapes(path).items() if _IS_A.search(name)}
    return max((shape[0] for shape in shapes.values() if shape), default=0)


@contextmanager
def fitting(folder: Path) -> Iterator[None]:
    """Tell what keeps PEFT from putting a folder's adapter on a model while the block lasts.

    Raises:
        EventuneError: If it cannot.
    """
    try:
        with expected_warnings_ignored():
            yield
    except EventuneError:
        raise
    except Exception as error:  # PEFT and the layers that it replaces raise whatever Python does
        raise EventuneError(f"{folder}: the adapter does not fit the model: {first_line(error)}") from error
