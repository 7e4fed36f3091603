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

_OBSOLETE_BY_REASON = {
    "do_sample, temperature, top_p, num_beams … say how responses are generated": "generation_config",
    "batches are always of like length": "sortish_sampler train_sampling_strategy group_by_length length_column_name",
    "predictions are written with their inputs": "include_for_metrics include_inputs_for_metrics",
    "metrics are computed over all rows": "batch_eval_metrics",
    "a checkpoint holds what a resumption needs": "save_only_model",
    "dtype says what type the base has": "bf16_full_eval fp16_full_eval",
    "lora_target_modules says what is trained": "optim_target_modules",
    "recomputation is the non-reentrant one": "gradient_checkpointing_kwargs activation_checkpointing_kwargs",
    "`hf upload` publishes a run's folder": (
        "push_to_hub push_to_hub_token push_to_hub_model_id push_to_hub_organization hub_model_id hub_token"
    ),
    "texts of any language are read alike": "lang",
    "the login of `hf auth login` is used anyway": "use_auth_token token",
    "the environment's HF_HOME says where the hub's files are kept": "cache_dir",
    "the model's own configuration is used": "config_name",
    "the model's own tokenizer is used": "tokenizer_name",
    "the tokenizer is always a fast one": "use_fast_tokenizer",
    "positions are never resized": "resize_position_embeddings",
    "for translation models only": "forced_bos_token",
    "no remote code is ever run": "trust_remote_code",
    "several GPUs are used by torchrun or accelerate launch": "model_parallel_mode",
    "weights are always safetensors": "save_safetensors",
    "the environment's TENSORBOARD_LOGGING_DIR says where TensorBoard's files go": "logging_dir",
    "PyTorch's own is used": "fp16_backend half_precision_backend",
    "PyTorch's own mixed precision is used": "fp16_opt_level",
    "PyTorch's own kernels are used": "use_ipex jit_mode_eval",
    "torch_compile does it": "torchdynamo",
    "": "ray_scope past_index mp_parameters tpu_num_cores tpu_metrics_debug sharded_ddp use_legacy_prediction_loop",
    "no model is shared out over devices": "fsdp_min_num_params fsdp_transformer_layer_cls_to_wrap",
    "they are always measured": "include_tokens_per_second",
    "accelerator_config has it": "dispatch_batches split_batches",
}
OBSOLETE = {name: reason for reason, names in _OBSOLETE_BY_REASON.items() for name in names.split()}
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
