"""Which of a base model's weight matrices get an adapter."""

from __future__ import annotations

import re
from collections.abc import Sequence

from torch import nn

from eventune.adapters.chatglm.targets import native_targets
from eventune.adapters.projections import ATTENTION, MLP, Projection, ProjectionKind, find_projections
from eventune.errors import EventuneError, did_you_mean

CHOICES = {
    "auto": "every projection of the base's blocks that an adapter fits on",
    "attention-qv": "query and value, as in the LoRA paper",
    "attention": "all projections of the attention",
    "mlp": "all projections of the feed-forward parts",
    "all-linear": "every linear layer of the base but its output layer, also those outside of its blocks",
}
"""Choices of targets by name, beside lists of names and regular expressions."""

_KNOWN = (*ATTENTION, *MLP, ProjectionKind.STATE_SPACE)
# The kernels of state-space layers read these weights and never call the layers: PEFT refuses them, or they would idle.
_READ_BY_KERNELS = re.compile(r"(^|\.)(out_proj|dt_proj)$")
_IDLE = {"longformer": ("query_global", "key_global", "value_global"), "luke": ("w2e_query", "e2w_query", "e2e_query")}
"""Layers that take part only in inputs of a special kind, by architecture; a list of names can still ask for them."""


def find_targets(base: nn.Module, wanted: str | Sequence[str]) -> list[str]:
    """Return the names, inside `base`, of the linear layers that get an adapter.

    Args:
        base: The pretrained model, without the task's heads.
        wanted: One of `CHOICES`; a list: the layers whose name, or end of name, is in it; another string: a regular
            expression that matches the whole name. On a Glm, the published ChatGLM2's names stand for its own.

    Returns:
        The names, in the model's order.

    Raises:
        EventuneError: If a name or the expression matches nothing; the hint names the closest layer.
    """
    linear = [projection for projection in find_projections(base) if projection.kind is not ProjectionKind.EXPERTS]
    names = [projection.name for projection in linear]
    wanted = native_targets(wanted, model_type_of(base))
    if isinstance(wanted, str):
        if wanted in CHOICES:
            chosen = choose(linear, wanted, model_type=model_type_of(base))
            return _some([projection.name for projection in chosen], wanted, names)
        return _some([name for name in names if re.fullmatch(wanted, name)], wanted, names)
    for name in wanted:
        _some([layer for layer in names if _ends_with(layer, name)], name, names)
    return [layer for layer in names if any(_ends_with(layer, name) for name in wanted)]


def find_target_parameters(base: nn.Module, wanted: Sequence[str]) -> list[str]:
    """Return the names, inside `base`, of the stacked expert matrices that get an adapter.

    Args:
        base: The pretrained model.
        wanted: Names, or ends of names, such as `experts.down_proj`.

    Returns:
        The names, in the model's order.

    Raises:
        EventuneError: If a name matches none of them.
    """
    names = [projection.name for projection in find_projections(base) if projection.kind is ProjectionKind.EXPERTS]
    for name in wanted:
        if not any(_ends_with(parameter, name) for parameter in names):
            ends = sorted({".".join(parameter.split(".")[-2:]) for parameter in names})
            raise EventuneError(
                f"lora_target_parameters: {name!r} matches none of the base's {len(names)} stacks of experts",
                did_you_mean(name, ends) or (f"their names end in: {', '.join(ends)}" if ends else "the base has none"),
            )
    return [parameter for parameter in names if any(_ends_with(parameter, name) for name in wanted)]


def choose(projections: Sequence[Projection], choice: str, *, model_type: str = "") -> list[Projection]:
    """Return the projections that a choice of targets stands for.

    Args:
        projections: What `find_projections` found.
        choice: One of `CHOICES`.
        model_type: The architecture's name in transformers.

    Returns:
        The projections, experts left out; none where the base has no such ones.
    """
    # An output layer that is tied to the embeddings cannot be adapted alone; PEFT leaves all of them out too.
    left_out = {ProjectionKind.EXPERTS, ProjectionKind.ROUTER, ProjectionKind.LM_HEAD}
    linear = [p for p in projections if p.kind not in left_out and _is_called(p)]
    if choice == "all-linear":
        return linear
    idle = _IDLE.get(model_type, ())
    blocks = [p for p in linear if p.in_block and p.name.rpartition(".")[2] not in idle]
    kinds = {
        "auto": _KNOWN,
        "attention-qv": (ProjectionKind.QUERY, ProjectionKind.VALUE, ProjectionKind.QKV),
        "attention": ATTENTION,
        "mlp": MLP,
    }[choice]
    known = [p for p in blocks if p.kind in kinds]
    # A module of the user's own may call its layers as it likes.
    return known if known or choice != "auto" else blocks or linear


def model_type_of(base: nn.Module) -> str:
    """Return an architecture's name in transformers, or an empty string."""
    return str(getattr(getattr(base, "config", None), "model_type", ""))


def _is_called(projection: Projection) -> bool:
    return projection.kind is not ProjectionKind.STATE_SPACE or not _READ_BY_KERNELS.search(projection.name)


def _ends_with(layer: str, name: str) -> bool:
    return layer == name or layer.endswith(f".{name}")


def _some(found: list[str], wanted: str, linear: Sequence[str]) -> list[str]:
    if not found:
        leaves = sorted({name.rpartition(".")[2] for name in linear})
        hint = did_you_mean(wanted, [*leaves, *CHOICES]) or f"their names end in: {', '.join(leaves)}"
        if wanted in leaves:
            hint = rf"an expression matches whole names: (.*\.)?{wanted}"
        raise EventuneError(
            f"lora_target_modules: {wanted!r} matches none of the base's {len(linear)} linear layers", hint
        )
    return found
