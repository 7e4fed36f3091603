"""VeRA (arXiv:2310.11454): two random matrices that all layers share, and learned scales behind each in each layer."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from eventune.adapters.anatomy import Anatomy
from eventune.adapters.arguments import AdapterArguments
from eventune.adapters.injection import as_pattern, inject, saved_modules, targets_in
from eventune.adapters.peft_library import VeraConfig
from eventune.adapters.projections import Projection


def attach_vera(model: nn.Module, arguments: AdapterArguments, anatomy: Anatomy) -> nn.Module:
    """Put VeRA on the targets, whose shapes may differ: each layer takes the part that it needs of the matrices.

    Raises:
        EventuneError: If a target matches nothing.
    """
    config = VeraConfig(
        task_type=None,
        r=arguments.vera_r,
        target_modules=as_pattern(targets_in(model, arguments.lora_target_modules, anatomy)),
        modules_to_save=saved_modules(anatomy),
        # Drawn anew, they could be others on another machine.
        save_projection=True,
    )
    return inject(model, config, anatomy)


def vera_size(projections: Sequence[Projection], r: int) -> tuple[int, int]:
    """Return how many numbers VeRA trains, and how many it saves: the matrices that fit the largest layers, too."""
    trained = sum(projection.outputs + r for projection in projections)
    inputs = max((projection.inputs for projection in projections), default=0)
    outputs = max((projection.outputs for projection in projections), default=0)
    return trained, trained + r * (inputs + outputs)
