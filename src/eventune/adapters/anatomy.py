"""What of a model is pretrained, and what is new: the modules that no checkpoint gave their weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import nn
from transformers import PreTrainedModel

from eventune.errors import EventuneError, did_you_mean


@dataclass(frozen=True, slots=True)
class Anatomy:
    """The parts of a model, by name.

    Attributes:
        backbones: The pretrained modules; an empty name is the model itself.
        heads: The smallest set of modules that holds every parameter that is random at the start.
        loose: New parameters that hang on a module which also holds a backbone, so that no head holds them.
        guessed: Whether the backbone was guessed from its shape: nothing in the model is of transformers.
    """

    backbones: tuple[str, ...]
    heads: tuple[str, ...]
    loose: tuple[str, ...] = ()
    guessed: bool = False

    def in_head(self, name: str) -> bool:
        """Tell whether a module or parameter lies in a head."""
        return any(name == head or name.startswith(f"{head}.") for head in self.heads)

    def is_pretrained(self, name: str) -> bool:
        """Tell whether a parameter lies in a backbone, trained in full or not."""
        return any(not backbone or name.startswith(f"{backbone}.") for backbone in self.backbones)

    def heads_inside(self, backbone: str) -> list[str]:
        """Return the heads inside a backbone, by their names there."""
        prefix = f"{backbone}." if backbone else ""
        return [head.removeprefix(prefix) for head in self.heads if head.startswith(prefix)]

    def inside(self, backbone: str, name: str) -> str:
        """Return a module's name in the model from its name in a backbone."""
        return f"{backbone}.{name}" if backbone else name


def anatomy_of(
    model: nn.Module, *, backbones: Sequence[str] | None = None, new_modules: Sequence[str] | None = None
) -> Anatomy:
    """Find a model's pretrained parts and its heads, by what the parts are and not by what they are called.

    Args:
        model: The model, unwrapped.
        backbones: Names of the pretrained modules. By default every model of transformers in it; where there is none,
            the child that holds most of the repeated blocks.
        new_modules: Names of modules inside the backbones that their checkpoint lacks. By default those that a model of
            transformers puts on its base, such as `classifier`, unless it is a language model.

    Returns:
        The names.

    Raises:
        EventuneError: If a name matches nothing.
    """
    names = tuple(backbones) if backbones is not None else _find_backbones(model)
    for name in names:
        _require_module(model, name)
    new = list(new_modules) if new_modules is not None else [h for name in names for h in _task_heads(model, name)]
    for name in new:
        _require_module(model, name)
    loose: list[str] = []
    outside = list(_outside(model, "", names, loose))
    # A module that holds another new one holds its parameters too.
    inside = [name for name in new if not any(name != other and name.startswith(f"{other}.") for other in new)]
    guessed = backbones is None and not any(isinstance(module, PreTrainedModel) for module in model.modules())
    return Anatomy(names, tuple(dict.fromkeys([*outside, *inside])), tuple(loose), guessed)


def checkpoints_activations(backbone: nn.Module) -> bool:
    """Tell whether a model of transformers recomputes its activations in the backward pass."""
    return any(getattr(module, "gradient_checkpointing", False) for module in backbone.modules())


def _find_backbones(model: nn.Module) -> tuple[str, ...]:
    if isinstance(model, PreTrainedModel):
        return ("",)
    pretrained = [name for name, module in model.named_modules() if isinstance(module, PreTrainedModel)]
    outermost = [name for name in pretrained if not any(name.startswith(f"{other}.") for other in pretrained)]
    if outermost:
        return tuple(outermost)
    sizes = {
        name: sum(parameter.numel() for parameter in child.parameters())
        for name, child in model.named_children()
        if any(isinstance(module, nn.ModuleList) for module in child.modules())
    }
    return (max(sizes, key=lambda name: sizes[name]),) if sizes else ("",)


def _task_heads(model: nn.Module, backbone: str) -> list[str]:
    """Return what a model of transformers puts on its base; a language model's head comes from the checkpoint."""
    module = model.get_submodule(backbone)
    if not isinstance(module, PreTrainedModel) or module.base_model is module:
        return []
    if module.get_output_embeddings() is not None:  # type: ignore[no-untyped-call]
        return []
    prefix = f"{backbone}." if backbone else ""
    base = next(name for name, child in module.named_modules() if child is module.base_model)
    return [f"{prefix}{head}" for head in _outside(module, "", (base,), [])]


def _outside(module: nn.Module, path: str, backbones: Sequence[str], loose: list[str]) -> Iterator[str]:
    """Yield the largest modules with parameters that neither are, nor are in, nor hold a backbone."""
    if "" in backbones:
        return
    loose += [f"{path}.{name}" if path else name for name, _ in module.named_parameters(recurse=False)]
    for key, child in module.named_children():
        name = f"{path}.{key}" if path else key
        if name in backbones or next(child.parameters(), None) is None:
            continue
        if any(backbone.startswith(f"{name}.") for backbone in backbones):
            yield from _outside(child, name, backbones, loose)
        else:
            yield from _callable(name, child)


def _callable(name: str, module: nn.Module) -> Iterator[str]:
    """Yield a module's name, or those of a container's members: PEFT wraps only what can be called."""
    if isinstance(module, nn.ModuleList | nn.ModuleDict):
        for key, member in module.named_children():
            yield from _callable(f"{name}.{key}", member)
    else:
        yield name


def _require_module(model: nn.Module, name: str) -> None:
    try:
        model.get_submodule(name)
    except AttributeError:
        names = [other for other, _ in model.named_modules() if other]
        raise EventuneError(
            f"the model has no module {name!r}", did_you_mean(name, names) or f"it has {', '.join(names[:8])} …"
        ) from None
