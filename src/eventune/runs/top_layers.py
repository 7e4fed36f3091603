"""Training of the top layers alone: where the base is cut, and what is refused."""

from __future__ import annotations

from pathlib import Path

from transformers import PreTrainedModel

from eventune.adapters.arguments import AdapterArguments
from eventune.adapters.parts import blocks_of
from eventune.errors import EventuneError
from eventune.training import processes
from eventune.training.lower_states import LowerStates


def lower_states(base: PreTrainedModel, arguments: AdapterArguments, folder: Path) -> LowerStates:
    """Return where the states below the trained layers are kept.

    Args:
        base: The encoder or causal LM, with what is trained of it.
        arguments: How many layers are trained, and after how many epochs of all.
        folder: Where a file of states may be put while the training goes on.

    Raises:
        EventuneError: If the base has no more layers than are trained, its output layer trains the embeddings below
            them, or several processes train.
    """
    blocks = blocks_of(base)
    if arguments.trained_layers >= len(blocks):
        raise EventuneError(
            f"trained_layers: expected fewer than the base's {len(blocks)}, found {arguments.trained_layers}",
            "0 trains all of them",
        )
    output = base.get_output_embeddings()  # type: ignore[no-untyped-call]
    if output is not None and output.weight.requires_grad and output.weight is base.get_input_embeddings().weight:
        raise EventuneError(
            "trained_layers: expected embeddings that stay as they are, found that the output layer shares and trains "
            "them",
            "use LoRA, or train all layers: trained_layers: 0",
        )
    if processes.count() > 1:
        raise EventuneError("trained_layers: expected one process, found several", "leave it out, or use one GPU")
    return LowerStates(blocks, arguments.trained_layers, folder=folder, after_epochs=arguments.all_layers_epochs)
