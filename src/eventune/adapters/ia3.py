"""(IA)3 (arXiv:2205.05638): learned scales on keys, values and the feed-forward input."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from eventune.adapters.anatomy import Anatomy
from eventune.adapters.arguments import AdapterArguments
from eventune.adapters.injection import as_pattern, inject, saved_modules, targets_in
from eventune.adapters.peft_library import IA3Config
from eventune.adapters.projections import Projection, ProjectionKind, find_projections
from eventune.errors import EventuneError

_SCALED = (ProjectionKind.KEY, ProjectionKind.VALUE, ProjectionKind.QKV)


def attach_ia3(model: nn.Module, arguments: AdapterArguments, anatomy: Anatomy) -> nn.Module:
    """Put (IA)3 on the targets that are keys, values or the feed-forward input.

    Raises:
        EventuneError: If none of the targets is known as one of these.
    """
    chosen = set(targets_in(model, arguments.lora_target_modules, anatomy))
    kinds = {
        anatomy.inside(backbone, projection.name): projection.kind
        for backbone in anatomy.backbones
        for projection in find_projections(model.get_submodule(backbone))
    }
    scaled = [name for name in kinds if name in chosen and kinds[name] in _SCALED]
    feedforward = [name for name in kinds if name in chosen and kinds[name] is ProjectionKind.DOWN]
    if not scaled and not feedforward:
        raise EventuneError(
            "method: ia3 scales keys, values and the feed-forward part; none of the targets is known as one of them",
            "use method: lora, or another lora_target_modules",
        )
    config = IA3Config(
        task_type=None,
        target_modules=as_pattern([*scaled, *feedforward]),
        feedforward_modules=as_pattern(feedforward) if feedforward else [],
        modules_to_save=saved_modules(anatomy),
    )
    return inject(model, config, anatomy)


def ia3_size(projections: Sequence[Projection], r: int) -> tuple[int, int]:  # noqa: ARG001
    """Return how many numbers (IA)3 trains and saves: one for each output of keys and values, and input of down."""
    size = sum(projection.outputs for projection in projections if projection.kind in _SCALED)
    size += sum(projection.inputs for projection in projections if projection.kind is ProjectionKind.DOWN)
    return size, size
