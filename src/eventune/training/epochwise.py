"""Settings of a run that is evaluated and saved once an epoch, as transformers' trainer takes them."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import TrainingArguments

from eventune.errors import InvalidValueError
from eventune.training.arguments import OptimisationArguments


def training_arguments(
    arguments: OptimisationArguments, folder: Path, *, has_dev: bool, device: torch.device
) -> TrainingArguments:
    """Return a run's settings for `TaskTrainer`.

    Args:
        arguments: The run's optimisation.
        folder: Where checkpoints go.
        has_dev: Whether there is a dev part to choose the epoch on.
        device: Where the model is trained.

    Raises:
        InvalidValueError: If the machine lacks a number format that is asked for.
    """
    has_gpu = device.type == "cuda"
    if arguments.bf16 and has_gpu and not torch.cuda.is_bf16_supported(including_emulation=False):
        raise InvalidValueError("bf16", "false on a GPU without bfloat16", "true", "fp16 is what such a GPU has")
    if arguments.fp16 and not has_gpu:
        raise InvalidValueError("fp16", f"false on {device.type}", "true", "the scaled loss is for NVIDIA's GPUs")
    settings = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=arguments.num_train_epochs,
        per_device_train_batch_size=arguments.per_device_train_batch_size,
        gradient_accumulation_steps=arguments.gradient_accumulation_steps,
        learning_rate=arguments.learning_rate,
        weight_decay=arguments.weight_decay,
        warmup_steps=arguments.warmup_steps,
        lr_scheduler_type=arguments.lr_scheduler_type,
        max_grad_norm=arguments.max_grad_norm,
        bf16=arguments.bf16,
        fp16=arguments.fp16,
        use_cpu=device.type == "cpu",
        seed=arguments.seed,
        optim="adamw_torch_fused",
        eval_strategy="epoch" if has_dev else "no",
        save_strategy="epoch",
        save_total_limit=1,
        logging_strategy="epoch",
        load_best_model_at_end=has_dev and arguments.load_best_model_at_end,
        metric_for_best_model="f1",
        greater_is_better=True,
        restore_callback_states_from_checkpoint=True,
        remove_unused_columns=False,
        dataloader_pin_memory=has_gpu,
        accelerator_config={"non_blocking": has_gpu},
        label_names=[],
        disable_tqdm=True,
        report_to="none",
    )
    return on_device(settings, device)


def on_device(arguments: TrainingArguments, device: torch.device) -> TrainingArguments:
    """Let transformers' trainer use one device, this one: it takes the first GPU, and copies the model to all others.

    Args:
        arguments: The trainer's settings.
        device: The device; several processes each keep the one that they were started for.
    """
    # Several GPUs are for several processes: torch's DataParallel would copy the model for each batch.
    arguments._n_gpu = min(1, arguments.n_gpu)
    if device.index is not None and arguments.world_size == 1:
        torch.cuda.set_device(device)
        # What the cached property `TrainingArguments._setup_devices` found.
        arguments.__dict__["_setup_devices"] = device
    return arguments
