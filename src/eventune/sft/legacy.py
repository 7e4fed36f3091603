"""Settings of older scripts under their names of today, so that a command of transformers 4 runs unchanged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

RENAMED = {
    "evaluation_strategy": "eval_strategy",
    "no_cuda": "use_cpu",
    "per_gpu_train_batch_size": "per_device_train_batch_size",
    "per_gpu_eval_batch_size": "per_device_eval_batch_size",
    "xpu_backend": "ddp_backend",
    "use_mps_device": "",
    "target_modules": "lora_target_modules",
    "torch_dtype": "dtype",
}
"""What only has another name; an empty one for what means nothing any more."""

OBSOLETE = {
    "generation_config": "do_sample, temperature, top_p, num_beams … say how responses are generated",
    "sortish_sampler": "batches are always of like length",
    "train_sampling_strategy": "batches are always of like length",
    "include_for_metrics": "predictions are written with their inputs",
    "batch_eval_metrics": "metrics are computed over all rows",
    "save_only_model": "a checkpoint holds what a resumption needs",
    "bf16_full_eval": "dtype says what type the base has",
    "fp16_full_eval": "dtype says what type the base has",
    "optim_target_modules": "lora_target_modules says what is trained",
    "gradient_checkpointing_kwargs": "recomputation is the non-reentrant one",
    "activation_checkpointing_kwargs": "recomputation is the non-reentrant one",
    "push_to_hub": "`hf upload` publishes a run's folder",
    "push_to_hub_token": "`hf upload` publishes a run's folder",
    "push_to_hub_model_id": "`hf upload` publishes a run's folder",
    "push_to_hub_organization": "`hf upload` publishes a run's folder",
    "hub_model_id": "`hf upload` publishes a run's folder",
    "hub_token": "`hf upload` publishes a run's folder",
    "lang": "texts of any language are read alike",
    "use_auth_token": "the login of `hf auth login` is used anyway",
    "token": "the login of `hf auth login` is used anyway",
    "cache_dir": "the environment's HF_HOME says where the hub's files are kept",
    "config_name": "the model's own configuration is used",
    "tokenizer_name": "the model's own tokenizer is used",
    "use_fast_tokenizer": "the tokenizer is always a fast one",
    "resize_position_embeddings": "positions are never resized",
    "forced_bos_token": "for translation models only",
    "trust_remote_code": "no remote code is ever run",
    "model_parallel_mode": "several GPUs are used by torchrun or accelerate launch",
    "save_safetensors": "weights are always safetensors",
    "group_by_length": "batches are always of like length",
    "length_column_name": "batches are always of like length",
    "logging_dir": "the environment's TENSORBOARD_LOGGING_DIR says where TensorBoard's files go",
    "fp16_backend": "PyTorch's own is used",
    "half_precision_backend": "PyTorch's own is used",
    "fp16_opt_level": "PyTorch's own mixed precision is used",
    "use_ipex": "PyTorch's own kernels are used",
    "jit_mode_eval": "PyTorch's own kernels are used",
    "torchdynamo": "torch_compile does it",
    "ray_scope": "",
    "past_index": "",
    "mp_parameters": "",
    "tpu_num_cores": "",
    "tpu_metrics_debug": "",
    "sharded_ddp": "",
    "fsdp_min_num_params": "fsdp_config has it",
    "fsdp_transformer_layer_cls_to_wrap": "fsdp_config has it",
    "include_inputs_for_metrics": "predictions are written with their inputs",
    "include_tokens_per_second": "they are always measured",
    "dispatch_batches": "accelerator_config has it",
    "split_batches": "accelerator_config has it",
    "use_legacy_prediction_loop": "",
}
"""What has no setting any more, and why none is missed."""


def translate(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Give older settings their names and values of today.

    Args:
        values: Setting by name.

    Returns:
        The settings of today, and what was done, one text each.
    """
    current = dict(values)
    notices: list[str] = []
    for old, value in values.items():
        if old in _CHANGED:
            del current[old]
            new = _CHANGED[old](value)
            # Given beside the new name, the old one counted unless the new one was left at zero.
            current = {**new, **{name: given for name, given in current.items() if name not in new or given}}
            notices.append(f"{old} is now {', '.join(new) or 'not needed'}")
        elif RENAMED.get(old):
            current.setdefault(RENAMED[old], current.pop(old))
            notices.append(f"{old} is now {RENAMED[old]}")
        elif old in OBSOLETE or old in RENAMED:
            del current[old]
            reason = OBSOLETE.get(old, "")
            notices.append(f"{old} is left out{f': {reason}' if reason else ''}")
    return current, notices


def _warmup_ratio(value: Any) -> dict[str, Any]:
    """A number below 1 is a share of all steps for warmup_steps of today."""
    return {"warmup_steps": value}


def _adafactor(value: Any) -> dict[str, Any]:
    return {"optim": "adafactor"} if str(value).lower() == "true" else {}


_CHANGED: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "warmup_ratio": _warmup_ratio,
    "adafactor": _adafactor,
}
