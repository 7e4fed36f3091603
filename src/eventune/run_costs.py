"""What a finished training cost: size, use of the machine, memory by purpose, and what the base forgot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eventune.adapters.guard import ParameterCounts
from eventune.backbones.load import Backbone
from eventune.backbones.masked_lm import MaskedLanguageModel
from eventune.extraction.task import EncodedPart, ExtractionTask
from eventune.recipe import Recipe
from eventune.training.flops import forward_flops, gemm_flops_per_second
from eventune.training.meter import memory_split
from eventune.training.trainer import TaskTrainer, epoch_summary


class RunCosts:
    """Measures before a training what it needs to measure it afterwards."""

    def __init__(self, recipe: Recipe, backbone: Backbone) -> None:
        self._recipe, self._backbone = recipe, backbone
        self._masked_lm_before = MaskedLanguageModel(backbone.base, backbone.tokenizer).loss(backbone.model)

    def of(
        self,
        trainer: TaskTrainer,
        counts: ParameterCounts,
        cost: Mapping[str, float],
        task: ExtractionTask,
        part: EncodedPart,
    ) -> dict[str, Any]:
        """Return what `result.json` holds of it under `resources`, beside time and memory of the epochs.

        Args:
            trainer: The trainer, after training.
            counts: Parameters of the model.
            cost: Time and memory of the epochs.
            task: The task.
            part: What was trained on.

        Returns:
            Figures by name; those that this machine or model cannot tell are missing.
        """
        above = cost["peak_memory_above_baseline_bytes"]
        model: Any = trainer.model
        return {
            "trainable_parameters": counts.trainable,
            "total_parameters": counts.total,
            "head_parameters": counts.heads,
            "documents_per_second": len(part.documents) / cost["seconds_per_epoch"],
            **self._use(trainer, cost["seconds_per_epoch"], task, part),
            **memory_split(model, trainer.optimizer, above_baseline=above),
            **self._forgetting(),
        }

    def _use(self, trainer: TaskTrainer, seconds: float, task: ExtractionTask, part: EncodedPart) -> dict[str, float]:
        # A backward pass needs twice the forward pass's products, but only once where the weights are frozen.
        passes = 3 if self._recipe.adapter.method == "full" else 2
        lengths = [task.length(example) for example in part.examples]
        rate = passes * forward_flops(self._backbone.model, lengths) / seconds
        peak = gemm_flops_per_second(trainer.args.device.type)
        return {"model_flops_per_second": rate, "gemm_flops_per_second": peak, "gemm_share": rate / peak}

    def _forgetting(self) -> dict[str, float]:
        if self._masked_lm_before is None:
            return {}
        after = MaskedLanguageModel(self._backbone.base, self._backbone.tokenizer).loss(self._backbone.model)
        if after is None:
            return {}
        return {
            "masked_lm_loss_before": self._masked_lm_before,
            "masked_lm_loss_after": after,
            "forgetting": after - self._masked_lm_before,
        }


def generation_costs(
    trainer: TaskTrainer, model: Any, lengths: Sequence[int], *, method: str, counts: ParameterCounts | None
) -> dict[str, Any]:
    """Return what `result.json` holds under `resources` of a causal LM's training.

    Args:
        trainer: The trainer, after training.
        model: The plain model.
        lengths: Tokens of each row that was trained on.
        method: What was trained.
        counts: Parameters of the model.

    Returns:
        Figures by name; those that this machine cannot tell are missing.
    """
    cost = epoch_summary(trainer.epochs())
    # A backward pass needs twice the forward pass's products, but only once where the weights are frozen.
    passes = 3 if method == "full" else 2
    rate = passes * forward_flops(model, lengths) / cost["seconds_per_epoch"]
    peak = gemm_flops_per_second(trainer.args.device.type)
    trained: Any = trainer.model
    return {
        **cost,
        "steps": trainer.state.global_step,
        "rows_per_second": len(lengths) / cost["seconds_per_epoch"],
        "trainable_parameters": counts.trainable if counts else 0,
        "total_parameters": counts.total if counts else 0,
        "model_flops_per_second": rate,
        "gemm_flops_per_second": peak,
        "gemm_share": rate / peak,
        **memory_split(trained, trainer.optimizer, above_baseline=cost["peak_memory_above_baseline_bytes"]),
    }
