"""How a model is trained; the names are transformers' own where it has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from eventune.errors import InvalidValueError, out_of_range

SCHEDULERS = ("linear", "cosine", "constant_with_warmup")
MOST_EPOCHS = 100_000
MOST_BATCH = 2**20
CPU_ACTIVATIONS = 0.5
"""GB of activations beyond which a CPU computes a batch in parts; see docs/performance.md#memory."""
_BOUNDS = {
    "num_train_epochs": (0, MOST_EPOCHS),
    "num_pretrain_epochs": (1, MOST_EPOCHS),
    "per_device_train_batch_size": (1, MOST_BATCH),
    "per_device_eval_batch_size": (1, MOST_BATCH),
    "gradient_accumulation_steps": (1, MOST_BATCH),
    "activation_memory": (0, 10**6),
    "weight_decay": (0, 1_000),
    "warmup_steps": (0, 10**9),
    "max_grad_norm": (0, 10**9),
    "early_stopping_patience": (0, 10**9),
}


@dataclass(kw_only=True)
class OptimisationArguments:
    """Optimisation, its schedule, and where the run goes."""

    output_dir: str = field(default="", metadata={"help": "Run directory; must not exist yet"})
    overwrite_output_dir: bool = field(default=False, metadata={"help": "Remove an earlier run in output_dir first"})
    resume_from_checkpoint: bool = field(
        default=False, metadata={"help": "Go on from the last checkpoint in output_dir, or start where there is none"}
    )
    num_train_epochs: int = field(default=8, metadata={"help": "Epochs at the most; 0 tries a causal LM as it is"})
    num_pretrain_epochs: int = field(
        default=3, metadata={"help": "Epochs on pretrain_file, where there is one", "read_by": "pretraining"}
    )
    init_from: str = field(
        default="",
        metadata={
            "help": "A finished run whose trained weights the training starts from: warmup, which comes with eventune, "
            "in place of pretraining on sample:warmup; or a run directory. LoRA may have another rank than there",
            "read_by": "pretraining",
        },
    )
    teacher: str = field(
        default="",
        metadata={
            "help": "A finished run that finds arguments, on any encoder, or an ensemble: what it says of the training "
            "part is learned beside the annotation; it must not have been trained on the dev or test part",
            "read_by": "extraction",
        },
    )
    per_device_train_batch_size: int = field(default=16, metadata={"help": "Events a batch in training"})
    per_device_eval_batch_size: int = field(default=32, metadata={"help": "Events a batch in evaluation"})
    gradient_accumulation_steps: int = field(default=1, metadata={"help": "Batches a step"})
    activation_memory: float | None = field(
        default=None,
        metadata={
            "help": "GB (10^9 bytes) that a batch's activations may take, estimated from the base's sizes; a batch "
            "that needs more is computed in parts, whose gradients add up to the same step; 0: whole batches; by "
            f"default {CPU_ACTIVATIONS} where one process trains on a CPU, which is quicker so, else 0",
            "read_by": "heads",
        },
    )
    learning_rate: float = field(default=1e-3, metadata={"help": "Peak learning rate of the base or its adapter"})
    head_learning_rate: float = field(
        default=1e-3, metadata={"help": "Peak learning rate of the new heads", "read_by": "heads"}
    )
    weight_decay: float = field(default=0.01, metadata={"help": "AdamW's weight decay, on matrices only"})
    warmup_steps: float = field(default=0.1, metadata={"help": "Warm-up steps, or their share of all steps if below 1"})
    lr_scheduler_type: str = field(default="linear", metadata={"help": f"One of {', '.join(SCHEDULERS)}"})
    max_grad_norm: float = field(default=1.0, metadata={"help": "Gradients are clipped to this norm; 0 for never"})
    ema_decay: float = field(
        default=0.0, metadata={"help": "Decay of the weights' moving average, which is evaluated and saved; 0 for none"}
    )
    load_best_model_at_end: bool = field(
        default=True, metadata={"help": "Keep the epoch with the best F1 on the dev part; else the last one"}
    )
    early_stopping_patience: int = field(
        default=0, metadata={"help": "Stop after so many epochs without a better F1 on the dev part; 0 for never"}
    )
    save_predictions: bool = field(
        default=False, metadata={"help": "Write what the finished run predicts for the test part, to compare runs"}
    )
    save_steps: int = field(
        default=0, metadata={"help": "Steps between checkpoints within an epoch; 0 for one at each epoch's end alone"}
    )
    gradient_checkpointing: bool = field(
        default=False,
        metadata={"help": "Recompute the base's activations in the backward pass: less memory, more time"},
    )
    bf16: bool = field(default=False, metadata={"help": "Mixed precision in bfloat16, where the machine has it"})
    fp16: bool = field(
        default=False, metadata={"help": "Mixed precision in float16 with a scaled loss, on GPUs without bfloat16"}
    )
    seed: int = field(
        default=0, metadata={"help": "Seed of heads, dropout and the order of the data; not of splits: split_seed"}
    )

    def problems(self) -> Iterator[InvalidValueError]:
        """Yield one error for each setting that is out of range."""
        if not self.output_dir:
            yield InvalidValueError("output_dir", "a folder for the run", "nothing", "e.g. output_dir: runs/first")
        yield from out_of_range(self, _BOUNDS)
        if self.activation_memory and self.gradient_accumulation_steps > 1:
            found = str(self.gradient_accumulation_steps)
            hint = "multiply per_device_train_batch_size by it: a batch is computed in parts"
            yield InvalidValueError("gradient_accumulation_steps", "1 with activation_memory", found, hint)
        for name in ("learning_rate", "head_learning_rate"):
            if not 0.0 < getattr(self, name) < 1.0:
                yield InvalidValueError(name, "a number in (0, 1)", str(getattr(self, name)))
        if not 0 <= self.seed < 2**32:
            yield InvalidValueError("seed", "an integer in [0, 2**32)", str(self.seed))
        if not 0.0 <= self.ema_decay < 1.0:
            yield InvalidValueError("ema_decay", "a number in [0, 1)", str(self.ema_decay))
        if self.lr_scheduler_type not in SCHEDULERS:
            yield InvalidValueError("lr_scheduler_type", " or ".join(SCHEDULERS), repr(self.lr_scheduler_type))
        if self.bf16 and self.fp16:
            yield InvalidValueError("fp16", "false with bf16", "true")
        if self.overwrite_output_dir and self.resume_from_checkpoint:
            yield InvalidValueError("resume_from_checkpoint", "false with overwrite_output_dir", "true")
