"""Checks before the first step that what must be trained is trained.

A random head that stays frozen trains to nothing without a word: that is what these checks are for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from eventune.adapters.anatomy import Anatomy, anatomy_of, checkpoints_activations
from eventune.adapters.methods import is_adapter
from eventune.adapters.peft_library import PeftModel
from eventune.adapters.precision import HALF, half_type_of, runs_in_autocast
from eventune.adapters.quantisation import size_of
from eventune.adapters.wrapping import unwrap
from eventune.errors import EventuneError, did_you_mean

_TRIES = 3
"""Passes over the batch until all have a gradient: some models leave out layers by chance (LayerDrop)."""
_WRAPPER_NAMES = ("base_model.model.", "module.", "_orig_mod.")


@dataclass(frozen=True, slots=True)
class ParameterCounts:
    """How many parameters there are, and how many of them are trained.

    Attributes:
        total: All parameters of the model that is used, copies that PEFT keeps of replaced heads left out.
        trainable: Those that get gradients.
        heads: Those of the heads.
        trained_heads: Those of the heads that get gradients.
    """

    total: int
    trainable: int
    heads: int
    trained_heads: int


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that would go wrong in training, saving or loading.

    Attributes:
        message: What was found.
        fix: What to do.
        frozen_heads: Whether it is that new modules are random and frozen.
    """

    message: str
    fix: str
    frozen_heads: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What is trained of a model, and what is wrong with that.

    Attributes:
        counts: The parameters.
        heads: Parameters of each head.
        trainable_types: Number of trainable parameters of each type, such as `float32`.
        errors: What makes the training useless, or its result unusable.
        warnings: What may.
    """

    counts: ParameterCounts
    heads: dict[str, int]
    trainable_types: dict[str, int]
    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]

    def summary(self) -> str:
        """Return one line on what is trained."""
        names = ", ".join(self.heads)
        types = ", ".join(self.trainable_types)
        heads = self.counts.trained_heads
        share = self.counts.trainable / self.counts.total
        return (
            f"trained: {self.counts.trainable - heads:,} parameters of the base or its adapter, {heads:,} of heads "
            f"({names}), {types}; {share:.2%} of all"
        )

    def require(self, *, allow_frozen_heads: bool = False) -> ParameterCounts:
        """Return the counts.

        Args:
            allow_frozen_heads: Whether new modules may stay random, to see what that costs.

        Raises:
            EventuneError: With all errors at once.
        """
        errors = [finding for finding in self.errors if not (allow_frozen_heads and finding.frozen_heads)]
        if len(errors) == 1:
            raise EventuneError(errors[0].message, errors[0].fix)
        if errors:
            lines = [f"  {finding.message} ({finding.fix})" for finding in errors]
            raise EventuneError(f"{len(lines)} things are wrong with what is trained:\n" + "\n".join(lines))
        return self.counts


def plain_name(name: str) -> str:
    """Return a parameter's name in the model before PEFT and others wrapped it."""
    for prefix in _WRAPPER_NAMES:
        name = name.removeprefix(prefix)
    return name.replace(".modules_to_save.default", "").replace(".base_layer", "")


def examine(model: nn.Module, *, anatomy: Anatomy | None = None) -> Report:
    """Examine what is trained of a model, whoever made it ready.

    Args:
        model: A model as it will be trained: plain, a `PeftModel`, or either in `DataParallel` and the like.
        anatomy: Its backbones and heads; found by default.

    Returns:
        The report.
    """
    outer = unwrap(model)
    base = outer.get_base_model() if isinstance(outer, PeftModel) else outer
    plain = unwrap(base)
    anatomy = anatomy or anatomy_of(plain)
    parameters = {n: p for n, p in plain.named_parameters() if ".original_module." not in n}
    heads = dict.fromkeys(anatomy.heads, 0)
    trainable_types: dict[str, int] = {}
    trained_heads = 0
    for name, parameter in parameters.items():
        for head in heads:
            if plain_name(name) == head or plain_name(name).startswith(f"{head}."):
                heads[head] += parameter.numel()
                trained_heads += parameter.numel() * parameter.requires_grad
        if parameter.requires_grad:
            dtype = str(parameter.dtype).removeprefix("torch.")
            trainable_types[dtype] = trainable_types.get(dtype, 0) + parameter.numel()
    total = sum(size_of(parameter) for parameter in parameters.values())
    trainable = sum(trainable_types.values())
    errors = [*_head_errors(parameters, heads), *_type_errors(plain, parameters)]
    if trainable == 0:
        errors.insert(0, Problem("no parameter is trainable", "give lora_target_modules that match, or method: full"))
    if isinstance(outer, PeftModel):
        errors += [*_configuration_errors(outer, plain), *_wrapper_errors(base, plain)]
    warnings = (*_checkpointing_warnings(plain, anatomy), *_guess_warnings(plain, anatomy))
    counts = ParameterCounts(total, trainable, sum(heads.values()), trained_heads)
    return Report(counts, heads, trainable_types, tuple(errors), warnings)


