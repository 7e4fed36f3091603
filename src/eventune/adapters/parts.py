"""Methods that train the base's own weights, all of them or a part, beside the heads; nothing is added."""

from __future__ import annotations

from torch import nn

from eventune.adapters.anatomy import Anatomy
from eventune.adapters.arguments import AdapterArguments
from eventune.errors import EventuneError


def attach_full(model: nn.Module, arguments: AdapterArguments, anatomy: Anatomy) -> nn.Module:  # noqa: ARG001
    """Let every weight be trained."""
    return model.requires_grad_(True)


def attach_last_blocks(model: nn.Module, arguments: AdapterArguments, anatomy: Anatomy) -> nn.Module:
    """Let the last blocks of each backbone be trained.

    Raises:
        EventuneError: If a backbone has no repeated blocks.
    """
    train_heads_alone(model, anatomy)
    for name in anatomy.backbones:
        stacks = _stacks(model.get_submodule(name))
        if not stacks:
            raise EventuneError("method: freeze needs a base of repeated blocks, found none", "use method: lora")
        for stack in stacks:
            for block in list(stack)[-arguments.freeze_trainable_layers :]:
                block.requires_grad_(True)
    return model


def attach_biases(model: nn.Module, arguments: AdapterArguments, anatomy: Anatomy) -> nn.Module:  # noqa: ARG001
    """Let the biases of each backbone be trained (BitFit, arXiv:2106.10199).

    Raises:
        EventuneError: If a backbone has none.
    """
    train_heads_alone(model, anatomy)
    for name in anatomy.backbones:
        parameters = model.get_submodule(name).named_parameters()
        biases = [parameter for name, parameter in parameters if name.rpartition(".")[2] == "bias"]
        if not biases:
            raise EventuneError("method: bitfit trains biases, and the base has none", "use method: lora")
        for bias in biases:
            bias.requires_grad_(True)
    return model


def train_heads_alone(model: nn.Module, anatomy: Anatomy) -> None:
    """Freeze a model but for what is new in it."""
    model.requires_grad_(False)
    for head in anatomy.heads:
        model.get_submodule(head).requires_grad_(True)
    for name in anatomy.loose:
        model.get_parameter(name).requires_grad_(True)


def blocks_of(base: nn.Module) -> list[nn.Module]:
    """Return the blocks of an encoder or a causal LM, the lowest first.

    Raises:
        EventuneError: If it has none, or more than one stack of them.
    """
    stacks = _stacks(base)
    if len(stacks) != 1:
        raise EventuneError(
            f"trained_layers: expected a base with one stack of blocks, found {len(stacks)}", "leave it out"
        )
    return list(stacks[0])


def _stacks(base: nn.Module) -> list[nn.ModuleList]:
    """Return the outermost lists of alike blocks, one for an encoder or decoder, two for both."""
    lists = {name: module for name, module in base.named_modules() if isinstance(module, nn.ModuleList)}
    outermost = [name for name in lists if not any(name.startswith(f"{other}.") for other in lists)]
    return [lists[name] for name in outermost if len(lists[name]) > 1 or len(outermost) == 1]
