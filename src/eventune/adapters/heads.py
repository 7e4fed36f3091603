"""Finds the modules that no pretrained checkpoint gave their weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import nn

from eventune.errors import EventuneError


def find_heads(model: nn.Module, *, backbone: str, new_in_backbone: Sequence[str]) -> tuple[str, ...]:
    """Return the names of all modules that are random at the start, whatever they are called.

    Args:
        model: The pretrained base with a task's modules around it.
        backbone: Name of the base inside the model, one of its children.
        new_in_backbone: Modules inside the base that its checkpoint lacks.

    Returns:
        Names of the smallest set of modules that holds every new parameter.

    Raises:
        EventuneError: If a new parameter hangs on the model itself, where no adapter's file can hold it.
    """
    loose = [name for name, _ in model.named_parameters(recurse=False)]
    if loose:
        raise EventuneError(f"the parameter {loose[0]!r} is not inside a module, so it cannot be saved with an adapter")
    children = [
        head
        for name, child in model.named_children()
        if name != backbone and next(child.parameters(), None) is not None
        for head in _callable(name, child)
    ]
    # A module that holds another new one holds its parameters too.
    outermost = [
        name
        for name in new_in_backbone
        if not any(name != other and name.startswith(f"{other}.") for other in new_in_backbone)
    ]
    return (*children, *(f"{backbone}.{name}" for name in outermost))


def _callable(name: str, module: nn.Module) -> Iterator[str]:
    """Yield a module's name, or those of a container's members: PEFT wraps only what can be called."""
    if isinstance(module, nn.ModuleList | nn.ModuleDict):
        for key, member in module.named_children():
            yield from _callable(f"{name}.{key}", member)
    else:
        yield name
