"""Training of the top layers alone: where the encoder is cut, and what is refused."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from eventune.adapters.arguments import AdapterArguments
from eventune.adapters.parts import blocks_of
from eventune.errors import EventuneError
from eventune.training import processes
from eventune.training.lower_states import LowerStates


def lower_states(encoder: nn.Module, arguments: AdapterArguments, folder: Path) -> LowerStates:
    """Return where the states below the trained layers are kept.

    Args:
        encoder: The encoder.
        arguments: How many layers are trained, and after how many epochs of all.
        folder: Where a file of states may be put while the training goes on.

    Raises:
        EventuneError: If the encoder has no more layers than are trained, or several processes train.
    """
    blocks = blocks_of(encoder)
    if arguments.trained_layers >= len(blocks):
        raise EventuneError(
            f"trained_layers: expected fewer than the base's {len(blocks)}, found {arguments.trained_layers}",
            "0 trains all of them",
        )
    if processes.count() > 1:
        raise EventuneError("trained_layers: expected one process, found several", "leave it out, or use one GPU")
    return LowerStates(blocks, arguments.trained_layers, folder=folder, after_epochs=arguments.all_layers_epochs)
