"""What a model is made of, what of it to adapt and to train in full, and what that costs."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from eventune.adapters.anatomy import Anatomy, anatomy_of
from eventune.adapters.injection import as_pattern
from eventune.adapters.methods import METHODS
from eventune.adapters.projections import ATTENTION, FUSED, MLP, Projection, ProjectionKind, find_projections, fold
from eventune.adapters.targets import CHOICES, choose, model_type_of
from eventune.errors import EventuneError

_BYTES = 4
"""Adapters, heads and their gradients are in float32."""
_MOMENTS = 2
"""AdamW keeps two numbers for each parameter that it trains."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Modules that differ in their number only.

    Attributes:
        pattern: Their names, such as `encoder.layer.{0-11}.output.dense`.
        type: Class of the modules.
        shapes: Shape of each of a module's own parameters.
        count: Number of modules.
        parameters: Number of parameters of all of them.
        kind: What they do, for weight matrices that an adapter fits on.
    """

    pattern: str
    type: str
    shapes: dict[str, list[int]]
    count: int
    parameters: int
    kind: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What a method costs on a choice of targets.

    Attributes:
        method: The method.
        targets: One of `CHOICES`, `experts` beside the automatic choice, or `full`.
        r: The rank; 0 for a method without one.
        trainable_parameters: Parameters of adapter and heads.
        saved_bytes: Size of the file, in float32.
        optimizer_bytes: Memory of AdamW's moments.
        gradient_bytes: Memory of the gradients.
    """

    method: str
    targets: str
    r: int
    trainable_parameters: int
    saved_bytes: int
    optimizer_bytes: int
    gradient_bytes: int