def _head_errors(parameters: dict[str, nn.Parameter], heads: dict[str, int]) -> Iterator[Problem]:
    missing = [head for head, count in heads.items() if count == 0]
    if missing:
        yield Problem(f"modules_to_save: {missing[0]!r} matches no module with parameters", "correct the name")
    frozen: dict[str, int] = {}
    adapted: dict[str, int] = {}
    for name, parameter in parameters.items():
        plain = plain_name(name)
        head = next((head for head in heads if plain == head or plain.startswith(f"{head}.")), None)
        if head is not None and is_adapter(name):
            adapted[head] = adapted.get(head, 0) + 1
        elif head is not None and not parameter.requires_grad:
            frozen[head] = frozen.get(head, 0) + 1
    for head in adapted.keys() & frozen.keys():
        yield Problem(
            f"the new module {head!r} is random and frozen under an adapter: its own weights would be neither trained "
            "nor saved",
            "keep it out of target_modules and put it into modules_to_save",
        )
    bare = [head for head in frozen if head not in adapted]
    if bare:
        count = sum(frozen[head] for head in bare)
        yield Problem(
            f"{count} new parameters are random and frozen, in {', '.join(bare)}",
            "every module that the base's checkpoint lacks must stand in modules_to_save",
            frozen_heads=True,
        )


def _type_errors(plain: nn.Module, parameters: dict[str, nn.Parameter]) -> Iterator[Problem]:
    trained = {parameter.dtype for parameter in parameters.values() if parameter.requires_grad}
    # PEFT's layers convert their inputs by themselves.
    apart = {p.dtype for name, p in parameters.items() if p.requires_grad and not is_adapter(name)}
    if torch.float16 in trained:
        yield Problem(
            "trainable parameters are in float16: their gradients underflow, and cannot be unscaled",
            "train adapters and heads in float32; attach does so",
        )
    half = half_type_of(plain)
    if half is not None and apart - set(HALF) and not runs_in_autocast(plain):
        yield Problem(
            f"the base is in {str(half).removeprefix('torch.')}, what is trained in float32, and nothing brings them "
            "together ('expected scalar type Half but found Float')",
            "use adapters.attach, or run training and evaluation under torch.autocast",
        )


def _configuration_errors(model: Any, plain: nn.Module) -> Iterator[Problem]:
    names = [name for name, _ in plain.named_modules() if name]
    own = [name for name in names if not is_adapter(name) and ".modules_to_save" not in name]
    for config in model.peft_config.values():
        is_transformers = isinstance(plain, PreTrainedModel)
        task_type = getattr(config.task_type, "value", config.task_type)
        if task_type is not None and not is_transformers:
            yield Problem(
                f"task_type {task_type}: PEFT's forward for it expects a model of transformers, found "
                f"{type(plain).__name__}",
                "task_type=None, and the heads in modules_to_save",
            )
        if task_type == "CAUSAL_LM" and is_transformers and plain.get_output_embeddings() is None:  # type: ignore[operator]
            yield Problem(
                f"task_type CAUSAL_LM, but {type(plain).__name__} is no language model",
                "task_type=None, or load it with AutoModelForCausalLM",
            )
        for kind in ("modules_to_save", "target_modules"):
            wanted = getattr(config, kind, None) or ()
            wanted = () if isinstance(wanted, str) else wanted
            # PEFT adds both of these for a classifier, which has one.
            usual = {"classifier", "score"} if task_type in {"SEQ_CLS", "TOKEN_CLS"} else set()
            for name in (name for name in wanted if name not in usual):
                if not any(other == name or other.endswith(f".{name}") for other in own):
                    leaves = sorted({other.rpartition(".")[2] for other in own})
                    yield Problem(f"{kind}: {name!r} matches no module", did_you_mean(name, leaves) or "correct it")


def _guess_warnings(plain: nn.Module, anatomy: Anatomy) -> Iterator[Problem]:
    if anatomy.guessed:
        base = anatomy.backbones[0] or "the whole model"
        yield Problem(
            f"nothing in {type(plain).__name__} is of transformers: {base} is taken for pretrained, "
            f"{', '.join(anatomy.heads) or 'nothing'} for new",
            "if that is wrong, give anatomy=Anatomy(backbones, heads)",
        )


