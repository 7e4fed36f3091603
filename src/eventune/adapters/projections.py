"""The weight matrices of a base model that an adapter can be put on, and what each of them does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D


class ProjectionKind(StrEnum):
    """What a weight matrix does in its block."""

    QUERY = "query"
    KEY = "key"
    VALUE = "value"
    QKV = "qkv"
    OUTPUT = "output"
    UP = "up"
    GATE_UP = "gate_up"
    DOWN = "down"
    STATE_SPACE = "state_space"
    EXPERTS = "experts"
    ROUTER = "router"
    LM_HEAD = "lm_head"
    OTHER = "other"


ATTENTION = (ProjectionKind.QUERY, ProjectionKind.KEY, ProjectionKind.VALUE, ProjectionKind.QKV, ProjectionKind.OUTPUT)
MLP = (ProjectionKind.UP, ProjectionKind.GATE_UP, ProjectionKind.DOWN)
FUSED = {
    ProjectionKind.QKV: "query, key and value (or two of them) in one matrix: they share one A",
    ProjectionKind.GATE_UP: "gate and up in one matrix: they share one A",
}
"""Kinds that hold several projections."""


@dataclass(frozen=True, slots=True)
class Projection:
    """One weight matrix, or one stack of matrices with a slice for each expert.

    Attributes:
        name: Name of its module inside the base; for experts, of the parameter.
        kind: What it does.
        inputs: Size of its input.
        outputs: Size of its output.
        experts: Number of its slices; 1 for a plain matrix.
        in_block: Whether it lies in one of the base's repeated blocks.
    """

    name: str
    kind: ProjectionKind
    inputs: int
    outputs: int
    experts: int = 1
    in_block: bool = True


_ATTENTION_PATH = re.compile(r"attn|attention|attend|mixer|temporal_block", re.IGNORECASE)
_STATE_SPACE_PATH = re.compile(r"mamba|ssm|linear_attn|mixer|temporal_block", re.IGNORECASE)
_STATE_SPACE_LEAVES = re.compile(r"(in|x|dt|out)_proj(_\w+)?|linear_(x|y|out)")
_ROUTER = re.compile(r"router|(^|[._])gate$|expert_gate$")
_ATTENTION_LEAVES = (
    (ProjectionKind.QKV, r"query_key_value|w?qkv(_proj)?|c_attn|in_proj|kv_proj|kv_a_proj_with_mqa|kv_b_proj"),
    (ProjectionKind.QUERY, r"w?q(uery)?(_proj|_lin|_linear|_a_proj|_b_proj)?"),
    (ProjectionKind.KEY, r"w?k(ey)?(_proj|_lin|_linear)?"),
    (ProjectionKind.VALUE, r"w?v(alue)?(_proj|_lin|_linear)?"),
    (ProjectionKind.OUTPUT, r"w?o(_proj)?|out_proj|out_lin|dense|c_proj|out|conv1d"),
)
_MLP_LEAVES = (
    (ProjectionKind.GATE_UP, r"gate_up_proj|w12|input_linear"),
    # ModernBERT's Wi holds gate and up; T5's wi holds up alone.
    (
        ProjectionKind.UP,
        r"gate_proj|up_proj|w1|w3|wi(_[01])?|fc1|lin1|linear1|c_fc|fc_in|dense_h_to_4h|intermediate|ffn|shared",
    ),
    (
        ProjectionKind.DOWN,
        r"down_proj|w2|wo|fc2|lin2|linear2|c_proj|fc_out|dense_4h_to_h|output|ffn_output|output_linear",
    ),
)
_FUSED_IN = {"modernbert": {"Wi": ProjectionKind.GATE_UP}}
"""Names that mean something else in one architecture than elsewhere."""


def find_projections(base: nn.Module) -> list[Projection]:
    """Return all weight matrices of a base that an adapter fits on, in the model's order.

    Args:
        base: The pretrained model, with or without weights (the meta device is enough).

    Returns:
        Linear layers (also GPT-2's transposed ones) and stacks of experts' matrices, each once.
    """
    blocks = block_prefixes(base)
    output = base.get_output_embeddings() if isinstance(base, PreTrainedModel) else None  # type: ignore[no-untyped-call]
    own_names = _FUSED_IN.get(getattr(getattr(base, "config", None), "model_type", ""), {})
    found = []
    for name, module in base.named_modules():
        in_block = name.startswith(blocks)
        if isinstance(base.get_submodule(name.rpartition(".")[0]), nn.MultiheadAttention):
            # Torch's own attention reads the weight and never calls the layer, so an adapter on it would do nothing.
            continue
        if isinstance(module, nn.Linear | Conv1D):
            inputs, outputs = module.weight.shape if isinstance(module, Conv1D) else module.weight.shape[::-1]
            if isinstance(module, nn.Linear):
                # A quantised layer's weight is packed; these stay true.
                inputs, outputs = module.in_features, module.out_features
            kind = own_names.get(name.rpartition(".")[2]) or kind_of(name)
            if module is output:
                kind = ProjectionKind.LM_HEAD
            found.append(Projection(name, kind, int(inputs), int(outputs), in_block=in_block))
        else:
            found += _experts(name, module, in_block=in_block)
    return found


def _experts(name: str, module: nn.Module, *, in_block: bool) -> list[Projection]:
    """Return the stacked matrices of a mixture's experts, which are parameters and no modules."""
    return [
        Projection(
            f"{name}.{parameter_name}",
            ProjectionKind.EXPERTS,
            parameter.shape[2],
            parameter.shape[1],
            parameter.shape[0],
            in_block,
        )
        for parameter_name, parameter in module.named_parameters(recurse=False)
        if parameter.ndim == 3 and type(module).__name__.endswith("Experts")
    ]


def block_prefixes(base: nn.Module) -> tuple[str, ...]:
    """Return the prefixes of the names inside a base's repeated blocks."""
    return tuple(f"{name}." for name, module in base.named_modules() if isinstance(module, nn.ModuleList))


def kind_of(name: str) -> ProjectionKind:
    """Return what a linear layer does, as far as its name says.

    Args:
        name: The layer's whole name.

    Returns:
        Its kind; `OTHER` where the name is none of those in use.
    """
    path, _, leaf = name.rpartition(".")
    parent = path.rpartition(".")[2]
    if _ROUTER.search(name):
        return ProjectionKind.ROUTER
    # BERT calls all of them `dense` and tells them apart by the module above.
    if leaf == "dense" and parent in {"intermediate", "output"} and not _ATTENTION_PATH.search(path):
        leaf = parent
    in_last_block = re.split(r"\.\d+\.", path)[-1]
    if _STATE_SPACE_PATH.search(in_last_block) and _STATE_SPACE_LEAVES.fullmatch(leaf):
        return ProjectionKind.STATE_SPACE
    leaves = [*(_ATTENTION_LEAVES if _ATTENTION_PATH.search(path) else ()), *_MLP_LEAVES]
    return next((kind for kind, pattern in leaves if re.fullmatch(pattern, leaf.lower())), ProjectionKind.OTHER)


def fold(names: Sequence[str]) -> dict[str, list[str]]:
    """Group names that differ in their numbers only.

    Args:
        names: Names of modules.

    Returns:
        Names by pattern, such as `encoder.layer.{0-11}.output.dense`, in the order of their first name.
    """
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(re.sub(r"(?<=\.)\d+(?=\.|$)|^\d+(?=\.)", "#", name), []).append(name)
    return {_pattern(template, members): members for template, members in groups.items()}


def _pattern(template: str, names: Sequence[str]) -> str:
    expression = re.compile(re.escape(template).replace(r"\#", r"(\d+)"))
    columns = zip(*(match.groups() for name in names if (match := expression.fullmatch(name))), strict=True)
    for column in columns:
        numbers = sorted({int(number) for number in column})
        template = template.replace("#", _ranges(numbers), 1)
    return template


def _ranges(numbers: Sequence[int]) -> str:
    """Return `{0-11}`, `{0,2-5}`, or the number itself where there is one."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    text = ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
    return text if len(numbers) == 1 else f"{{{text}}}"