@dataclass(frozen=True, slots=True)
class Inspection:
    """All that is to be known before an adapter is put on a model.

    Attributes:
        model_class: The model's class.
        model_type: Its architecture in transformers, or an empty string.
        parameters: Number of its parameters, tied ones once.
        backbones: Names of its pretrained parts; an empty name is the model itself.
        heads: Parameters of each module that is new.
        patterns: Its modules that have parameters of their own.
        attention: Patterns of the attention's projections.
        mlp: Patterns of the feed-forward projections.
        fused: What each fused projection holds, by pattern.
        experts: Patterns of the stacked matrices of a mixture's experts.
        target_modules: What to give PEFT as such; matches exactly the automatic choice.
        targets_reason: Why these.
        modules_to_save: What to give PEFT as such.
        save_reason: Why these.
        notes: What else to know.
        costs: What each method costs on each choice of targets.
    """

    model_class: str
    model_type: str
    parameters: int
    backbones: list[str]
    heads: dict[str, int]
    patterns: list[Pattern]
    attention: list[str]
    mlp: list[str]
    fused: dict[str, str]
    experts: list[str]
    target_modules: list[str] | str
    targets_reason: str
    modules_to_save: list[str]
    save_reason: str
    notes: list[str]
    costs: list[Cost]

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON values."""
        return dataclasses.asdict(self)

    def snippet(self, *, r: int = 8) -> str:
        """Return the code that puts this adapter on the model with PEFT alone."""
        saved = f"\n    modules_to_save={json.dumps(self.modules_to_save)},  # new: trained and saved in full" * bool(
            self.heads
        )
        return (
            "from peft import LoraConfig, get_peft_model\n\n"
            "config = LoraConfig(\n"
            "    task_type=None,  # each type adds a forward of its own and guesses at heads by their names\n"
            f"    r={r},\n    lora_alpha={2 * r},\n"
            f"    target_modules={json.dumps(self.target_modules)},{saved}\n"
            ")\n"
            "model = get_peft_model(model, config)  # before DataParallel, DDP or torch.compile\n"
            "model.print_trainable_parameters()\n"
        )


def inspect_model(model: nn.Module, *, anatomy: Anatomy | None = None) -> Inspection:
    """Inspect a model; the meta device is enough.

    Args:
        model: Any module, unwrapped.
        anatomy: Its backbones and heads; found by default.

    Returns:
        What was found, with suggestions.

    Raises:
        EventuneError: If no adapter fits on the base.
    """
    anatomy = anatomy or anatomy_of(model)
    projections = [
        dataclasses.replace(projection, name=anatomy.inside(backbone, projection.name))
        for backbone in anatomy.backbones
        for projection in find_projections(model.get_submodule(backbone))
    ]
    projections = [projection for projection in projections if not anatomy.in_head(projection.name)]
    model_type = model_type_of(model.get_submodule(anatomy.backbones[0]))
    chosen = [projection.name for projection in choose(projections, "auto", model_type=model_type)]
    if not chosen:
        raise EventuneError(f"{type(model).__name__}: no linear layer in its base that an adapter fits on")
    heads = {head: _size(model.get_submodule(head)) for head in anatomy.heads}
    kinds = {projection.name: projection.kind for projection in projections}
    patterns = list(_patterns(model, kinds))
    experts = fold([name for name, kind in kinds.items() if kind is ProjectionKind.EXPERTS])
    return Inspection(
        model_class=type(model).__name__,
        model_type=model_type,
        parameters=_size(model),
        backbones=list(anatomy.backbones),
        heads=heads,
        patterns=patterns,
        attention=[pattern.pattern for pattern in patterns if pattern.kind in ATTENTION],
        mlp=[pattern.pattern for pattern in patterns if pattern.kind in MLP],
        fused={pattern.pattern: FUSED[ProjectionKind(pattern.kind)] for pattern in patterns if pattern.kind in FUSED},
        experts=list(experts),
        target_modules=shortest(chosen, [name for name, _ in model.named_modules()]),
        targets_reason=_targets_reason(kinds, chosen),
        modules_to_save=list(heads),
        save_reason=(
            "no checkpoint gives them their weights: PEFT would leave them random, frozen and unsaved"
            if heads
            else "nothing in the model is new"
        ),
        notes=list(_notes(model, anatomy, kinds)),
        costs=_costs(projections, model_type, sum(heads.values()), _size(model)),
    )


def shortest(chosen: Sequence[str], names: Sequence[str]) -> list[str] | str:
    """Return the shortest ends of names that match the chosen modules and no other, as PEFT matches them.

    Args:
        chosen: Whole names of modules.
        names: Whole names of all modules.

    Returns:
        The ends, or a regular expression where no end tells a chosen module from another.
    """
    wanted = set(chosen)
    ends: list[str] = []
    for name in chosen:
        parts = name.split(".")
        if any(_matches(name, end) for end in ends):
            continue
        for length in range(1, len(parts) + 1):
            end = ".".join(parts[-length:])
            if all(other in wanted for other in names if _matches(other, end)):
                ends.append(end)
                break
        # An end with a layer's number in it would have to be given for each layer.
        if not ends or not _matches(name, ends[-1]) or any(part.isdigit() for part in ends[-1].split(".")):
            return as_pattern(chosen)
    return ends


def _matches(name: str, end: str) -> bool:
    return name == end or name.endswith(f".{end}")


def _size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _patterns(model: nn.Module, kinds: dict[str, ProjectionKind]) -> Iterator[Pattern]:
    own = {
        name: {key: list(parameter.shape) for key, parameter in module.named_parameters(recurse=False)}
        for name, module in model.named_modules()
    }
    groups: dict[tuple[str, str], list[str]] = {}
    for name, shapes in own.items():
        if shapes:
            groups.setdefault((type(model.get_submodule(name)).__name__, str(shapes)), []).append(name)
    found = [
        (pattern, names, kind) for (kind, _), members in groups.items() for pattern, names in fold(members).items()
    ]
    order = {name: place for place, name in enumerate(own)}
    for pattern, names, kind in sorted(found, key=lambda row: order[row[1][0]]):
        shapes = own[names[0]]
        experts = [f"{names[0]}.{key}" for key in shapes if f"{names[0]}.{key}" in kinds]
        does = kinds.get(names[0]) or (ProjectionKind.EXPERTS if experts else "")
        size = sum(math.prod(shape) for shape in shapes.values())
        yield Pattern(pattern, kind, shapes, len(names), size * len(names), str(does))


def _targets_reason(kinds: dict[str, ProjectionKind], chosen: Sequence[str]) -> str:
    found = {kinds[name] for name in chosen}
    parts = [
        name
        for name, group in (
            ("attention", ATTENTION),
            ("feed-forward", MLP),
            ("state-space", (ProjectionKind.STATE_SPACE,)),
        )
        if found & set(group)
    ]
    if not parts:
        return "linear layers of the base, whose names are not among those in use"
    return (
        f"all {' and '.join(parts)} projections of the base's blocks: attention alone loses accuracy at equal size "
        "(LoRA Without Regret), and QLoRA needs all of them to match full fine-tuning"
    )


def _notes(model: nn.Module, anatomy: Anatomy, kinds: dict[str, ProjectionKind]) -> Iterator[str]:
    if ProjectionKind.EXPERTS in kinds.values():
        yield "experts are stacked parameters, not layers: lora_target_parameters (PEFT: target_parameters) adapts them"
    if ProjectionKind.STATE_SPACE in kinds.values():
        yield "out_proj and dt_proj of state-space layers are read by kernels: an adapter on them would do nothing"
    for backbone in anatomy.backbones:
        base: Any = model.get_submodule(backbone)
        if getattr(getattr(base, "config", None), "tie_word_embeddings", False) and _has_output(base):
            yield "input and output embeddings are tied: training one needs ensure_weight_tying, which attach sets"


def _has_output(base: Any) -> bool:
    return hasattr(base, "get_output_embeddings") and base.get_output_embeddings() is not None


def _costs(projections: Sequence[Projection], model_type: str, heads: int, total: int) -> list[Cost]:
    costs = []
    choices = {name: choose(projections, name, model_type=model_type) for name in CHOICES}
    experts = [projection for projection in projections if projection.kind is ProjectionKind.EXPERTS]
    for name, method in METHODS.items():
        adapts_experts = experts and "lora_target_parameters" in method.options
        own = {**choices, "auto + experts": [*choices["auto"], *experts]} if adapts_experts else choices
        for targets, chosen in own.items() if method.has_targets else ():
            for r in method.ranks:
                trained, saved = method.size_on(chosen, r)
                if trained:
                    costs.append(_cost(name, targets, r, trained + heads, saved + heads))
    return [*costs, _cost("full", "full", 0, total, total)]


def _cost(method: str, targets: str, r: int, trained: int, saved: int) -> Cost:
    return Cost(method, targets, r, trained, saved * _BYTES, trained * _BYTES * _MOMENTS, trained * _BYTES)
