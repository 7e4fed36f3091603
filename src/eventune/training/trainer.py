"""The one trainer: transformers' own, with separate head rates, safe checkpoints, and a meter."""

from __future__ import annotations

import math
import shutil
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_callback import ExportableState

from eventune.errors import EventuneError
from eventune.storage.atomic import atomic_folder
from eventune.training import processes
from eventune.training.averaging import WeightAverage
from eventune.training.batching import LengthGroupedSampler
from eventune.training.checkpoint import (
    STATES,
    Position,
    checkpoints_in,
    load_optimizer,
    load_position,
    read_tensors,
    save_states,
    save_tensors,
)
from eventune.training.checkpoint_files import TRAINER_STATE, check_trainer_state, damaged, require_names
from eventune.training.lower_states import LowerStates
from eventune.training.meter import ResourceMeter, current_memory_bytes
from eventune.training.parts import BatchParts
from eventune.training.task import Task

AVERAGE = "average.safetensors"
ONE_DEVICE = (
    "start one process a GPU by torchrun; where the base is too large for one: quantization_bit, gradient_checkpointing"
)
"""What to do in place of sharing a model out over devices."""
_CHOSEN = "chosen"
"""Which examples are in a batch."""
_SCALER_FIGURES = {"loss_scale": "scale", "unscaled_steps": "_growth_tracker"}
"""What of a gradient scaler's state changes, by its name among a checkpoint's figures."""


class WeightStore(Protocol):
    """Saves and restores what is trained of a model."""

    def save(self, model: nn.Module, folder: Path) -> None:
        """Write the trained weights to an existing folder."""
        ...

    def load(self, model: nn.Module, folder: Path) -> None:
        """Read them back."""
        ...


