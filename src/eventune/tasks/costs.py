"""What a finished training cost: use of the machine, memory by purpose, and what the base forgot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from eventune.adapters.methods import is_adapter, keeps_base
from eventune.adapters.precision import half_type_of
from eventune.backbones.backbone import Backbone
from eventune.backbones.masked_lm import MaskedLanguageModel
from eventune.tasks.protocol import Outcome, RunTask
from eventune.training.flops import forward_flops, gemm_flops_per_second

if TYPE_CHECKING:
    from transformers import TrainingArguments

    from eventune.training.trainer import TaskTrainer


class Forgetting:
    """What an encoder forgot of what it was pretrained for; measured once before the training and once after it."""

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone
        self._before = self._loss()

    def measured(self) -> dict[str, float]:
        """Return the loss on masked subword tokens before and after; nothing without a head for them."""
        if self._before is None or (after := self._loss()) is None:
            return {}
        return {
            "masked_lm_loss_before": self._before,
            "masked_lm_loss_after": after,
            "forgetting": after - self._before,
        }

    def _loss(self) -> float | None:
        return MaskedLanguageModel(self._backbone.base, self._backbone.tokenizer).loss(self._backbone.model)


def training_costs(outcome: Outcome, cost: Mapping[str, float], task: RunTask, *, method: str) -> dict[str, Any]:
    """Return what `result.json` holds under `resources` of every training.

    Args:
        outcome: The training, finished.
        cost: Time and memory of its epochs.
        task: What was trained for.
        method: What was trained.

    Returns:
        Figures by name; those that this machine cannot tell are missing.
    """
    # Whoever opens a finished run does not wait for the trainer's libraries.
    from eventune.training.meter import memory_split

    trainer, counts = outcome.trainer, outcome.counts
    assert trainer is not None
    assert counts is not None
    trained: Any = trainer.model
    # Where lower states are kept, epochs differ in what they compute.
    speed = {} if trainer.lower else _speed(trainer, task, seconds=cost["seconds_per_epoch"], method=method)
    return {
        "trainable_parameters": counts.trainable,
        "total_parameters": counts.total,
        **speed,
        **memory_split(trained, trainer.optimizer, above_baseline=cost["peak_memory_above_baseline_bytes"]),
    }


def _speed(trainer: TaskTrainer, task: RunTask, *, seconds: float, method: str) -> dict[str, float]:
    """Return the operations a second of an epoch that takes so many seconds, beside what the machine reaches."""
    # A backward pass needs twice the forward pass's products, but only once where the weights are frozen.
    passes = 2 if keeps_base(method) else 3
    lengths = [task.loop.length(example) for example in task.examples]
    rate = passes * forward_flops(task.backbone.model, lengths, is_adapter) / seconds
    trained: Any = trainer.model
    peak = gemm_flops_per_second(trainer.args.device.type, _computed_in(trainer.args, trained))
    return {"model_flops_per_second": rate, "gemm_flops_per_second": peak, "gemm_share": rate / peak}


def _computed_in(arguments: TrainingArguments, model: nn.Module) -> torch.dtype:
    """Return the type that a training's matrix products are computed in."""
    if arguments.bf16 or arguments.fp16:
        return torch.bfloat16 if arguments.bf16 else torch.float16
    return half_type_of(model) or torch.float32