def _wrapper_errors(base: nn.Module, plain: nn.Module) -> Iterator[Problem]:
    if base is not plain:
        yield Problem(
            f"the adapter is around {type(base).__name__}: its file would have 'module.' in all names and fit no "
            "other model",
            "attach the adapter first and wrap the result, or let adapters.attach do both",
        )


def _checkpointing_warnings(plain: nn.Module, anatomy: Anatomy) -> Iterator[Problem]:
    for name in anatomy.backbones:
        backbone: Any = plain.get_submodule(name)
        if not checkpoints_activations(backbone):
            continue
        embeddings = backbone.get_input_embeddings()
        if not embeddings._forward_hooks and not any(p.requires_grad for p in embeddings.parameters()):
            yield Problem(
                "gradient checkpointing is on, and the embeddings' output needs no gradient: the blocks may get none",
                "call enable_input_require_grads(), or let adapters.attach do it",
            )


def require_gradients(model: nn.Module, loss: Callable[[], Tensor], *, heads: Sequence[str] = ()) -> None:
    """Check on one batch that each trainable parameter gets a finite gradient, and those of adapters and heads one.

    LoRA's B is zero at the start, so that A gets a gradient of zero; for the check such parts of adapters are filled
    with small random numbers. Gradients are cleared afterwards, weights and the random state are restored, so training
    goes on as if nothing had happened.

    Args:
        model: The model as it will be trained.
        loss: Computes the loss of one batch.
        heads: Names of the heads.

    Raises:
        EventuneError: If the loss is not finite; a trainable parameter gets no gradient, or one that is not finite; an
            adapter or head gets one that is zero throughout; or a frozen parameter gets one.
    """
    named = [(plain_name(name), parameter) for name, parameter in model.named_parameters()]
    kept: list[tuple[Tensor, Tensor]] = [(buffer, buffer.clone()) for buffer in model.buffers()]
    # Without a choice torch would copy the states of all GPUs, and warn that it does.
    with torch.random.fork_rng(sorted({weight.get_device() for weight in model.parameters() if weight.is_cuda})):
        for name, parameter in named:
            if is_adapter(name) and parameter.requires_grad and not parameter.any():
                kept.append((parameter, parameter.detach().clone()))
                nn.init.normal_(parameter, std=1e-3)
        try:
            for _ in range(_TRIES):
                value = loss()
                if not torch.isfinite(value):
                    raise EventuneError(
                        f"the loss of the first batch is {value.item()}", "check the data, or train in float32"
                    )
                torch.autograd.backward(value)
                if all(parameter.grad is not None for _, parameter in named if parameter.requires_grad):
                    break
        finally:
            with torch.no_grad():
                for tensor, before in kept:
                    tensor.copy_(before)
    gradients = {name: parameter.grad for name, parameter in named if parameter.requires_grad}
    frozen = [name for name, parameter in named if not parameter.requires_grad and parameter.grad is not None]
    model.zero_grad(set_to_none=True)
    _judge(gradients, frozen, heads)


def _judge(gradients: dict[str, Tensor | None], frozen: Sequence[str], heads: Sequence[str]) -> None:
    # Which experts a batch is sent to is chance.
    without = [name for name, gradient in gradients.items() if gradient is None and ".experts." not in name]
    infinite = [name for name, gradient in gradients.items() if gradient is not None and not gradient.isfinite().all()]
    owned = tuple(f"{head}." for head in heads)
    zero = [
        name
        for name, gradient in gradients.items()
        if (is_adapter(name) or name.startswith(owned)) and ".experts." not in name
        if gradient is not None and not gradient.any() and not _is_connected_bias(name, gradients)
    ]
    if without:
        raise EventuneError(
            f"{len(without)} trainable parameters have no part in the loss, e.g. {without[0]}",
            "leave the modules that the task does not use out of the adapter's targets",
        )
    if infinite:
        raise EventuneError(
            f"the gradient of {infinite[0]} is not finite", "lower the learning rate, or train in float32"
        )
    if zero:
        raise EventuneError(
            f"{len(zero)} parameters of adapters and heads get a gradient of zero, e.g. {zero[0]}",
            "the loss does not depend on them: something between them and it is cut, such as a dead activation",
        )
    if frozen:
        raise EventuneError(f"{len(frozen)} frozen parameters get a gradient, e.g. {frozen[0]}")


def _is_connected_bias(name: str, gradients: Mapping[str, Tensor | None]) -> bool:
    """Tell whether a bias belongs to a layer whose weight gets a gradient.

    A bias that is added to every alternative of a softmax cancels out: its gradient is zero but for rounding.
    """
    weight = gradients.get(f"{name.removesuffix('.bias')}.weight") if name.endswith(".bias") else None
    return weight is not None and bool(weight.any())