class TaskTrainer(Trainer):
    """Trains a task's model with `transformers.Trainer`'s loop."""

    def __init__(
        self,
        model: nn.Module,
        task: Task,
        arguments: TrainingArguments,
        *,
        examples: Sequence[Any],
        learning_rate_of: Callable[[str], float],
        store: WeightStore,
        ema_decay: float = 0.0,
        baseline_memory_bytes: int | None = None,
        callbacks: Sequence[TrainerCallback] = (),
        lower: LowerStates | None = None,
        parts: BatchParts | None = None,
    ) -> None:
        self.task, self.examples, self.lower, self.parts = task, list(examples), lower, parts
        self.learning_rate_of = learning_rate_of
        self.store = store
        self.meter = ResourceMeter(current_memory_bytes() if baseline_memory_bytes is None else baseline_memory_bytes)
        super().__init__(
            model=model,
            args=arguments,
            data_collator=self._collate,
            train_dataset=range(len(self.examples)),
            eval_dataset=[] if arguments.eval_strategy != "no" else None,
            callbacks=[self.meter, *callbacks],
        )
        # `compute_loss` weighs batches that are accumulated itself.
        self.model_accepts_loss_kwargs = True
        self.average = WeightAverage(model, ema_decay) if ema_decay else None
        if self.average is not None:
            self.add_callback(self.average)
        if self.is_fsdp_enabled or self.is_deepspeed_enabled:
            raise EventuneError(
                "training: expected the whole model on each device, found FSDP or DeepSpeed, which share it out",
                ONE_DEVICE,
            )
        if arguments.device.type == "cuda":
            # Nothing of the model is on a GPU before the trainer has put it there.
            self.meter.baseline_memory_bytes = current_memory_bytes(arguments.device)
        # transformers' own line-by-line printing; progress is the caller's callback.
        for callback in list(self.callback_handler.callbacks):
            if type(callback).__name__ in {"PrinterCallback", "ProgressCallback"}:
                self.remove_callback(callback)

    def train(self, *args: Any, **kwargs: Any) -> Any:
        """Train, and leave the best or last weights in the model, averaged where the average is kept."""
        checkpoint = kwargs.get("resume_from_checkpoint")
        if isinstance(checkpoint, str):
            check_trainer_state(Path(checkpoint), self._callback_states())
        output = super().train(*args, **kwargs)
        # Mixed precision is for training alone: a saved model is used without, and gives the same scores only then.
        self.accelerator.unwrap_model(self.model, keep_fp32_wrapper=False)
        # By this mark accelerate would leave the model of the next training, after a pretraining, as it is.
        vars(self.model).pop("_is_accelerate_prepared", None)
        if self.average is not None:
            self.average.apply()
        return output

    def get_batch_samples(
        self, epoch_iterator: Iterator[dict[str, Tensor]], num_batches: int, device: torch.device
    ) -> tuple[list[dict[str, Tensor]], Tensor | int | None]:
        """Return the batches of a step and, where there are several, how many terms their loss is the mean of."""
        batches, num_items = super().get_batch_samples(epoch_iterator, num_batches, device)
        if num_items is None and len(batches) > 1:
            own = torch.stack([self.task.num_items(batch) for batch in batches]).sum()
            num_items = self.accelerator.gather(own.to(device)).sum()
        return batches, num_items

    def training_step(
        self, model: nn.Module, inputs: dict[str, Any], num_items_in_batch: Tensor | int | None = None
    ) -> Tensor:
        """Compute the gradients of a batch, in parts where it would take too much memory as a whole."""
        if self.parts is None:
            return super().training_step(model, inputs, num_items_in_batch)
        chosen = inputs[_CHOSEN].tolist()
        parts = self.parts.of_lengths([self.task.length(self.examples[index]) for index in chosen])
        if len(parts) < 2:
            return super().training_step(model, inputs, num_items_in_batch)
        num_items = self.task.num_items(inputs).to(self.args.device)
        batches = (self._collate([chosen[place] for place in part]) for part in parts)
        losses = [super(TaskTrainer, self).training_step(model, batch, num_items) for batch in batches]
        return torch.stack(losses).sum()

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Tensor],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """Return the task's loss of a batch, or its share in the mean over all batches that are accumulated."""
        self.meter.count(inputs["attention_mask"])
        inputs = dict(inputs)
        with self._lower_states(inputs.pop(_CHOSEN), inputs["attention_mask"].shape[1]):
            loss, num_items = self.task.loss(model, inputs), self.task.num_items(inputs)
        if num_items_in_batch is None:
            return processes.shared_loss(loss, num_items)
        return loss * num_items * processes.count() / num_items_in_batch

    def first_part(self, examples: Sequence[Any]) -> Sequence[Any]:
        """Return those of a batch's examples that are computed first, all of them where it stays whole."""
        if self.parts is None:
            return examples
        return [examples[place] for place in self.parts.of_lengths([self.task.length(each) for each in examples])[0]]

    def _collate(self, chosen: Sequence[int]) -> dict[str, Tensor]:
        """Pad examples, given by their indices, to a batch."""
        return {**self.task.collate([self.examples[index] for index in chosen]), _CHOSEN: torch.tensor(chosen)}

    def _lower_states(self, chosen: Tensor, width: int) -> AbstractContextManager[None]:
        """Return the block in which the model reads kept states, where some are kept."""
        if self.lower is None or self._epochs_done() < self.lower.after_epochs:
            return nullcontext()
        if not self.lower.computed:
            self.model.eval()
            self.lower.compute([self.task.length(example) for example in self.examples], self._read)
            self.model.train()
        return self.lower.in_place(chosen.tolist(), width)

    def _epochs_done(self) -> int:
        return int(self.state.epoch or 0)

    def _read(self, chosen: Sequence[int]) -> None:
        batch = self.task.collate([self.examples[index] for index in chosen])
        self.task.loss(self.model, {name: tensor.to(self.args.device) for name, tensor in batch.items()})

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Let the task evaluate the dev part."""
        with self.meter.paused(), self.average.applied() if self.average is not None else nullcontext():
            found = self.task.evaluate(self.model, on_batch=self._tell_of_evaluation)
            metrics = {f"eval_{name}": value for name, value in found.items()}
        self.log(dict(metrics))
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def _tell_of_evaluation(self, done: int, total: int) -> None:
        heard = {"done": done, "total": total}
        self.callback_handler.call_event(  # type: ignore[no-untyped-call]
            "on_prediction_step", self.args, self.state, self.control, **heard
        )

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add the epoch's figures to its loss."""
        if "loss" in logs and self.args.logging_strategy == "epoch":
            logs = {**logs, **self.meter.epoch_figures}
        super().log(logs, start_time)

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """Build AdamW with a learning rate for the heads, and weight decay on matrices only."""
        if self.optimizer is None:
            groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
            for name, parameter in self.model.named_parameters():
                if parameter.requires_grad:
                    key = (self.learning_rate_of(name), parameter.ndim > 1)
                    groups.setdefault(key, []).append(parameter)
            optimizer_class, options = self.get_optimizer_cls_and_kwargs(self.args, self.model)
            self.optimizer = optimizer_class(
                [
                    {
                        "params": parameters,
                        "lr": rate,
                        "weight_decay": self.args.weight_decay if decay else 0.0,
                    }
                    for (rate, decay), parameters in groups.items()
                ],
                **options,
            )
        return self.optimizer

    def _get_train_sampler(self, train_dataset: Any = None) -> LengthGroupedSampler:
        lengths = [self.task.length(example) for example in self.examples]
        seed = self.args.seed if self.args.data_seed is None else self.args.data_seed
        return LengthGroupedSampler(lengths, batch_size=self._train_batch_size * processes.count(), seed=seed)

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        figures = self.meter.partial_figures()
        with self.meter.paused():
            figures |= {"loss": float(self._tr_loss), "logged_step": self._globalstep_last_logged}
            figures |= self._loss_scale()
            positions = processes.gathered(Position.current(figures))
            if self.state.best_global_step == self.state.global_step:
                self.state.best_model_checkpoint = str(self._folder_now())
            if self.args.should_save:
                self._write_checkpoint(positions)
            # Nobody reads the best weights before they are written.
            processes.wait()

    def _loss_scale(self) -> dict[str, float]:
        """Return how the loss of a training in float16 is scaled; nothing in another type."""
        scaler = self.accelerator.scaler
        state = scaler.state_dict() if scaler is not None else {}
        return {name: state[key] for name, key in _SCALER_FIGURES.items() if key in state}

    def _restore_loss_scale(self, figures: Mapping[str, float]) -> None:
        scaler = self.accelerator.scaler
        if scaler is not None and figures.keys() >= _SCALER_FIGURES.keys():
            found = {key: figures[name] for name, key in _SCALER_FIGURES.items()}
            scaler.load_state_dict({**scaler.state_dict(), **found})

    def _write_checkpoint(self, positions: Sequence[Position]) -> None:
        state: Any = self.state
        state.stateful_callbacks |= self._callback_states()
        with atomic_folder(self._folder_now()) as staging:
            self.store.save(self.model, staging)
            self.state.save_to_json(str(staging / TRAINER_STATE))
            save_states(staging, self.optimizer, self.lr_scheduler, positions)
            if self.average is not None:
                save_tensors(self.average.state(), staging / AVERAGE)
        if self.args.save_total_limit is not None:
            self._remove_but_last(max(1, self.args.save_total_limit))

    def _folder_now(self) -> Path:
        return Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"

    def _callback_states(self) -> dict[str, Any]:
        found = [*self.callback_handler.callbacks, self.control]
        return {type(each).__name__: each.state() for each in found if isinstance(each, ExportableState)}

    def _remove_but_last(self, limit: int) -> None:
        """Remove all checkpoints but the last ones and the best."""
        for old in checkpoints_in(Path(self.args.output_dir))[:-limit]:
            if str(old) != self.state.best_model_checkpoint:
                shutil.rmtree(old, ignore_errors=True)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: nn.Module | None = None) -> None:
        self._load_weights(Path(resume_from_checkpoint))

    def _load_best_model(self) -> None:
        self._load_weights(Path(self.state.best_model_checkpoint))

    def _load_weights(self, checkpoint: Path) -> None:
        self.store.load(self.model, checkpoint)
        if self.average is not None:
            state = read_tensors(checkpoint / AVERAGE)
            require_names(checkpoint / AVERAGE, self.average.state(), state)
            self.average.restore(state)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            if self.state.global_step > self.state.max_steps:
                raise damaged(
                    Path(checkpoint) / TRAINER_STATE,
                    "global_step",
                    f"at most the {self.state.max_steps} steps of this training",
                    self.state.global_step,
                )
            load_optimizer(Path(checkpoint), self.optimizer, self.lr_scheduler)

    def _load_rng_state(self, checkpoint: str | None) -> None:
        """Go on from a checkpoint; called when the epoch has begun and its batches until the checkpoint are passed."""
        if checkpoint is None:
            return
        position = load_position(Path(checkpoint), processes.number())
        first = max(position.figures.get("first_step", -1), position.figures["logged_step"] - 1)
        if first >= self.state.global_step:
            expected = f"figures of an epoch that is at step {self.state.global_step}"
            raise damaged(Path(checkpoint) / STATES, "processes", expected, position.figures)
        position.restore_generators()
        self._tr_loss = torch.tensor(position.figures["loss"], device=self.args.device)
        self._globalstep_last_logged = int(position.figures["logged_step"])
        self._restore_loss_scale(position.figures)
        self.meter.resume(position.figures)

    def release(self) -> None:
        """Free what only a further step would need: the optimiser's moments and kept states."""
        if self.optimizer is not None:
            self.optimizer.state.clear()
        self.lower = None
        if self.args.device.type == "cuda":
            torch.cuda.empty_cache()

    def epochs(self) -> list[dict[str, float]]:
        """Return the figures of each epoch, from the first, also of those before a resumption."""
        epochs: dict[float, dict[str, float]] = {}
        for entry in self.state.log_history:
            if entry.keys() & {"loss", "eval_f1", "eval_loss", "train_seconds"}:
                figures = epochs.setdefault(math.ceil(round(entry["epoch"], 6)), {})
                figures |= {name.removeprefix("eval_"): value for name, value in entry.items() if name != "step"}
        return [figures for figures in epochs.values() if "train_seconds" in figures]


def epoch_summary(epochs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Sum the epochs' figures up to what `result.json` holds under `resources`.

    Args:
        epochs: Figures of each epoch, as `TaskTrainer.epochs` gives them.

    Returns:
        Seconds in all and by epoch (median), tokens a second (median), and memory.
    """
    seconds = [epoch["train_seconds"] / epoch.get("epoch_share", 1.0) for epoch in epochs]
    peak = max(epoch["peak_memory_bytes"] for epoch in epochs)
    baseline = min(epoch["baseline_memory_bytes"] for epoch in epochs)
    joules = {name for epoch in epochs for name in epoch if name.endswith("energy_joules")}
    return {
        "epochs": len(epochs),
        "train_seconds": sum(epoch["train_seconds"] for epoch in epochs),
        "seconds_per_epoch": statistics.median(seconds),
        "tokens_per_second": statistics.median(epoch["tokens_per_second"] for epoch in epochs),
        "peak_memory_bytes": peak,
        "baseline_memory_bytes": baseline,
        "peak_memory_above_baseline_bytes": peak - baseline,
        **{name: sum(epoch.get(name, 0.0) for epoch in epochs) for name in sorted(joules)},
    }
